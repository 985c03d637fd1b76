"""What it costs not to know the best arm, agent by agent, and the bounds on it: `python examples/bandit_regret.py`.

Regret is counted from the true means of the arms, so no noise of the rewards is in it.
"""

from __future__ import annotations

from baselines import make_agent
from baselines.comparison.statistics import mean_interval
from baselines.training.regret import regret_curve

AGENTS = ("EpsilonGreedy", "Softmax", "GradientBandit", "UCB1", "Thompson", "Thompson:preset=Bernoulli")
RUNS = 200

for name in AGENTS:
    curve = regret_curve(make_agent(name, "BernoulliBandit", runs=RUNS))
    loss = mean_interval(curve.regret[-1])
    print(f"{name:28} loses {loss.estimate:5.1f} [{loss.low:5.1f}, {loss.high:5.1f}] in {curve.steps[-1]:,} pulls")

bounds = curve.bounds
print(f"{'uniform play':28} loses {bounds.uniform[-1]:5.1f}")
if bounds.ucb1 is not None and bounds.lai_robbins is not None:
    print(f"UCB1 is proved to lose at most {bounds.ucb1[-1]:.1f}.")
    print(f"Lai and Robbins' bound is {bounds.lai_robbins[-1]:.1f}: in the long run, nobody who learns loses less.")
