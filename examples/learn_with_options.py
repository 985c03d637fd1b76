"""Learn SubtaskGrid with and without its subtasks as options: `python examples/learn_with_options.py`.

Each run is scored exactly at every checkpoint; the differences have bootstrap intervals.
"""

from __future__ import annotations

from baselines import train
from baselines.comparison.measures import steps_to
from baselines.comparison.statistics import difference_interval
from baselines.registry import make_agent

RUNS = 20
LEARNERS = {"HierarchicalQ": 1_500, "HierarchicalQ:option_policies=learned": 6_000, "QLearning": 12_000}  # steps

counts = {}
for agent_name, steps in LEARNERS.items():
    agent = make_agent(agent_name, "SubtaskGrid", runs=RUNS, seed=0)
    curve = train(agent, steps=steps, checkpoints=steps // 250)
    counts[agent_name] = steps_to(curve.steps, curve.scores)
    print(f"{agent_name:38} {counts[agent_name].mean():6,.0f} steps to 95% of the optimum, mean of {RUNS} runs")

for agent_name in list(counts)[:-1]:
    sooner = difference_interval(counts["QLearning"], counts[agent_name])
    print(f"{agent_name} is {sooner.estimate:,.0f} steps faster (95%: {sooner.low:,.0f} to {sooner.high:,.0f})")
