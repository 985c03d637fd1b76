"""Every planted bug: PLANTED[(agent, key)] and CORRECT[agent] are training functions `train(env_fn, steps, seed)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.diagnosis.planted import a2c, dqn, n_step, ppo, q_learning, reinforce, shipped, soft_q_learning

Train = Callable[[Any, int, int], Any]

# Agent: (training function, its settings, the bugs that can be planted in it).
_AGENTS: dict[str, tuple[Callable[..., Any], dict[str, Any], tuple[str, ...]]] = {
    "q_learning": (q_learning.train, {}, q_learning.BUGS),
    "expected_sarsa": (q_learning.train, {"rule": "expected_sarsa"}, q_learning.BUGS),
    "double_q_learning": (q_learning.train, {"rule": "double"}, q_learning.BUGS),
    "sarsa": (n_step.train, {"n": 1}, tuple(bug for bug in n_step.BUGS if bug not in n_step.NOT_WITH_ONE_STEP)),
    "two_step_sarsa": (n_step.train, {"n": 2}, n_step.BUGS),
    "three_step_q_learning": (n_step.train, {"n": 3, "bootstrap": "max"}, n_step.BUGS),
    "soft_q_learning": (soft_q_learning.train, {}, soft_q_learning.BUGS),
    "reinforce": (reinforce.train, {}, reinforce.BUGS),
    "dqn": (dqn.train, {}, dqn.BUGS),
    "double_dqn": (dqn.train, {"double": True}, dqn.DOUBLE_BUGS),
    "two_step_dqn": (dqn.train, {"n": 2}, dqn.N_STEP_BUGS),
    "a2c": (a2c.train, {}, a2c.BUGS),
    "ppo": (ppo.train, {}, ppo.BUGS),
    **{f"shipped {name}": (shipped.train, {"agent": name}, bugs) for name, bugs in shipped.BUGS.items()},
}

CORRECT: dict[str, Train] = {agent: partial(train, **settings) for agent, (train, settings, _) in _AGENTS.items()}

_EVERY: dict[tuple[str, str], Train] = {
    (agent, bug): partial(train, **settings, bug=bug)
    for agent, (train, settings, bugs) in _AGENTS.items()
    for bug in bugs
}

# These change nothing in what is learned in the long run, so no exam of values and choices can name them: without a
# target network, or with Double Q-learning's two networks exchanged, values settle where they settle with it.
NO_TRACE: dict[tuple[str, str], Train] = {
    ("ppo", "return_leaks_across_episodes"): partial(ppo.train, bug="uncut_carry"),
    **{case: _EVERY[case] for case in (("dqn", "no_target_network"), ("double_dqn", "double_networks_swapped"))},
}

PLANTED: dict[tuple[str, str], Train] = {
    case: train for case, train in _EVERY.items() if case not in NO_TRACE or case[0] == "ppo"
}
