"""TD(0) and Monte Carlo prediction, and the fixed point of each: `python examples/predict_values.py`."""

from __future__ import annotations

import baselines
from baselines.training.exact_prediction import least_squares_weights, td_fixed_point, value_error


def main() -> None:
    # A walk of 100 states, aggregated into ten groups of ten. The agents predict the values of the uniform policy.
    task = baselines.make_task("RandomWalk", num_states=100, max_jump=10)
    agents = {
        "TD(0)": baselines.make_agent("TDValue", task, runs=20),
        "Monte Carlo": baselines.make_agent("MonteCarloValue", task, runs=20),
    }
    td = agents["TD(0)"]
    features = td.function.features
    ends = {
        "TD(0)": td_fixed_point(task.truth.mdp, td.policy()[0], features, td.weight),
        "Monte Carlo": least_squares_weights(features, td.v, td.weight),
    }
    for name, agent in agents.items():
        end = float(value_error(features @ ends[name], agent.v, agent.weight))
        print(f"{name}: value error {agent.value_error().mean():.3f} at first", end="")
        for _ in range(3):
            baselines.train(agent, steps=1_000, checkpoints=1)
            print(f", {agent.value_error().mean():.3f}", end="")
        print(f" after 1,000 steps each; {end:.3f} at the fixed point")


if __name__ == "__main__":
    main()
