"""Train 100 runs of Q-learning together, and compare them with the exact optimum along the way.

The scores are not sampled: the greedy policy of every run is evaluated exactly at each checkpoint.
"""

from __future__ import annotations

from baselines import train
from baselines.agents.q_learning import QLearning
from baselines.comparison.measures import steps_to
from baselines.comparison.statistics import share_within

agent = QLearning("LineWalk", runs=100, seed=0)
curve = train(agent, steps=2_000, checkpoints=10)

print("steps   mean score   worst run")
for steps, scores in zip(curve.steps, curve.scores):
    print(f"{steps:5,}   {scores.mean():10.3f}   {scores.min():9.3f}")

solved = share_within(curve.scores[-1])
print(f"{solved.estimate:.0%} of the runs end within 1% of the optimum (95%: {solved.low:.0%} to {solved.high:.0%})")
print(f"the slowest run reaches 95% of it after {steps_to(curve.steps, curve.scores).max():,.0f} steps")
