"""The report as text, as JSON, as a page, and from the command line."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import faulty_environments as faulty

from rl_envs.__main__ import main, usage
from rl_envs.inspection.inspection import Inspection, inspect_env
from rl_envs.reports import terminal

FILE = Path(__file__).parent / "faulty_environments.py"


@pytest.fixture(scope="module")
def counting() -> Inspection:
    return inspect_env(faulty.Counting(), check_steps=500)


def test_the_text_has_the_worst_first_then_where_how_bad_and_what_to_change(counting: Inspection) -> None:
    lines = str(counting).splitlines()
    assert lines[0] == "Counting: 1 fault, 1 note"
    assert lines[2] == "1. fault: counter_terminates"
    text = " ".join(str(counting).split())
    assert "Where: faulty_environments.py:" in text
    assert "How bad: 0.99 of return: the most that a target of learning at the limit is wrong by." in text
    assert "Change: Return truncated=True" in text
    assert "Size and values" in text
    assert max(map(len, lines[: lines.index("Size and values")])) <= 100


def test_a_reset_that_keeps_something_is_to_be_fixed_first() -> None:
    text = " ".join(str(inspect_env(faulty.Keeping(), check_steps=2_000)).split())
    assert "led to a start that a new environment never has: reset() keeps something" in text
    assert "Fix reset_keeps first and inspect again: optimum, incentives, hidden state" in text
    fixed = str(inspect_env(faulty.Broken(), check_steps=200))
    assert "Fix reset_keeps first" not in fixed


def test_the_json_has_the_same(counting: Inspection) -> None:
    report = json.loads(counting.to_json())
    assert report["verdict"] == "fault"
    assert report["findings"][0]["key"] == "counter_terminates"
    assert {"severity", "section", "what", "where", "cost", "cost_of", "change"} <= set(report["findings"][0])
    assert report["facts"]["size"]["states"] == 4
    assert report["reason"] is None
    infinite = json.loads(inspect_env(faulty.Infinite(), check_steps=100).to_json())
    assert next(one for one in infinite["findings"] if one["key"] == "reward_not_finite")["cost"] == "inf"


def test_a_terminal_gets_colours_where_rich_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show("bad\nrest", "wrong")
    assert capsys.readouterr().out == "bad\nrest\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    terminal.show("bad\nrest", "wrong")
    assert "bad" in capsys.readouterr().out


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_beside_itself(counting: Inspection, tmp_path: Path) -> None:
    counting.save_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "counter_terminates" in page
    assert "http" not in page
    assert "<script" not in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
    with sync_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
        found = next(filter(None, map(shutil.which, names)), own if Path(own).exists() else None)
        if found is None:
            pytest.skip("no browser is installed")
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=60_000
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_fits_a_phone_and_a_desk(browser: Any, tmp_path: Path, width: int) -> None:
    inspections = (inspect_env(faulty.Coin(), check_steps=200), inspect_env(faulty.Growing(), max_states=300))
    page = browser.new_page(viewport={"width": width, "height": 740})
    try:
        for number, inspection in enumerate(inspections):
            path = tmp_path / f"{number}.html"
            inspection.save_html(path)
            page.goto(path.as_uri(), timeout=60_000)
            sizes = "[document.documentElement.scrollWidth, document.body.scrollWidth <= innerWidth]"
            assert page.evaluate(sizes) == [width, True]
            right = "one.getBoundingClientRect().right"
            cut = f"(all) => all.filter((one) => {right} > innerWidth).map((one) => one.outerHTML)"
            assert page.locator("body *").evaluate_all(cut) == []
    finally:
        page.close()


# The commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["inspect", "LineWalk:size=7"], 0),
        (["inspect", f"{FILE}:Counting"], 1),
        (["inspect", f"{FILE}:Growing", "--max-states", "300"], 3),
        (["inspect", f"{FILE}:Normal"], 3),
        (["truth", f"{FILE}:Growing", "--max-states", "300"], 3),
        (["truth", "LineWalk"], 0),
    ],
)
def test_the_exit_code_says_how_it_went(typed: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*typed, "--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert (report["reason"] is not None) == (code == 3)


def test_the_commands_print_text_and_write_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "line.html"
    assert main(["truth", "LineWalk:discount=0.5", "--html", str(page)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("LineWalk:discount=0.5") or captured.out.startswith("LineWalk")
    assert "The report is in" in captured.err
    assert "0.5" in page.read_text(encoding="utf-8")
    assert main(["inspect", "FrozenLake-v1:is_slippery=false", "--discount", "0.5"]) == 0
    # 6 steps to the goal: 0.5^5.
    assert "0.03125" in capsys.readouterr().out


def test_exact_values_do_not_say_that_nothing_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["truth", "LineWalk:size=7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "LineWalk:size=7: exact values"
    assert lines[-1].endswith("Faults were not looked for: python -m rl_envs inspect LineWalk:size=7")
    assert main(["truth", f"{FILE}:Normal"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": no exact table")
    assert "What follows" not in " ".join(lines)


def test_attributes_are_named_with_commas(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["truth", f"{FILE}:Corridor", "--state", "cell", "--seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["size"]["states"] == 4
    assert main(["truth", f"{FILE}:Corridor", "--state", "colour"]) == 2
    assert "state must name attributes of the environment, but it has no 'colour'" in capsys.readouterr().err
    assert main(["truth", f"{FILE}:Coin", "--state", "observation", "--json"]) == 3
    assert "with the state= given" in json.loads(capsys.readouterr().out)["reason"]
    assert main(["truth", f"{FILE}:Corridor", "--ignore", "colour"]) == 2
    assert "it has no 'colour'" in capsys.readouterr().err


def test_bad_input_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "LineWolk"]) == 2
    assert capsys.readouterr().err.startswith("Error: unknown world 'LineWolk'. Did you mean 'LineWalk'?")
    assert main(["inspect", "EmptyRoom-v3"]) == 2
    assert "If a package registers it, name the package, as in minigrid:Mini" in capsys.readouterr().err
    assert main(["inspect", str(FILE)]) == 2
    assert "holds Corridor, Pit, Closed, " in (said := capsys.readouterr().err)
    assert said.endswith(f"write {FILE}:Corridor or {FILE}:Pit or {FILE}:Closed\n")
    assert main(["inspect", __file__]) == 2
    assert "holds no gymnasium.Env: write " in capsys.readouterr().err
    assert main(["inspect", "nowhere.py"]) == 2
    assert "cannot read nowhere.py: there is no such file" in capsys.readouterr().err
    assert main(["inspect", f"{FILE}:nobody"]) == 2
    assert "unknown function" in capsys.readouterr().err


def test_the_commands_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert "inspect" in usage()
    assert "truth" in usage()
    with pytest.raises(SystemExit):
        main(["inspect", "--help"])
    said = capsys.readouterr().out
    assert "file.py:make_env" in said
    assert "Exit code 0" in said
