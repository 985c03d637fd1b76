"""What holds of every learner in games: streams, populations, saving, and PettingZoo beside the vector form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from baselines.games.agent import GameAgent
from baselines.games.independent_q import IndependentQ, IndependentQConfig
from baselines.games.loop import play
from baselines.games.minimax_q import MinimaxQ
from baselines.games.registry import GAME_AGENTS, make_game_agent, players_of
from baselines.games.regret_matching import RegretMatching
from baselines.games.rollout import JointTransition
from baselines.games.task import make_game_task
from baselines.system.atomic_files import StorageError
from rl_envs.games import NormalFormGame, named_game

# Every agent, in a game that it can play and that keeps it busy.
CASES = [
    ("IndependentQ", "climbing"),
    ("IndependentQ:exploration=softmax", "stag_hunt"),
    ("IndependentQ:reward=common", "prisoners_dilemma"),
    ("IndependentQ", "grid_soccer"),
    ("FictitiousPlay", "rock_paper_scissors"),
    ("RegretMatching", "chicken"),
    ("MinimaxQ:num_envs=1", "matching_pennies"),
    ("MinimaxQ:num_envs=3", "grid_soccer"),
]
cases = pytest.mark.parametrize(("specification", "game"), CASES, ids=[f"{a} in {g}" for a, g in CASES])


def steps_for(game: str) -> int:
    """Enough for episodes to end and streams to be refilled: blocks hold 248 numbers."""
    return 450 if game == "grid_soccer" else 150


def learned(agent: GameAgent, run: int) -> list[np.ndarray]:
    """All arrays of one run, without what belongs to the whole population."""
    state = {name: array for name, array in agent.state().items() if array.ndim and "environment" not in name}
    return [state[name][run] for name in sorted(state)]


def bytes_of(agent: GameAgent) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for _, array in sorted(agent.state().items()))


def test_every_registered_agent_is_here() -> None:
    assert {specification.split(":")[0] for specification, _ in CASES} == set(GAME_AGENTS)


@cases
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(specification: str, game: str) -> None:
    results = []
    for seed in (1, 1, 2):
        agent = make_game_agent(specification, game, runs=3, seed=seed)
        play(agent, steps=60)
        results.append(bytes_of(agent))
    assert results[0] == results[1] != results[2]


@cases
def test_a_run_learns_the_same_whatever_the_population(specification: str, game: str) -> None:
    """Run 3 among 5, among 8, and alone, bit for bit; and runs differ from each other."""
    found = []
    for runs in (range(5), range(8), range(3, 4)):
        agent = make_game_agent(specification, game, runs=runs, seed=1)
        play(agent, steps=steps_for(game))
        found.append(learned(agent, 3 - runs.start))
        if len(runs) > 1:
            assert any(not np.array_equal(a, b) for a, b in zip(learned(agent, 2), learned(agent, 3)))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other))


@cases
def test_a_saved_agent_goes_on_as_if_it_had_not_been_saved(specification: str, game: str, tmp_path: Path) -> None:
    unbroken, broken = (make_game_agent(specification, game, runs=2, seed=3) for _ in range(2))
    first, second = steps_for(game), 97
    whole = play(unbroken, steps=first + second, checkpoints=1)
    play(broken, steps=first)
    broken.save(tmp_path / "agent.safetensors")
    resumed = type(broken).load(tmp_path / "agent.safetensors")
    rest = play(resumed, steps=first + second - broken.steps)
    assert resumed.steps == unbroken.steps
    assert bytes_of(resumed) == bytes_of(unbroken)
    np.testing.assert_array_equal(rest.exploitability[-1], whole.exploitability[-1])
    assert resumed.task.name == game
    assert resumed.config == unbroken.config


@cases
def test_two_calls_are_one(specification: str, game: str) -> None:
    once, twice = (make_game_agent(specification, game, runs=2, seed=0) for _ in range(2))
    whole = play(once, steps=120)
    parts = [play(twice, steps=steps) for steps in (30, 90)]
    assert bytes_of(once) == bytes_of(twice)
    np.testing.assert_array_equal(whole.joint_play, parts[0].joint_play + parts[1].joint_play)


@cases
def test_looking_changes_nothing(specification: str, game: str) -> None:
    looked_at, left_alone = (make_game_agent(specification, game, runs=2, seed=0) for _ in range(2))
    for agent in (looked_at, left_alone):
        play(agent, steps=30)
    for strategy in looked_at.strategies():
        strategy[:] = 0.0  # what is given out belongs to whoever asked
    for _ in range(3):
        action = looked_at.act(np.zeros(2, dtype=np.int64), greedy=True)
        assert action.shape == (2, 2)
    assert looked_at.steps == left_alone.steps
    for agent in (looked_at, left_alone):
        play(agent, steps=30)
    for one, other in zip(learned(looked_at, 1), learned(left_alone, 1)):
        np.testing.assert_array_equal(one, other)


@cases
def test_pettingzoo_teaches_what_the_vector_form_teaches(specification: str, game: str) -> None:
    """The same seed, the real parallel environments, whose agents leave the dictionaries with every episode's end."""
    vector, pettingzoo = (make_game_agent(specification, game, runs=2, seed=4) for _ in range(2))
    around = pettingzoo.pettingzoo_rollout()
    steps = steps_for(game)
    first, second = play(vector, steps=steps), play(pettingzoo, steps=steps, rollout=around)
    for run in range(2):
        for one, other in zip(learned(vector, run), learned(pettingzoo, run)):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first.joint_play, second.joint_play)
    np.testing.assert_array_equal(first.late_payoff, second.late_payoff)
    around.close()


def test_transitions_of_both_forms_are_alike_in_every_part() -> None:
    agents = [IndependentQ(make_game_task("grid_soccer", max_cycles=9), runs=3, seed=5) for _ in range(2)]
    seen: list[list[JointTransition]] = [[], []]
    play(agents[0], steps=300, on_step=lambda transition, _: seen[0].append(transition))
    around = agents[1].pettingzoo_rollout()
    play(agents[1], steps=300, rollout=around, on_step=lambda transition, _: seen[1].append(transition))
    for one, other in zip(*seen):
        for part in ("observation", "action", "reward", "next_observation", "terminated", "truncated", "present"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part), err_msg=part)
    assert sum(transition.truncated.any() for transition in seen[0]) > 0
    assert sum(transition.terminated.any() for transition in seen[0]) > 0


def test_every_player_of_every_run_has_a_stream_of_its_own() -> None:
    agent = IndependentQ(NormalFormGame(np.zeros((3, 2, 2, 2))), runs=4)
    numbers = agent.uniform()
    assert numbers.shape == (4, 3)
    assert len(np.unique(numbers)) == 12
    greedy = agent.uniform(greedy=True)
    assert len(np.unique([numbers, greedy])) == 24
    copies = MinimaxQ("matching_pennies", runs=2).uniform()
    assert copies.shape == (64, 2)
    assert len(np.unique(copies)) == 128


def test_all_players_choose_before_any_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call of `act` for all players and then one of `update`: nobody can have seen what the others chose."""
    calls = []
    for name in ("act", "update"):
        own = getattr(RegretMatching, name)
        monkeypatch.setattr(
            RegretMatching,
            name,
            lambda self, given, name=name, own=own: (calls.append(name), own(self, given))[1],
        )
    play(RegretMatching("chicken", runs=2), steps=5)
    assert calls == ["act", "update"] * 5


def test_the_global_generators_are_left_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 - it is looked at, not used
    play(IndependentQ("climbing", runs=2), steps=20)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("game", "names"),
    [
        ("climbing", ("IndependentQ", "FictitiousPlay", "RegretMatching")),
        ("matching_pennies", tuple(GAME_AGENTS)),
        ("grid_soccer", ("IndependentQ", "MinimaxQ")),
    ],
)
def test_a_game_knows_who_can_play_it(game: str, names: tuple[str, ...]) -> None:
    assert players_of(make_game_task(game)) == names


@pytest.mark.parametrize("name", GAME_AGENTS)
def test_an_entry_names_a_class_of_that_name(name: str) -> None:
    cls = GAME_AGENTS.load(name)
    assert issubclass(cls, GameAgent)
    assert cls.__name__ == name
    assert "Differences from the paper" in str(cls.__doc__)


@pytest.mark.parametrize(
    ("specification", "game", "error", "message"),
    [
        ("IndependntQ", "climbing", ValueError, "unknown game agent 'IndependntQ'"),
        ("IndependentQ:epsilo=1", "climbing", ValueError, "unknown setting of IndependentQ 'epsilo'"),
        ("IndependentQ:epsilon=high", "climbing", TypeError, "IndependentQ's epsilon must be a number, but is 'high'"),
        ("RegretMatching:epsilon=1", "climbing", ValueError, "unknown setting of RegretMatching 'epsilon'"),
        ("IndependentQ", "climbin", ValueError, "unknown game 'climbin'"),
        ("MinimaxQ", "climbing", TypeError, "MinimaxQ plays two-player zero-sum games, but climbing is none"),
    ],
)
def test_what_is_wrong_with_a_specification_is_said(
    specification: str, game: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_game_agent(specification, game)


def test_populations_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="runs must be at least 1, but is 0"):
        IndependentQ("climbing", runs=0)
    with pytest.raises(ValueError, match="runs must be consecutive numbers"):
        IndependentQ("climbing", runs=range(0, 6, 2))
    with pytest.raises(ValueError, match="seed must be at least 0, but is -1"):
        IndependentQ("climbing", seed=-1)
    with pytest.raises(
        TypeError, match=r"the config of MinimaxQ must be a MinimaxQ\.Config, but is IndependentQConfig"
    ):
        MinimaxQ("grid_soccer", config=IndependentQConfig())


def saved(folder: Path) -> Path:
    agent = IndependentQ("penalty", runs=2)
    play(agent, steps=10)
    agent.save(folder / "agent.safetensors")
    return folder / "agent.safetensors"


def test_a_file_of_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    with pytest.raises(StorageError, match="holds an agent of class IndependentQ, not MinimaxQ"):
        MinimaxQ.load(path)
    with pytest.raises(StorageError, match="was trained on another table than that of penalty:k=-10"):
        IndependentQ.load(path, task=make_game_task("penalty", k=-10))
    with pytest.raises(StorageError, match="cannot read"):
        IndependentQ.load(tmp_path / "nothing")
    short = tmp_path / "short"
    short.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(StorageError, match="is cut short or is no safetensors file"):
        IndependentQ.load(short)
    monkeypatch.setattr(IndependentQ, "version", 2)
    with pytest.raises(StorageError, match="holds version 1 of IndependentQ, but this is version 2"):
        IndependentQ.load(path)


def test_a_table_of_the_users_own_is_needed_to_load_again(tmp_path: Path) -> None:
    game = NormalFormGame([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]], name="mine")
    agent = IndependentQ(game, runs=2)
    play(agent, steps=10)
    agent.save(tmp_path / "agent")
    with pytest.raises(StorageError, match="was trained on mine, which is not registered: pass it as task="):
        IndependentQ.load(tmp_path / "agent")
    again = IndependentQ.load(tmp_path / "agent", task=game)
    assert bytes_of(again) == bytes_of(agent)


def test_a_saved_agent_is_not_loaded_into_a_game_in_which_it_would_go_on_differently(tmp_path: Path) -> None:
    payoffs = np.eye(2)[None].repeat(2, axis=0)
    IndependentQ(make_game_task(NormalFormGame(payoffs, name="mine"), max_cycles=7)).save(tmp_path / "agent")
    for task, name in (
        (make_game_task(NormalFormGame(payoffs, name="mine")), "mine"),
        (make_game_task(NormalFormGame(payoffs, name="yours"), max_cycles=7), "yours:max_cycles=7"),
    ):
        with pytest.raises(StorageError, match=f"was trained on mine:max_cycles=7, not on {name}"):
            IndependentQ.load(tmp_path / "agent", task=task)


def test_parameters_of_a_named_game_are_saved_with_it(tmp_path: Path) -> None:
    agent = IndependentQ(make_game_task("penalty", k=-7, max_cycles=4))
    play(agent, steps=6)
    agent.save(tmp_path / "agent")
    again = IndependentQ.load(tmp_path / "agent")
    assert again.task.payoffs == named_game("penalty", k=-7)
    assert again.task.max_cycles == 4
    assert load_file(tmp_path / "agent")["environment.cycle"] == 2
