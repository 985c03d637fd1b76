"""Where the bugs have been found: in public repositories, by the number of the issue or pull request."""

from __future__ import annotations

# Key: cases, each "owner/repository #number: what it was".
REAL_CASES: dict[str, tuple[str, ...]] = {
    "terminal_not_masked": (
        "ray-project/ray #2929: n-step targets of DQN lost an end inside their window",
        "RLinf/RLinf #661: PPO bootstrapped at normal ends, and the loss of its critic kept rising",
        "cyoon1729/deep-Q-networks #5: the loss of a DQN with prioritised replay had no mask",
    ),
    "timeout_as_terminal": (
        "DLR-RM/stable-baselines3 #633: A2C and PPO did not bootstrap where a time limit cut an episode off",
        "keras-rl/keras-rl #298: `nb_max_episode_steps` was stored as terminal, so Q settled near 6 for 100",
        "vwxyzjn/cleanrl #198: PPO joins both flags; its results fell short of those with bootstrapping",
        "Toni-SM/skrl #449: with `time_limit_bootstrap` a truncated step is masked as if it were terminal",
    ),
    "reset_observation_as_next": (
        "DLR-RM/stable-baselines3 #245: off-policy agents stored the wrong terminal observation",
        "DLR-RM/stable-baselines3 #934: `optimize_memory_usage` put the next episode's first observation there",
        "vwxyzjn/cleanrl #460: the same replay buffer loses what the script had put right",
        "pytorch/rl #3771: a path of GAE read the value of the next episode's first observation",
    ),
    "autoreset_row_learned": (
        "vwxyzjn/cleanrl #475: PPO learns from the row in which EnvPool resets, as if it were a step",
    ),
    "return_leaks_across_episodes": (
        "pytorch/rl #2333: at the end of a batch the collector overwrote the flags of all earlier ends",
        "vwxyzjn/cleanrl #494: the lambda returns of PQN masked the next value, but not the next return",
        "Toni-SM/skrl #449: without `time_limit_bootstrap` advantages run on over truncated steps",
    ),
    "mask_one_step_early": (
        "DLR-RM/stable-baselines3 #110: rollouts stored each step's own flag where returns expect the one before",
        "ray-project/ray #57683: PPO counts no value of a state whose next action ends the episode",
    ),
    "target_never_synced": (
        "vwxyzjn/cleanrl #323: it stood inside the training branch: an interval of 501 became 5,010 steps",
        "AgileRL/AgileRL #462: the soft update of DQN did not reach the target network",
    ),
    "no_target_network": (
        "DLR-RM/stable-baselines3 #132: both networks of DQN had one feature extractor",
        "keras-team/keras-io #98: the model and its target shared all weights",
        "tensorforce/tensorforce #81: the target's variables were those in training",
    ),
    "double_networks_swapped": (
        "AgileRL/AgileRL #290: `q_idx` came from the target network, and its value from the one that learns",
    ),
    "reward_one_step_late": (
        "openai/spinningup #50: VPG, TRPO and PPO stored each observation with the reward before it",
        "cpnota/autonomous-learning-library #95: A2C and PPO had all rewards shifted by one step",
    ),
    "n_step_discount": (
        "younggyoseo/FastTD3 #6: n-step targets were discounted by gamma and not by its nth power",
        "qfettes/DeepRL-Tutorials #1: the same in Rainbow with quantiles",
    ),
    "last_value_of_wrong_state": (
        "DLR-RM/stable-baselines3 #183: GAE took the value of the observation before the last one",
        "DLR-RM/stable-baselines3 #185: the fix, where the error is called off by one for the last value",
        "tensorflow/agents #953: the last value was cut off before it was read as the last",
    ),
    "stale_observation": ("openai/baselines #357: A2C began with zeros and not with what the first reset gave",),
    "action_shifted": (
        "Curt-Park/rainbow-is-all-you-need #9: an n-step transition was stored with the action of another step",
    ),
    "broadcast_mean": (
        "RLinf/RLinf #1568: a critic's [B] against returns [B, 1]",
        "google-deepmind/acme #277: weights and log probabilities of CRR made [B, B]",
    ),
    "max_over_batch": (
        "p-christ/Deep-Reinforcement-Learning-Algorithms-with-PyTorch #60: the argmax ran over the batch, harmlessly",
    ),
    "gradient_vanishes_on_large_errors": (
        "devsisters/DQN-tensorflow #16: the error was clipped, and beyond the clip had no gradient",
    ),
    "target_not_detached": (
        "Farama-Foundation/Gymnasium #1494: the critic's loss of a tutorial flows through its own targets",
        "datawhalechina/easy-rl #117: the target of Double DQN was not detached",
    ),
    "no_exploration": (
        "ray-project/ray #6971: epsilon fell below 0 after its schedule, and nothing more was explored",
    ),
    "entropy_at_terminal": ("DLR-RM/stable-baselines3 #76: the entropy term of SAC's target was not masked",),
    "unseeded": ("ikostrikov/jaxrl #13: random actions came from a space that no seed reached",),
    "observation_aliased": (
        "DLR-RM/stable-baselines3 #1435: stacked dictionaries were updated in place, while the buffer held them",
        "Farama-Foundation/SuperSuit #116: wrappers handed out their own buffer, one step ahead of the action",
        "ray-project/ray #18358: observations shared memory with the next ones, and were overwritten",
    ),
}
