"""Tuning: what trials try, what becomes of them, and that a kill at any moment costs no more than one of them."""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="tuning needs the extra tune")

from baselines.__main__ import main
from baselines.agents.q_learning import QLearning
from baselines.commands import tune as program
from baselines.comparison.comparison import Comparison
from baselines.comparison.comparison_file import read_comparison_file
from baselines.comparison.statistics import difference_interval
from baselines.registry import AGENTS
from baselines.system.atomic_files import StorageError
from baselines.system.workers import JobError, WorkerError
from baselines.training.registration import AgentSpecification
from baselines.tuning import tune as tuning_module
from baselines.tuning.study import study_name
from baselines.tuning.trial_workers import run_trials
from baselines.tuning.trials import Curve, Outcome, Tuning, run_trial, train_on_worlds
from baselines.tuning.tune import tune
from baselines.tuning.tuning_file import as_toml, repeat_command
from rl_envs.specification import Specification

REPOSITORY = Path(__file__).parents[3]

# Bad where chance is everywhere: every target is taken over whole, and hardly anything is explored.
BAD = "QLearning:epsilon=0.01,final_epsilon=0.0,step_size=1.0,step_size_half_life=inf"
SMALL = Tuning(("RandomMDP",), BAD, runs=4, steps=400, checkpoints=4, metric="area", search=("step_size", "epsilon"))


# The sampler learns from what was tried once there are ten.
ENOUGH = 13


class Record:
    """Remembers what it is told of trials."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, str, Outcome | None]] = []

    def __call__(self, what: str, number: int, specification: str, outcome: Outcome | None) -> None:
        self.told.append((what, number, specification, outcome))

    def finished(self) -> list[tuple[str, Outcome | None]]:
        return [(specification, outcome) for what, _, specification, outcome in self.told if what != "started"]


def tuned(folder: Path, tuning: Tuning = SMALL, **options: Any) -> tuple[Any, Record]:
    record = Record()
    options = {"trials": 8, "held_out_runs": 4, **options}
    return tune(tuning, folder, on_trial=record, **options), record


def stored(result: Any, folder: Path) -> tuple[Counter[str], str]:
    """How many trials Optuna finds in each state, and in which direction it searches."""
    import optuna

    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'tuning.db'}")
    study = optuna.load_study(study_name=result.study, storage=storage)
    states, direction = Counter(trial.state.name for trial in study.trials), study.direction.name
    storage.remove_session()
    storage.engine.dispose()
    return states, direction


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Record, Path]:
    folder = tmp_path_factory.mktemp("unbroken")
    return *tuned(folder, trials=ENOUGH), folder


def test_the_first_trial_is_what_the_agent_has_now_and_a_better_one_is_found(
    unbroken: tuple[Any, Record, Path],
) -> None:
    result, record, _ = unbroken
    assert Specification.parse(record.finished()[0][0]) == Specification.parse(BAD)
    assert (result.finished, result.reused, result.interrupted) == (ENOUGH, 0, 0)
    assert result.complete + sum(result.shortfalls.values()) == ENOUGH
    assert result.default.trial == 0
    assert result.found_better
    assert result.best.outcome.value == max(outcome.value or -9 for _, outcome in record.finished())
    for specification, _ in record.finished()[1:]:
        settings = Specification.parse(specification).settings
        assert 0.001 <= settings["step_size"] <= 1
        assert settings["final_epsilon"] == 0.0  # held


def test_a_trial_is_a_training_of_its_own_with_these_settings(unbroken: tuple[Any, Record, Path]) -> None:
    _, record, _ = unbroken
    complete = [(settings, outcome) for settings, outcome in record.finished() if outcome and outcome.value is not None]
    assert len(complete) >= 3
    for specification, outcome in complete[:3]:
        assert run_trial(SMALL, AGENTS.read(specification), lambda *_: False) == outcome


def test_the_report_says_what_was_found_and_how_to_repeat_it(unbroken: tuple[Any, Record, Path]) -> None:
    result, _, folder = unbroken
    about = json.loads((folder / "tuning.json").read_text(), parse_constant=lambda _: pytest.fail("no strict JSON"))
    assert about["best"]["specification"] == result.best.agent.label
    assert about["trials"]["finished"] == ENOUGH
    assert about["versions"].keys() >= {"optuna", "numpy", "rl_envs"}
    fresh = [np.array(about[name]["held_out"]["RandomMDP"]) for name in ("best", "default")]
    assert about["difference"]["RandomMDP"] == difference_interval(*fresh)._asdict()
    assert about["repeat"] == repeat_command(SMALL, folder, ENOUGH, 4)


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(
    unbroken: tuple[Any, Record, Path], tmp_path: Path
) -> None:
    _, again = tuned(tmp_path, trials=4)
    assert again.finished() == unbroken[1].finished()[:4]
    _, other = tuned(tmp_path, replace(SMALL, seed=1), trials=4)
    assert other.finished()[1:] != again.finished()[1:]


def test_the_same_call_again_goes_on_to_the_number_asked_for(
    unbroken: tuple[Any, Record, Path], tmp_path: Path
) -> None:
    tuned(tmp_path, trials=3)
    result, record = tuned(tmp_path, trials=ENOUGH)
    assert [what for what, *_ in record.told].count("reused") == 3
    assert (result.finished, result.reused) == (ENOUGH, 3)
    assert record.finished() == unbroken[1].finished()
    assert result.best.agent == unbroken[0].best.agent
    enough, record = tuned(tmp_path, trials=2)  # fewer than there are: nothing is trained and nothing lost
    assert {what for what, *_ in record.told} == {"reused"}
    assert enough.finished == ENOUGH


KILLED = """
import os, signal, sys
from pathlib import Path
from baselines.tuning.trials import Tuning
from baselines.tuning.tune import tune

def kill_in_the_middle(what, number, specification, outcome):
    if (what, number) == ("started", int(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGKILL)

tune(TUNING, Path(sys.argv[1]), trials=13, held_out_runs=4, on_trial=kill_in_the_middle)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_again_and_again_it_ends_with_the_trials_of_an_unbroken_one(
    unbroken: tuple[Any, Record, Path], tmp_path: Path
) -> None:
    script = KILLED.replace("TUNING", repr(SMALL))
    killed_in = (0, 13)  # in the trial of the default, and in the last
    for number in killed_in:
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path), str(number)], cwd=REPOSITORY, timeout=120)
        assert done.returncode == -signal.SIGKILL
    result, record = tuned(tmp_path, trials=ENOUGH)
    assert record.finished() == unbroken[1].finished()
    assert (result.finished, result.interrupted) == (ENOUGH, len(killed_in))
    states, _ = stored(result, tmp_path)
    assert states["FAIL"] == len(killed_in)
    assert states["COMPLETE"] + states["PRUNED"] == ENOUGH
    assert result.best.agent == unbroken[0].best.agent


def test_of_several_trials_that_run_at_once_those_that_are_interrupted_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def interrupted(tuning: Tuning, asker: Any, num_workers: int) -> None:
        asked.extend(asker.ask() for _ in range(4))
        asker.tell(3, Outcome(0.5))
        asker.tell(0, Outcome(0.4))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning_module, "run_trials", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tuned(tmp_path)
    _, record = tuned(tmp_path)
    tried = [specification for specification, _ in record.finished()]
    assert len(set(tried)) == len(tried) == 8
    assert {agent.label for _, agent in asked} <= set(tried)


def test_a_kill_before_the_first_trial_began_does_not_make_it_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "ask", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tuned(tmp_path, trials=2)
    _, record = tuned(tmp_path, trials=2)
    first, second = (specification for specification, _ in record.finished())
    assert first != second


def test_two_at_once_in_one_folder_are_refused_and_the_holder_is_named(tmp_path: Path) -> None:
    answers = []

    def try_the_same(what: str, number: int, *_: Any) -> None:
        if (what, number) == ("started", 0):
            command = [sys.executable, "-m", "baselines", "tune", "--worlds", "LineWalk", "--agent", "Sarsa"]
            answers.append(
                subprocess.run([*command, "--out", str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True)
            )

    tune(SMALL, tmp_path, trials=1, held_out_runs=2, on_trial=try_the_same)
    (answer,) = answers
    assert answer.returncode == 2
    assert f"in use by process {os.getpid()}" in answer.stderr
    assert f"(tuning {BAD} on RandomMDP)" in answer.stderr
    assert answer.stderr.count("\n") == 1  # and no advice to say the same command again


def test_several_processes_do_as_many_trials_as_asked_and_one_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    import multiprocessing

    def kill_a_worker(what: str, number: int, *_: Any) -> None:
        if (what, number) == ("started", 3):
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    with pytest.raises(WorkerError, match=r"the process running trial \d+ \(QLearning:.*\) died with exit code -9"):
        tune(SMALL, tmp_path, trials=8, held_out_runs=4, workers=2, on_trial=kill_a_worker)
    assert not multiprocessing.active_children()
    result, record = tuned(tmp_path, workers=2)
    assert not multiprocessing.active_children()
    assert result.finished == 8
    assert result.interrupted >= 1
    assert len({specification for specification, _ in record.finished()}) == 8  # none was suggested twice
    for specification, outcome in record.finished():
        if outcome is not None and outcome.value is not None:
            assert run_trial(SMALL, AGENTS.read(specification), lambda *_: False) == outcome


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no process groups")
@pytest.mark.parametrize(("to_all", "number", "code"), [(True, signal.SIGINT, 130), (False, 9, -9)])
def test_ctrl_c_and_a_kill_leave_no_process_behind(to_all: bool, number: int, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "baselines", *PLAN, "--trials", "999", "--workers", "2", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("[1/999] trial ")
    (os.killpg if to_all else os.kill)(process.pid, number)  # a terminal sends Ctrl-C to the whole group
    _, said = process.communicate(timeout=120)  # the pipes end with the last process that holds them
    assert process.returncode == code
    if to_all:
        assert said == f"Stopped.\nFinished trials are kept in {tmp_path}; run the same command to resume.\n"
    result, _ = tuned(tmp_path, trials=4)
    assert result.reused >= 1
    assert result.interrupted >= 1


def test_what_does_worse_than_half_of_the_others_is_given_up(tmp_path: Path) -> None:
    bad_or_good = ("step_size=0.01|1.0", "epsilon=0.01|0.5")
    tuning = replace(SMALL, search=bad_or_good)
    _, pruned = tuned(tmp_path, tuning, trials=9)
    reasons = [outcome.reason for _, outcome in pruned.finished() if outcome and outcome.value is None]
    assert reasons
    assert all(reason.startswith("pruned at step ") and "at step 400 " not in reason for reason in reasons)
    everything = replace(tuning, prune=False)
    result, _ = tuned(tmp_path, everything, trials=9)
    assert result.complete == 9


@pytest.mark.parametrize(
    ("world", "agent", "reason"),
    [
        ("LineWalk", "DQN:learning_rate=1e30,learning_starts=10", "diverged: a run's value is not finite at step 300"),
        ("RandomWalk", "TDValue:step_size=1000", "diverged: a run's value is not finite at step"),
        ("LineWalk", "QLearning:epsilon=7", r"refused: QLearning:epsilon=7: epsilon must be in \[0, 1\], but is 7"),
    ],
)
def test_settings_that_diverge_or_are_refused_end_their_trial_with_the_reason(
    world: str, agent: str, reason: str
) -> None:
    given = Specification.parse(agent)
    tuning = Tuning((world,), given.name, runs=2, steps=600, checkpoints=2)
    outcome = run_trial(tuning, tuning.named_agent.with_settings(given.settings), lambda *_: False)
    assert outcome.value is None
    with pytest.raises(ValueError, match=reason):
        raise ValueError(outcome.reason)


def test_a_default_that_diverges_is_no_obstacle_but_a_search_without_any_result_is_an_error(tmp_path: Path) -> None:
    from rich.console import Console

    tuning = Tuning(("RandomWalk",), "TDValue:step_size=1000", 2, 600, 2, search=("step_size=0.1|1000.0",))
    result, _ = tuned(tmp_path, tuning, trials=3)
    assert result.shortfalls["diverged"] >= 1
    assert result.best.agent.values["step_size"] == 0.1
    assert result.differences == {}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(program.contenders_table(result))
    assert "diverged: a run's value is not finite at step" in console.export_text()
    with pytest.raises(ValueError, match=r"no trial of TDValue.* completed; most often: diverged: a run's value"):
        tuned(tmp_path / "alone", tuning, trials=1)


def fail_when_exploring(monkeypatch: pytest.MonkeyPatch, at_least: float) -> None:
    update = QLearning.update

    def faulty(self: QLearning, transition: Any) -> Any:
        if self.config.epsilon >= at_least:
            raise ZeroDivisionError("a fault in the agent")
        return update(self, transition)

    monkeypatch.setattr(QLearning, "update", faulty)


def test_a_training_that_fails_is_noted_and_the_search_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_when_exploring(monkeypatch, 0.5)
    result, record = tuned(tmp_path)
    failed = [specification for specification, outcome in record.finished() if outcome and "failed" in outcome.reason]
    assert result.shortfalls["failed"] == len(failed) > 0
    assert all(AGENTS.read(specification).config.epsilon >= 0.5 for specification in failed)
    assert "failed: ZeroDivisionError: a fault in the agent" in {o.reason for _, o in record.finished() if o}
    assert result.finished == 8


def test_a_training_that_fails_with_the_settings_it_has_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_when_exploring(monkeypatch, 0.0)
    with pytest.raises(JobError, match=r"trial 0 \(QLearning:(.|\n)*ZeroDivisionError: a fault in the agent"):
        tuned(tmp_path)


class FullDisk:
    """Asks for one trial, and cannot write down what comes of it."""

    def ask(self) -> tuple[int, AgentSpecification] | None:
        return 0, AGENTS.read("QLearning")

    def should_prune(self, number: int, checkpoint: int, value: float) -> bool:
        raise OSError("no space left")

    def tell(self, number: int, outcome: Outcome | JobError) -> None:
        raise AssertionError("the trial is not to blame")


def test_a_database_that_fails_in_the_middle_of_a_trial_is_not_blamed_on_the_trial() -> None:
    with pytest.raises(OSError, match="no space left"):
        run_trials(SMALL, FullDisk(), 1)


def test_no_run_of_the_search_is_used_to_judge_it_nor_by_a_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: dict[str, set[int]] = {}
    make = AgentSpecification.make

    def remember(agent: AgentSpecification, *given: Any, **options: Any) -> Any:
        if "seed" in options:
            seeds.setdefault(agent.label, set()).add(options["seed"])
        return make(agent, *given, **options)

    monkeypatch.setattr(AgentSpecification, "make", remember)
    result, record = tuned(tmp_path)
    for_search = SMALL.derived_seed("trials")
    fresh = [*(seeds[one.agent.label] - {for_search} for one in (result.best, result.default))]
    assert all(for_search in seeds[specification] for specification, _ in record.finished())
    assert [len(own) for own in fresh] == [1, 1]
    assert fresh[0] != fresh[1]  # so that the two are independent, as the interval of their difference takes them
    assert min(set.union(*seeds.values())) > 2**32  # a comparison has the seed that is typed
    assert for_search != replace(SMALL, seed=1).derived_seed("trials")


def test_worlds_count_alike_and_are_compared_together_too(tmp_path: Path) -> None:
    tuning = replace(SMALL, worlds=("RandomMDP", "RandomMDP:model_seed=1"))
    result, record = tuned(tmp_path, tuning, trials=4)
    specification, outcome = record.finished()[0]
    alone = [
        run_trial(replace(SMALL, worlds=(world,)), AGENTS.read(specification), lambda *_: False).value
        for world in tuning.worlds
    ]
    assert outcome is not None
    assert outcome.value == pytest.approx(np.mean(alone))
    looks: list[tuple[int, float]] = []
    run_trial(tuning, AGENTS.read(specification), lambda *look: bool(looks.append(look)))
    assert [checkpoint for checkpoint, _ in looks] == [1, 2, 3, 4, 5, 6, 7]  # at the end of the last world it is over
    assert looks[3][1] == pytest.approx(alone[0] / 2)  # what is still to come counts 0
    assert list(result.differences) == ["RandomMDP", "RandomMDP:model_seed=1", "all worlds"]
    together = result.differences["all worlds"].estimate
    assert together == pytest.approx(np.mean([result.differences[world].estimate for world in tuning.worlds]))


def test_regret_is_made_small(tmp_path: Path) -> None:
    tuning = Tuning(("Bandit",), "EpsilonGreedy:epsilon=1.0", 4, 200, 4, metric="regret", search=("epsilon=0.0..1.0",))
    result, record = tuned(tmp_path, tuning, trials=6)
    values = [outcome.value for _, outcome in record.finished() if outcome and outcome.value is not None]
    assert result.best.outcome.value == min(values)
    assert result.differences["Bandit"].high < 0
    said = program.verdict("Bandit", result.differences["Bandit"], result)
    assert said.startswith("Bandit: the best is better than the default, difference in regret -")
    assert stored(result, tmp_path)[1] == "MINIMIZE"  # for the sampler and the pruner
    looks: list[float] = []
    run_trial(tuning, tuning.named_agent, lambda _, value: bool(looks.append(value)))
    curve = train_on_worlds(tuning, tuning.named_agent, tuning.derived_seed("trials"), tuning.runs)["Bandit"]
    np.testing.assert_allclose(looks, curve.values[1:-1].mean(axis=1) / curve.steps[1:-1])  # regret by the step


def test_of_equals_the_default_is_the_best(tmp_path: Path) -> None:
    # Whatever is tried: after one step nobody has learned anything.
    result, _ = tuned(tmp_path, Tuning(("LineWalk",), "QLearning", 2, 1, 1), trials=4)
    assert not result.found_better
    assert result.best is result.default
    assert result.differences == {}
    assert program.explanation(result)[-1] == "No trial was better than the default, QLearning."


def test_what_a_curve_is_worth_by_each_metric() -> None:
    curve = Curve(np.array([0, 10, 20]), np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.5]]))
    assert curve.value("score") == 0.75
    assert curve.value("worst_decile") == 0.5
    assert curve.value("area") == pytest.approx(
        (0.75 + 0.125) / 2
    )  # trapezes: (0.25 + 0.5), (0 + 0.125) of the two runs
    assert Curve(curve.steps, np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 1.0]])).value("regret") == 2.5


def test_a_library_s_agent_is_tuned_without_giving_any_trial_up() -> None:
    tuning = Tuning(("LineWalk",), "SB3A2C", runs=1, steps=40, checkpoints=2)
    assert not tuning.can_prune
    looks: list[int] = []
    outcome = run_trial(tuning, AGENTS.read("SB3A2C:hidden=(4,)"), lambda checkpoint, _: bool(looks.append(checkpoint)))
    assert outcome.value is not None
    assert looks == []


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"worlds": ()}, ValueError, "worlds must name at least one, but is empty"),
        ({"worlds": ("LineWalk", "LineWalk")}, ValueError, "worlds must be different, but 'LineWalk' is given twice"),
        (
            {"worlds": ("LineWalk", "LineWalk:size=5")},
            ValueError,
            "worlds must be different, but 'LineWalk' and 'LineWalk:size=5' are the same",
        ),
        ({"worlds": ("LineWlk",)}, ValueError, "unknown world 'LineWlk'. Did you mean 'LineWalk'?"),
        ({"worlds": ("LineWalk", "CartPole-v1"), "agent": "DQN", "search": ()}, ValueError, "must be tuned on alone"),
        ({"metric": "regret"}, TypeError, "regret is for bandits, whose info has it, but RandomMDP is none"),
        (
            {"worlds": ("Bandit",), "agent": "SB3A2C", "metric": "regret", "search": ()},
            TypeError,
            "regret is not known of SB3A2C, which trains in its library's own loop",
        ),
        ({"runs": 0}, ValueError, "runs must be at least 1, but is 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, but is -1"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_trained(
    changed: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        tune(replace(SMALL, **changed), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "trials must be at least 1, but is 0"),
        ({"held_out_runs": 1}, "held_out_runs must be at least 2, but is 1"),
        ({"workers": 0}, "workers must be at least 1, but is 0"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        tune(SMALL, tmp_path, **options)


def test_a_database_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "tuning.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"cannot use the database .*tuning.db: .*file is not a database; if it is"):
        tuned(tmp_path)


def test_a_database_of_another_optuna_is_an_error_that_names_it(tmp_path: Path) -> None:
    import sqlite3

    tuned(tmp_path, trials=1, held_out_runs=2)
    with contextlib.closing(sqlite3.connect(tmp_path / "tuning.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
        database.commit()
    with pytest.raises(
        StorageError, match=r"cannot use the database .*tuning.db, which another Optuna wrote: The runti"
    ):
        tuned(tmp_path, trials=1)


def test_all_that_decides_the_trials_is_in_the_study_s_name() -> None:
    names = {study_name(SMALL)}
    for changed in (
        {"runs": 5}, {"steps": 401}, {"checkpoints": 5}, {"seed": 1}, {"metric": "score"}, {"prune": False},
        {"search": ("step_size",)}, {"worlds": ("RandomMDP:model_seed=1",)}, {"agent": "QLearning"}, {"agent": "Sarsa"},
    ):  # fmt: skip
        names.add(study_name(replace(SMALL, **changed)))
    assert len(names) == 11
    assert study_name(SMALL) == study_name(replace(SMALL))
    assert study_name(SMALL).startswith(f"{BAD} on RandomMDP: area after 400 steps [")


PLAN = ["tune", "--worlds", "RandomMDP", "--agent", BAD, "--runs", "4", "--steps", "400", "--checkpoints", "4"]
PLAN += ["--metric", "area", "--held-out-runs", "4", "--search", "step_size", "epsilon"]
TYPED = [*PLAN, "--trials", "4"]


def test_the_command_prints_its_trials_a_table_and_settings_to_paste(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TYPED, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "]†" in printed
    assert "† Intervals from fewer than 10 runs are too narrow. With 4 normally distributed runs" in printed
    assert "[1/4] trial 0: " in printed
    assert "[4/4] trial 3: " in printed
    assert "Fresh runs, not seen by the search" in printed
    assert "RandomMDP: the best is better than the default, difference in mean score over training +" in printed
    best = json.loads((tmp_path / "tuning.json").read_text())["best"]["specification"]
    assert shlex.quote(best) in printed.splitlines()
    assert as_toml(AGENTS.read(best)) in printed
    assert main([*TYPED, "--out", str(tmp_path)]) == 0
    assert "4 trials: 4 completed. 4 of them were from an earlier command." in capsys.readouterr().out


def test_the_default_alone_is_not_called_the_best_of_a_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kept in ("", " It was from an earlier command."):
        assert main([*PLAN, "--trials", "1", "--out", str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert (
            f"1 trial: 1 completed.{kept}\nOnly the default was tried, {BAD}; use more --trials to search." in printed
        )


def test_scores_of_predictions_are_said_to_be_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = [
        "tune",
        "--worlds",
        "RandomWalk",
        "--agent",
        "TDValue",
        "--runs",
        "2",
        "--steps",
        "100",
        "--checkpoints",
        "1",
    ]
    assert main([*typed, "--trials", "1", "--held-out-runs", "2", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "of predicted values (95%)" in " ".join(printed.replace("┃", " ").split())
    assert "Score: the exact accuracy of the predicted values of the uniform policy " in printed


@pytest.mark.parametrize(
    "specification", ["DQN:hidden=(64, 64),loss=mse,double=True", "DQN:preset=CartPole,n_step=1", BAD]
)
def test_the_settings_to_paste_are_a_table_of_a_comparison_s_file(specification: str, tmp_path: Path) -> None:
    agent = AGENTS.read(specification)
    (tmp_path / "best.toml").write_text(f'agents = ["{agent.name}"]\n\n{as_toml(agent)}\n')
    file = read_comparison_file(tmp_path / "best.toml", Comparison())
    assert AGENTS.config(agent.name, file.settings[agent.name]) == agent.config


def test_the_command_that_repeats_it_is_read_as_the_same_tuning(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Tuning, Any, dict[str, Any]]] = []

    def take_note(tuning: Tuning, out: Path, **options: Any) -> None:
        seen.append((tuning, out, options))
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "tune", take_note)
    other = Tuning(("LineWalk", "RandomMDP:model_seed=1"), "DQN:hidden=(64, 64)", prune=False, metric="worst_decile")
    for tuning in (SMALL, other):
        words = shlex.split(repeat_command(tuning, Path("a folder"), 7, 9))
        assert words[:3] == ["python", "-m", "baselines"]
        assert main(words[3:]) == 130
        assert seen[-1][:2] == (tuning, Path("a folder"))
        assert (seen[-1][2]["trials"], seen[-1][2]["held_out_runs"]) == (7, 9)


def complaint(capsys: pytest.CaptureFixture[str], typed: Sequence[str]) -> tuple[int, str]:
    code = main(typed)
    return code, capsys.readouterr().err


def test_mistakes_are_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = complaint(capsys, [*PLAN, "epsilo=0..1", "--out", str(tmp_path)])
    assert code == 2
    assert said.startswith("Error: unknown setting of QLearning 'epsilo'. Did you mean 'epsilon'?")
    assert said.count("\n") == 1


def test_without_optuna_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, said = complaint(capsys, [*TYPED, "--out", str(tmp_path)])
    assert (code, said) == (2, "Error: tuning needs Optuna: pip install 'rl-envs[tune]'\n")


def test_after_ctrl_c_it_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(QLearning, "update", interrupt)
        code, said = complaint(capsys, [*TYPED, "--out", str(tmp_path)])
    assert code == 130
    assert said == f"Stopped.\nFinished trials are kept in {tmp_path}; run the same command to resume.\n"
    assert main([*TYPED, "--out", str(tmp_path)]) == 0
    assert "1 more was interrupted and does not count." in capsys.readouterr().out


def test_the_examples_of_the_page_are_true() -> None:
    result = doctest.testfile(str(REPOSITORY / "docs" / "tuning.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0
