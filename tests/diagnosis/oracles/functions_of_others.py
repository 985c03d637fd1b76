"""Right functions in the ways in which the libraries and their users write them, with their names and conventions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.signal
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer


def stable_baselines3(rewards, values, episode_starts, last_values, dones, gamma, gae_lambda):
    """The real RolloutBuffer, filled as OnPolicyAlgorithm.collect_rollouts fills it, of arrays [T, B]."""
    steps, copies = rewards.shape
    box = spaces.Box(-1, 1, (1,))
    buffer = RolloutBuffer(steps, box, box, "cpu", gae_lambda, gamma, copies)
    nothing = np.zeros((copies, 1))
    for t in range(steps):
        value = torch.as_tensor(values[t])
        buffer.add(nothing, nothing, rewards[t], episode_starts[t], value, torch.zeros(copies))
    buffer.compute_returns_and_advantage(torch.as_tensor(last_values), np.asarray(dones))
    return buffer.advantages, buffer.returns


def cleanrl_ppo(rewards, values, dones, next_value, next_done, gamma, gae_lambda):
    """The loop of CleanRL's ppo.py; dones[t] is the flag before step t."""
    num_steps = len(rewards)
    next_value = next_value.reshape(1, -1)
    advantages = torch.zeros_like(rewards)
    lastgaelam = 0
    for t in reversed(range(num_steps)):
        if t == num_steps - 1:
            nextnonterminal = 1.0 - next_done
            nextvalues = next_value
        else:
            nextnonterminal = 1.0 - dones[t + 1]
            nextvalues = values[t + 1]
        delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
        advantages[t] = lastgaelam = delta + gamma * gae_lambda * nextnonterminal * lastgaelam
    returns = advantages + values
    return advantages, returns


def cleanrl_ppo_in_numpy(rewards, values, dones, next_value, next_done, gamma=0.99, gae_lambda=0.95):
    """The same for one copy, in NumPy."""
    advantages = np.zeros_like(rewards)
    lastgaelam = 0
    for t in reversed(range(len(rewards))):
        last = t == len(rewards) - 1
        nextnonterminal = 1.0 - (next_done if last else dones[t + 1])
        nextvalues = next_value if last else values[t + 1]
        delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
        advantages[t] = lastgaelam = delta + gamma * gae_lambda * nextnonterminal * lastgaelam
    return advantages


def discount_cumsum(x, discount):
    """Spinning Up's, by a filter over reversed time."""
    return scipy.signal.lfilter([1], [1, float(-discount)], x[::-1], axis=0)[::-1]


def spinning_up_finish_path(rew_buf, val_buf, last_val, gamma, lam):
    """Spinning Up's PPOBuffer.finish_path for one episode; its returns are rewards to go."""
    rews = np.append(rew_buf, last_val)
    vals = np.append(val_buf, last_val)
    deltas = rews[:-1] + gamma * vals[1:] - vals[:-1]
    adv_buf = discount_cumsum(deltas, gamma * lam)
    ret_buf = discount_cumsum(rews, gamma)[:-1]
    return adv_buf, ret_buf


def discount_with_dones(rewards, dones, gamma):
    """OpenAI Baselines' a2c.utils.discount_with_dones."""
    discounted = []
    r = 0
    for reward, done in zip(rewards[::-1], dones[::-1]):
        r = reward + gamma * r * (1.0 - done)
        discounted.append(r)
    return discounted[::-1]


def baselines_a2c_returns(rewards, dones, last_value, gamma):
    """OpenAI Baselines' a2c.runner, for one copy: lists, and a step more where the rollout is cut off."""
    if dones[-1] == 0:
        return discount_with_dones(rewards + [last_value], dones + [0], gamma)[:-1]
    return discount_with_dones(rewards, dones, gamma)


def baselines_trpo(rew, vpred, new, nextvpred, gamma, lam):
    """OpenAI Baselines' add_vtarg_and_adv: `new` marks first steps, `nextvpred` is 0 after an end."""
    new = np.append(new, 0)
    vpred = np.append(vpred, nextvpred)
    T = len(rew)
    gaelam = np.empty(T, "float32")
    lastgaelam = 0
    for t in reversed(range(T)):
        nonterminal = 1 - new[t + 1]
        delta = rew[t] + gamma * vpred[t + 1] * nonterminal - vpred[t]
        gaelam[t] = lastgaelam = delta + gamma * lam * nonterminal * lastgaelam
    return {"adv": gaelam, "tdlamret": gaelam + vpred[:-1]}


def kostrikov(rewards, value_preds, masks, next_value, gamma, gae_lambda):
    """RolloutStorage.compute_returns: value_preds and masks have T + 1 entries, masks[t + 1] belongs to step t."""
    returns = np.zeros_like(value_preds)
    value_preds[-1] = next_value
    gae = 0
    for step in reversed(range(len(rewards))):
        delta = rewards[step] + gamma * value_preds[step + 1] * masks[step + 1] - value_preds[step]
        gae = delta + gamma * gae_lambda * masks[step + 1] * gae
        returns[step] = gae + value_preds[step]
    return returns[:-1]


def lists_of_steps(next_value, rewards, masks, values, gamma=0.99, tau=0.95):
    """The form of many single-file PPOs: lists, lambda named tau, masks of the step itself."""
    values = values + [next_value]
    gae = 0
    returns = []
    for step in reversed(range(len(rewards))):
        delta = rewards[step] + gamma * values[step + 1] * masks[step] - values[step]
        gae = delta + gamma * tau * masks[step] * gae
        returns.insert(0, gae + values[step])
    return returns


def rlax_lambda_returns(r_t, discount_t, v_t, lambda_=1.0):
    """rlax: discount_t is gamma, or 0 where the step ended the episode; v_t the next values."""
    returns = []
    g = v_t[-1]
    for t in reversed(range(len(r_t))):
        g = r_t[t] + discount_t[t] * ((1 - lambda_) * v_t[t] + lambda_ * g)
        returns.insert(0, g)
    return np.array(returns)


def rlax_gae(r_t, discount_t, lambda_, values):
    """rlax: truncated_generalized_advantage_estimation."""
    delta_t = r_t + discount_t * values[1:] - values[:-1]
    advantage_t = [0.0]
    for t in reversed(range(delta_t.shape[0])):
        advantage_t.insert(0, delta_t[t] + lambda_ * discount_t[t] * advantage_t[0])
    return np.array(advantage_t[:-1])


def torchrl_gae(gamma, lmbda, state_value, next_state_value, reward, done, terminated):
    """TorchRL's generalized_advantage_estimate, of arrays [B, T]."""
    advantage = torch.zeros_like(reward)
    prev = 0
    for t in reversed(range(reward.shape[1])):
        delta = reward[:, t] + gamma * next_state_value[:, t] * (1 - terminated[:, t]) - state_value[:, t]
        prev = advantage[:, t] = delta + gamma * lmbda * (1 - done[:, t]) * prev
    return advantage, advantage + state_value


class Targets(NamedTuple):
    returns: np.ndarray
    advantages: np.ndarray


def both_flags(rewards, values, next_values, terminations, truncations, gamma, lam):
    """Both ends apart, with bools."""
    advantages, carried = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        bootstrap = gamma * next_values[t] * ~terminations[t]
        carried = rewards[t] + bootstrap - values[t] + gamma * lam * ~(terminations[t] | truncations[t]) * carried
        advantages[t] = carried
    return Targets(advantages + values, advantages)


def one_more_flag(rewards, values, dones, gamma, lam):
    """values and dones with one more entry; dones[t + 1] belongs to step t."""
    delta = rewards + gamma * values[1:] * (1 - dones[1:]) - values[:-1]
    for t in reversed(range(len(rewards) - 1)):
        delta[t] += gamma * lam * (1 - dones[t + 1]) * delta[t + 1]
    return delta


def n_step_with_values(rewards, values, dones, gamma, n_steps):
    """n-step returns of every step, values with one more entry."""
    T = len(rewards)
    returns = np.zeros(T)
    for t in range(T):
        discount = 1.0
        for k in range(t, min(t + n_steps, T)):
            returns[t] += discount * rewards[k]
            discount *= gamma
            if dones[k]:
                break
        else:
            returns[t] += discount * values[min(t + n_steps, T)]
    return returns


def full_windows_only(rewards, next_values, dones, gamma, n):
    """n-step returns of the steps that have n after them."""
    returns = []
    for t in range(len(rewards) - n + 1):
        g = 0.0
        for k in reversed(range(t, t + n)):
            following = next_values[k] if k == t + n - 1 else g
            g = rewards[k] + gamma * (1 - dones[k]) * following
        returns.append(g)
    return returns


def reinforce_returns(rewards, gamma):
    """Rewards to go of one episode."""
    returns, g = [], 0.0
    for r in reversed(rewards):
        g = r + gamma * g
        returns.insert(0, g)
    return returns


def reinforce_returns_in_torch(rewards, gamma):
    """The same with a tensor at the end."""
    return torch.tensor(reinforce_returns(rewards, gamma))


def baseline_episode(rewards, values, dones, gamma, lam):
    """For rollouts that end with an episode: no value after the last step."""
    advantages, carried = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        next_value = values[t + 1] if t + 1 < len(rewards) else 0.0
        delta = rewards[t] + gamma * next_value * (1 - dones[t]) - values[t]
        carried = advantages[t] = delta + gamma * lam * (1 - dones[t]) * carried
    return advantages


def cleanrl_dqn(rewards, dones, target_q_values, gamma):
    """CleanRL's dqn.py: next_q of the target network, rewards and dones [B, 1]."""
    target_max, _ = target_q_values.max(dim=1)
    return rewards.flatten() + gamma * target_max * (1 - dones.flatten())


def stable_baselines3_dqn(rewards, dones, next_q_values, discounts):
    """SB3's DQN: max over actions, reshaped to [B, 1]."""
    next_q_values, _ = next_q_values.max(dim=1)
    next_q_values = next_q_values.reshape(-1, 1)
    return rewards + discounts * next_q_values


def double_dqn(reward, done, online_next_q, target_next_q, gamma):
    """Double DQN in torch."""
    action = online_next_q.argmax(1, keepdim=True)
    return reward + gamma * (1 - done) * target_next_q.gather(1, action).squeeze(1)


def sac(rewards, dones, next_q1, next_q2, next_log_pi, alpha, gamma):
    """CleanRL's sac_continuous_action.py."""
    min_qf_next_target = torch.min(next_q1, next_q2) - alpha * next_log_pi
    return rewards.flatten() + (1 - dones.flatten()) * gamma * min_qf_next_target.view(-1)


def discrete_sac(rewards, dones, next_q_values, next_probs, alpha, gamma):
    """The soft value over finite actions."""
    value = (next_probs * (next_q_values - alpha * np.log(next_probs))).sum(1)
    return rewards + gamma * (1 - dones) * value


def soft_q(r, done, next_q, temperature, gamma):
    """Soft Q-learning."""
    return r + gamma * (1 - done) * temperature * np.log(np.exp(next_q / temperature).sum(1))


def td3(r, d, q1_target, q2_target, gamma):
    """Clipped double Q-learning."""
    return r + gamma * (1 - d) * np.minimum(q1_target, q2_target)


def n_step_dqn(rewards, dones, next_q, gamma, n_steps):
    """n-step Q-learning from a replay buffer."""
    return rewards + gamma**n_steps * (1 - dones) * next_q.max(1)


def td_error(r, v, v_next, terminated, truncated, gamma):
    """A TD error; the time limit has no part in it."""
    return r + gamma * v_next * (1 - terminated) - v
