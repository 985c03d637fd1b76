"""Every bug that the exam can name: what it is, the line of code it usually is, and where it shows."""

from __future__ import annotations

from dataclasses import dataclass

from rl_envs.diagnosis.real_cases import REAL_CASES


@dataclass(frozen=True)
class BugEntry:
    """One key of the report.

    Args:
        key: its name.
        sentence: what goes wrong.
        where: where in an agent to look.
        before: the line as it usually stands there.
        after: the line as it should be.
        shows: which probe world shows it, and how.
        fault: whether it is a fault; a note otherwise.
    """

    key: str
    sentence: str
    where: str
    before: str
    after: str
    shows: str
    fault: bool = True

    @property
    def cases(self) -> tuple[str, ...]:
        """Real ones, each "owner/repository #number: what it was"."""
        return REAL_CASES.get(self.key, ())


_ENTRIES = (
    BugEntry(
        "terminal_not_masked",
        "The target bootstraps through the end of an episode, as if something came after it.",
        "where the target is formed",
        "target = reward + discount * next_value",
        "target = reward + discount * next_value * (1 - terminated)",
        "Ruler: s2 is worth more than the last reward.",
    ),
    BugEntry(
        "timeout_as_terminal",
        "A time limit is taken for an end, so that nothing is expected after it.",
        "where `terminated` and `truncated` are joined",
        "done = terminated or truncated\ntarget = reward + discount * next_value * (1 - done)",
        "target = reward + discount * next_value * (1 - terminated)  # reset on either, mask on one",
        "Ratchet: both states are worth too little.",
    ),
    BugEntry(
        "reset_observation_as_next",
        "At a time limit the target bootstraps from the first observation of the next episode.",
        "where a vector environment resets within the step that ends an episode (`AutoresetMode.SAME_STEP`)",
        "next_observation, reward, terminated, truncated, info = envs.step(action)\n"
        "buffer.add(observation, action, reward, next_observation, terminated)",
        "real_next = next_observation.copy()\n"
        "for i in np.flatnonzero(terminated | truncated):\n"
        '    real_next[i] = info["final_obs"][i]\n'
        "buffer.add(observation, action, reward, real_next, terminated)",
        "Ratchet: both states are worth too little, less so than with `timeout_as_terminal`.",
    ),
    BugEntry(
        "autoreset_row_learned",
        "The row in which a vector environment resets is learned from as if it were a step.",
        "where rows go into the buffer, with `AutoresetMode.NEXT_STEP`",
        "buffer.add(observation, action, reward, next_observation, terminated)",
        "keep = ~ended  # where the step before ended an episode, this one only resets\n"
        "buffer.add(observation[keep], action[keep], reward[keep], next_observation[keep], terminated[keep])\n"
        "ended = terminated | truncated",
        "Ratchet and Ruler: what stands before an end is dragged towards the next start.",
    ),
    BugEntry(
        "return_leaks_across_episodes",
        "Returns or advantages of one episode go on into the next.",
        "where returns are summed backwards",
        "advantage = delta + discount * trace_decay * advantage",
        "advantage = delta + discount * trace_decay * (1 - done) * advantage  # done: terminated or truncated",
        "Twin episodes: the end of a poor episode is worth some of the rich one that follows.",
    ),
    BugEntry(
        "mask_one_step_early",
        "The mask of a step is taken from the step after it.",
        "where flags are indexed",
        "not_done = 1 - dones[t + 1]  # where dones[t] says that step t ended the episode",
        "not_done = 1 - dones[t]  # t + 1 is right where dones[t] says that step t begins one, as in CleanRL",
        "Ruler: s1 is worth its own reward alone, and s2 more than its own.",
    ),
    BugEntry(
        "target_never_synced",
        "The target network stays as it began.",
        "where the target network is updated",
        "if step % sync_every == sync_every:  # never true\n    target.load_state_dict(network.state_dict())",
        "if step % sync_every == 0:\n    target.load_state_dict(network.state_dict())",
        "Ruler: every state is worth its own reward alone.",
    ),
    BugEntry(
        "no_target_network",
        "The target network is the network itself under another name.",
        "where the target network is made",
        "target = network",
        "target = copy.deepcopy(network)",
        "Nowhere in what is learned in the end: see what cannot be seen.",
    ),
    BugEntry(
        "double_networks_swapped",
        "The target network chooses the action and the network that learns gives its value.",
        "where the target is formed",
        "value = network(next).gather(1, target(next).argmax(1, keepdim=True)).squeeze(1)",
        "value = target(next).gather(1, network(next).argmax(1, keepdim=True)).squeeze(1)",
        "Nowhere in what is learned in the end: see what cannot be seen.",
    ),
    BugEntry(
        "reward_one_step_late",
        "A step is stored with the reward of the step before.",
        "where a step is stored",
        "buffer.add(observation, action, last_reward, next_observation)\nlast_reward = reward",
        "buffer.add(observation, action, reward, next_observation)",
        "Ruler: s2 is worth the reward of s1.",
    ),
    BugEntry(
        "n_step_discount",
        "The value after n steps is discounted as if it came after another number of steps.",
        "where an n-step target is formed",
        "target = n_step_reward + discount * next_value",
        "target = n_step_reward + discount**n * next_value",
        "Ruler: s0 alone is wrong.",
    ),
    BugEntry(
        "n_step_rewards_undiscounted",
        "The rewards inside n steps are summed without discount.",
        "where the rewards of n steps are summed",
        "n_step_reward += reward",
        "n_step_reward += discount**k * reward",
        "Ruler: s1 is worth both its rewards in full.",
    ),
    BugEntry(
        "last_value_of_wrong_state",
        "A rollout is cut with the value of another observation than the one after it.",
        "after the loop that collects a rollout",
        "last_value = values[-1]",
        "last_value = value(next_observation)  # the one after the last step",
        "Ruler and Ratchet, where the rollout is short.",
    ),
    BugEntry(
        "stale_observation",
        "A step starts from an old observation, as after a reset whose observation is thrown away.",
        "where an episode is started",
        "env.reset()",
        "observation, _ = env.reset()",
        "Ruler: what is seen at the end is worth what the start is worth as well.",
    ),
    BugEntry(
        "observation_ignored",
        "All observations come out the same before they reach what learns.",
        "where observations are scaled or encoded",
        "inputs = observation // 255",
        "inputs = observation / 255",
        "Every world: all states are worth the same.",
    ),
    BugEntry(
        "action_shifted",
        "A step is stored with the action of another step, or with another action's number.",
        "where a step is stored",
        "buffer.add(observation, last_action, reward, next_observation)",
        "buffer.add(observation, action, reward, next_observation)",
        "Contexts: no action is thought better than another, or the wrong ones are.",
    ),
    BugEntry(
        "broadcast_mean",
        "[B, 1] against [B] makes [B, B]: every prediction is drawn to the mean of all targets.",
        "where the error is formed",
        "loss = ((q - target) ** 2).mean()  # q [B, 1], target [B]",
        "loss = ((q.squeeze(1) - target) ** 2).mean()",
        "Every world: all states are worth the mean.",
    ),
    BugEntry(
        "max_over_batch",
        "The largest value is taken over the whole batch and not over the actions of each row.",
        "where the next value is taken",
        "next_value = next_q.max()",
        "next_value = next_q.max(dim=1).values",
        "Ruler: s0 is worth half of s2 where it should be worth half of s1.",
    ),
    BugEntry(
        "gradient_vanishes_on_large_errors",
        "The error is clipped, and where it is clipped it has no gradient: large errors are never corrected.",
        "where the error is clipped",
        "loss = error.clamp(-1, 1).square().mean()",
        "loss = F.smooth_l1_loss(q, target)  # or clip the gradient, not the error",
        "Ruler: what is worth more than 1 is not learned.",
    ),
    BugEntry(
        "target_not_detached",
        "The gradient flows through the target, which moves to meet the prediction.",
        "where the target is formed",
        "target = reward + discount * (1 - terminated) * network(next).max(1).values",
        "with torch.no_grad():\n    target = reward + discount * (1 - terminated) * network(next).max(1).values",
        "Split: B and C are worth three quarters and a quarter.",
    ),
    BugEntry(
        "wrong_sign",
        "The loss has the wrong sign: what should grow shrinks.",
        "where the loss is formed",
        "loss = (log_probability * advantage).mean()",
        "loss = -(log_probability * advantage).mean()",
        "Contexts: the worst action is chosen.",
    ),
    BugEntry(
        "rewards_clipped",
        "Rewards are clipped to [-1, 1] or to their sign.",
        "in a wrapper, or where a step is stored",
        "reward = np.clip(reward, -1, 1)",
        "reward = float(reward)  # or clip on purpose: what is learned are values of clipped rewards",
        "Ruler: all values lie below 2. Loud, for policies: the small sure reward is taken.",
    ),
    BugEntry(
        "discount_ignored",
        "Nothing is discounted.",
        "where the target is formed",
        "target = reward + (1 - terminated) * next_value",
        "target = reward + discount * (1 - terminated) * next_value",
        "Ruler: every state is worth the plain sum of what follows; Ratchet runs away.",
    ),
    BugEntry(
        "discount_twice",
        "The discount is applied twice.",
        "where the target is formed",
        "next_value = discount * target_network(next)\ntarget = reward + discount * (1 - terminated) * next_value",
        "next_value = target_network(next)\ntarget = reward + discount * (1 - terminated) * next_value",
        "Ruler: s1 is worth its own reward and a quarter of the next.",
    ),
    BugEntry(
        "no_exploration",
        "Nothing is ever tried but what seems best.",
        "where an action is chosen",
        "action = q[state].argmax()",
        "action = rng.integers(A) if rng.random() < epsilon else q[state].argmax()",
        "Contexts: some action is never taken.",
    ),
    BugEntry(
        "exploration_never_ends",
        "Actions stay random to the end.",
        "in the schedule of epsilon",
        "epsilon = max(low, 1 - step // steps)",
        "epsilon = max(low, 1 - step / steps)",
        "Contexts: all actions are as frequent in the last fifth of the training.",
    ),
    BugEntry(
        "entropy_at_terminal",
        "The bonus for the policy's entropy is added after an end too, where there is no policy.",
        "where the soft target is formed",
        "target = reward + discount * ((1 - terminated) * next_value + temperature * entropy)",
        "target = reward + discount * (1 - terminated) * (next_value + temperature * entropy)",
        "Ruler, where s2 is worth more than the last reward by one bonus.",
    ),
    BugEntry(
        "unseeded",
        "The same seed gives another training.",
        "where generators are made",
        "rng = np.random.default_rng()",
        "rng = np.random.default_rng(seed)",
        "Contexts: the actions of two trainings with one seed differ.",
    ),
    BugEntry(
        "observation_aliased",
        "An observation is overwritten after it was handed out or stored.",
        "where observations are kept or scaled",
        "buffer.append(observation)\nobservation -= mean",
        "buffer.append(observation.copy())\nobservation = observation - mean",
        "In every world with array observations: the array handed out is another later.",
    ),
    BugEntry(
        "steps_after_end",
        "Steps are taken after an episode has ended, without a reset.",
        "in the loop",
        "if terminated:\n    observation, _ = env.reset()",
        "if terminated or truncated:\n    observation, _ = env.reset()",
        "In every world, counted.",
    ),
    BugEntry(
        "learns_its_exploring_policy",
        "The values are those of the policy that explores, as Sarsa's are; no fault, but not the optimum's.",
        "where the next value is taken",
        "next_value = q[next_state, next_action]",
        "next_value = q[next_state].max()  # if the optimum is wanted",
        "Detour: the start is worth what exploring earns, which is less than the best action pays.",
        fault=False,
    ),
    BugEntry(
        "not_trained_enough",
        "The budget does not suffice to tell.",
        "in the call of diagnose",
        "diagnose(train)",
        "diagnose(train, budget=20_000)",
        "Contexts: the best action is not known.",
        fault=False,
    ),
)

BUG_TABLE: dict[str, BugEntry] = {entry.key: entry for entry in _ENTRIES}


def as_markdown() -> str:
    """The table as the sections of its documentation page."""
    sections = []
    for entry in _ENTRIES:
        note = "" if entry.fault else " This is a note, not a fault."
        lines = [
            f"### {entry.key}",
            "",
            f"{entry.sentence}{note}",
            "",
            f"Where to look: {entry.where}.",
            "",
            "```python",
            "# before",
            entry.before,
            "# after",
            entry.after,
            "```",
            "",
            f"Where it shows: {entry.shows}",
        ]
        if entry.cases:
            lines += ["", "Real cases:", "", *(_link(case) for case in entry.cases)]
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def _link(case: str) -> str:
    """A case as a line of a list, with its address."""
    name, what = case.split(": ", 1)
    repository, number = name.split(" #")
    return f"- [{name}](https://github.com/{repository}/issues/{number}): {what}"
