"""The exact table of a PettingZoo parallel environment, found by walking it with all players' actions at once.

`tabulate_game(env).zero_sum()` is what `solve_markov_game` takes, where two players' rewards add up to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from rl_envs.extraction.explored import tabulate_env
from rl_envs.extraction.explored_world import ExploredWorld
from rl_envs.extraction.layers import Around
from rl_envs.extraction.refusal import NotTabular
from rl_envs.games.markov_game import ZeroSumMarkovGame

# The two rewards of a game may add up to the rounding of a sum instead of 0.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class TabulatedGame:
    """A game of players who act at once, as a table.

    Args:
        players: the names of the players.
        world: the table as a world in which one agent chooses for all, and is paid what player 0 is.
        rewards: to each player, [P, S, A, K], with joint actions A in the order of `np.ndindex(*num_actions)`.
        num_actions: of each player.
    """

    players: tuple[str, ...]
    world: ExploredWorld
    rewards: np.ndarray  # [P, S, A, K]
    num_actions: tuple[int, ...]

    def zero_sum(self) -> ZeroSumMarkovGame:
        """The game of two players whose rewards add up to 0.

        Returns:
            The game, with the states of `world`.

        Raises:
            ValueError: another number of players, or rewards that do not add up to 0.
        """
        if len(self.players) != 2:
            raise ValueError(f"a zero-sum Markov game must have two players, but this one has {len(self.players)}")
        mdp = self.world.mdp
        total = np.abs(self.rewards.sum(axis=0))  # [S, A, K]
        wrong = np.argwhere((total > _ROUNDING) & (mdp.probability > 0))
        if len(wrong):
            state, joint, outcome = wrong[0].tolist()
            actions = np.unravel_index(joint, self.num_actions)
            raise ValueError(
                f"the rewards of a zero-sum game must add up to 0, but in state {state} actions "
                f"{', '.join(str(int(action)) for action in actions)} pay "
                f"{' and '.join(f'{reward:g}' for reward in self.rewards[:, state, joint, outcome])}"
            )
        shape = (mdp.num_states, *self.num_actions, mdp.probability.shape[2])
        return ZeroSumMarkovGame(
            probability=mdp.probability.reshape(shape),
            next_state=mdp.next_state.reshape(shape),
            reward=self.rewards[0].reshape(shape),
            terminated=mdp.terminated.reshape(shape),
            start=mdp.start,
            discount=mdp.discount,
        )

    @cached_property
    def state_of(self) -> dict[Any, int]:
        """The number of the state in which the players see something, by a tuple of what each of them sees.

        Raises:
            ValueError: two states look the same to all, or what is seen is no number.
        """
        found: dict[Any, int] = {}
        for state in range(self.world.mdp.num_states):
            seen = tuple(np.asarray(part).item() for part in self.world.observation.of(state))
            if seen in found:
                raise ValueError(f"states must look different to be looked up, but {found[seen]} and {state} do not")
            found[seen] = state
        return found


def tabulate_game(env: Any, *, discount: float = 0.99, **options: Any) -> TabulatedGame:
    """Walk a PettingZoo parallel environment of finitely many states, and write down its exact table.

    The environment is left as it was.

    Args:
        env: a parallel environment in which all players act in every round until all of them are done.
        discount: gamma of the table.
        **options: those of `rl_envs.tabulate_env`: state, ignore, clock, seed, max_states, check_steps and so on.

    Returns:
        The game.

    Raises:
        NotTabular: as `tabulate_env`; or players who leave before the others.
        TypeError: no parallel environment, or actions that are not numbered from 0.
    """
    if not (hasattr(env, "possible_agents") and hasattr(env, "step")) or hasattr(env, "agent_iter"):
        raise TypeError(
            f"tabulate_game() takes a parallel environment of PettingZoo, not {env!r}; aec_to_parallel of "
            "pettingzoo.utils makes one of a turn-based environment whose players act at once"
        )
    rewards: dict[tuple[float, ...], int] = {(0.0,) * len(env.possible_agents): 0}

    def number_of(paid: tuple[float, ...]) -> float:
        return float(rewards.setdefault(paid, len(rewards)))

    name = options.pop("name", None) or str(getattr(env, "metadata", {}).get("name", type(env).__name__))
    play = _JointPlay(env, number_of)
    world = tabulate_env(play, discount=discount, name=name, **options)
    vectors = np.array(list(rewards))  # [number, P]
    paid = np.moveaxis(vectors[world.mdp.reward.astype(np.int64)], -1, 0)  # [P, S, A, K]
    return TabulatedGame(
        players=tuple(env.possible_agents),
        world=replace(world, mdp=replace(world.mdp, reward=paid[0])),
        rewards=paid,
        num_actions=play.num_actions,
    )


class _JointPlay(Around):
    """A parallel environment as one of a single agent who chooses for all.

    A step pays the number of the tuple of all players' rewards: a table keeps one number for each outcome.
    """

    def __init__(self, game: Any, number_of: Callable[[tuple[float, ...]], float]) -> None:
        self.env = game
        self._players = tuple(game.possible_agents)
        self._number_of = number_of
        actions = [game.action_space(player) for player in self._players]
        for player, space in zip(self._players, actions):
            if not isinstance(space, spaces.Discrete) or space.start != 0:
                raise TypeError(f"the actions of {player} must be numbered from 0 to be counted, but are {space}")
        self.num_actions = tuple(int(space.n) for space in actions)
        self.action_space = spaces.MultiDiscrete(list(self.num_actions))
        self.observation_space = spaces.Tuple([game.observation_space(player) for player in self._players])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observations = self.env.reset() if seed is None else self.env.reset(seed=seed)
        if isinstance(observations, tuple):  # before PettingZoo 1.23 without infos
            observations = observations[0]
        return self._seen(observations), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        made = self.env.step({player: int(one) for player, one in zip(self._players, action)})
        observations, rewards, terminations, truncations, _ = made
        done = [bool(terminations[player] or truncations[player]) for player in self._players]
        if any(done) and not all(done):
            gone = self._players[done.index(True)]
            raise NotTabular(f"all players must act until all are done, but {gone} is done before the others")
        terminated = any(terminations.values())
        paid = tuple(float(rewards[player]) for player in self._players)
        return self._seen(observations), self._number_of(paid), terminated, all(done) and not terminated, {}

    def _seen(self, observations: dict[str, Any]) -> tuple[Any, ...]:
        return tuple([observations[player] for player in self._players])
