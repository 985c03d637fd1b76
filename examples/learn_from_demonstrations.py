"""Inverse RL: infer a reward from demonstrations, `python examples/learn_from_demonstrations.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import baselines
import rl_envs


def main() -> None:
    # Record a few episodes of the optimal policy in SubtaskGrid. The file contains no rewards.
    truth = rl_envs.truth("rl_envs/SubtaskGrid-v0")
    shown = baselines.demonstrations("SubtaskGrid", truth.optimal_policy, 5, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shown.npz"
        shown.save(file)
        shown = baselines.Demonstrations.load(file)
    print(f"{shown.num_episodes} demonstrations of {len(shown.state) // shown.num_episodes} steps each")

    # The reward that explains them best, one weight per next state, and the optimal policy for it.
    agent = baselines.make_agent("MaxEntIRL:preset=state", "SubtaskGrid")
    agent.watch(shown)
    print(f"recovered policy: score {agent.exact_score()[0]:.4f} under the true reward, which the agent never saw")
    print(f"largest difference of feature counts from the demonstrations: {agent.feature_gap()[0]:.1e}")

    # A stochastic world needs more demonstrations. In training, the optimal policy demonstrates in every run.
    slippery = baselines.make_task("LineWalk", slip=0.1)
    agent = baselines.make_agent("MaxEntIRL", slippery, runs=10)
    curve = baselines.train(agent, steps=400, checkpoints=4)
    for steps, scores in zip(curve.steps[1:], curve.scores[1:]):
        print(f"after {steps} demonstrated steps: mean score {scores.mean():.4f}, worst {scores.min():.4f}")


if __name__ == "__main__":
    main()
