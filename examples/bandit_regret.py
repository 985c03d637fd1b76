"""The regret of each bandit agent, and the bounds on it: `python examples/bandit_regret.py`.

Regret is computed from the true means of the arms, so it contains no noise of the rewards.
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
    print(f"{name:28} regret {loss.estimate:5.1f} [{loss.low:5.1f}, {loss.high:5.1f}] after {curve.steps[-1]:,} pulls")

bounds = curve.bounds
print(f"{'uniform policy':28} regret {bounds.uniform[-1]:5.1f}")
if bounds.ucb1 is not None and bounds.lai_robbins is not None:
    print(f"The upper bound on UCB1's regret is {bounds.ucb1[-1]:.1f}.")
    print(f"Lai and Robbins' asymptotic lower bound for any consistent algorithm is {bounds.lai_robbins[-1]:.1f}.")
