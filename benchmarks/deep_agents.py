"""Environment steps per second of DQN and ActorCritic beside Stable-Baselines3's DQN and A2C.

Both sides learn CartPole-v1 in this process, on one thread, with the same networks, batches and updates per step, and
take turns. A number is the median of five; seconds are those of the processor, so that other work on the machine counts
for little. "30 runs" counts the steps of all runs together.

    python benchmarks/deep_agents.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from stable_baselines3 import A2C, DQN

from baselines.agents.actor_critic import ActorCritic, ActorCriticConfig
from baselines.agents.dqn import DQN as OurDQN
from baselines.agents.dqn import DQNConfig

WORLD = "CartPole-v1"
REPEATS = 5
RUNS = 30
LAYERS = [64, 64]

# Steps per second of a learner that has learned for a while already, over so many more steps of each run.
Measure = Callable[[int], float]


def library_dqn(batch_size: int, train_every: int) -> Measure:
    model = DQN(
        "MlpPolicy",
        WORLD,
        policy_kwargs={"net_arch": LAYERS},
        batch_size=batch_size,
        train_freq=train_every,
        gradient_steps=1,
        learning_starts=200,
        buffer_size=10_000,
        target_update_interval=500,
        seed=0,
        device="cpu",
    )
    return library(model)


def library_a2c() -> Measure:
    return library(A2C("MlpPolicy", WORLD, policy_kwargs={"net_arch": LAYERS}, n_steps=5, seed=0, device="cpu"))


def library(model: DQN | A2C) -> Measure:
    model.learn(500)

    def measure(steps: int) -> float:
        started = time.process_time()
        model.learn(steps, reset_num_timesteps=False)
        return steps / (time.process_time() - started)

    return measure


def ours(agent: OurDQN | ActorCritic) -> Measure:
    def measure(steps: int) -> float:
        around = agent.rollout
        started = time.process_time()
        for _ in range(steps):
            agent.update(around.step(agent.act(around.observation)))
        return agent.num_runs * steps / (time.process_time() - started)

    measure(500)

    return measure


def our_dqn(runs: int, batch_size: int, train_every: int) -> Measure:
    config = DQNConfig(
        hidden=tuple(LAYERS),
        batch_size=batch_size,
        train_every=train_every,
        learning_starts=200,
        replay_capacity=10_000,
        target_every=500,
    )
    return ours(OurDQN(WORLD, runs=runs, config=config))


def our_a2c(runs: int) -> Measure:
    config = ActorCriticConfig(hidden=tuple(LAYERS), num_envs=1, n_step=5, learning_rate=7e-4, entropy_weight=0.0)
    return ours(ActorCritic(WORLD, runs=runs, config=config))


def compare(title: str, theirs: Measure, one: Measure, many: Measure, steps: int) -> None:
    """Measure all three in turn, so that what else the machine does meets each of them alike."""
    speeds: list[list[float]] = [[], [], []]
    for _ in range(REPEATS):
        for found, measure in zip(speeds, (theirs, one, many)):
            found.append(measure(steps))
    library_speed, one_speed, many_speed = (median(found) for found in speeds)
    print(f"{title}, {WORLD}, {LAYERS[0]}x{LAYERS[1]} units")
    print(f"    Stable-Baselines3  {library_speed:10,.0f} steps/s")
    print(f"    ours, 1 run        {one_speed:10,.0f} steps/s  {one_speed / library_speed:5.1f} times")
    print(f"    ours, {RUNS} runs      {many_speed:10,.0f} steps/s  {many_speed / library_speed:5.1f} times")


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for batch_size, train_every in ((32, 4), (64, 1)):
        compare(
            f"DQN, a batch of {batch_size} every {train_every} steps",
            library_dqn(batch_size, train_every),
            our_dqn(1, batch_size, train_every),
            our_dqn(RUNS, batch_size, train_every),
            steps=1_000,
        )
    compare("A2C, 5 steps an update", library_a2c(), our_a2c(1), our_a2c(RUNS), steps=1_500)


if __name__ == "__main__":
    main()
