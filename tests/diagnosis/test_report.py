"""A diagnosis as text and as a page, from one that was made by hand: no training is needed to show it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rl_envs.diagnosis.bugs import BUG_TABLE
from rl_envs.diagnosis.page import as_html
from rl_envs.diagnosis.report import as_text, deviating, show
from tests.diagnosis.fabricated import UNMASKED, UNSEEDED, diagnosis


def test_what_is_nearer_to_the_bug_than_to_what_is_right_deviates() -> None:
    assert deviating(UNMASKED) == {"s0", "s1", "s2"}
    assert deviating(replace(UNMASKED, learned=UNMASKED.right)) == set()
    # Where a bug changes next to nothing, no number speaks for it.
    assert deviating(replace(UNMASKED, would_be={"s0": 3.11, "s1": 8.0, "s2": 14.0})) == {"s1", "s2"}
    assert deviating(UNSEEDED) == set()


def test_the_text_goes_from_the_verdict_over_the_numbers_to_the_line_of_code() -> None:
    text = as_text(diagnosis(UNMASKED, UNSEEDED))
    lines = [line.strip() for line in text.splitlines()]
    in_order = [
        "wrong: terminal_not_masked (also possible: autoreset_row_learned)",
        "1. terminal_not_masked, or autoreset_row_learned",
        "The world Ruler:",
        "s0 --0.1--> s1 --1--> s2 --10--> end (looks like s1)",
        "learned              4.08*  7.97*  13.96*",
        "right                 3.1      6      10",
        "terminal_not_masked   4.1      8      14",
        "* nearer to the bug's value than to the right one",
        "Look where the target is formed:",
        f"- {BUG_TABLE['terminal_not_masked'].before}",
        f"+ {BUG_TABLE['terminal_not_masked'].after}",
        "It happened in:",
        BUG_TABLE["terminal_not_masked"].cases[0],
        "2. unseeded",
    ]
    places = [lines.index(line) for line in in_order]
    assert places == sorted(places)


def test_a_terminal_sees_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    show(diagnosis(UNMASKED))
    printed = capsys.readouterr().out
    assert "\x1b[1;31mwrong: terminal_not_masked" in printed
    assert re.search(r"\x1b\[1;31m13\.96\*", printed)
    assert "\x1b[32m     + target" in printed


def test_the_page_marks_the_cells_that_deviate_and_draws_the_world() -> None:
    page = as_html(diagnosis(UNMASKED, UNSEEDED))
    assert page.count('<td class="off">') == 3
    assert page.count('<svg class="world"') == 1
    assert "Ruler: which reward reached which state" in page
    assert "<script" not in page
    assert "http" not in page


def test_a_page_without_the_world_shows_its_picture_in_text() -> None:
    page = as_html(diagnosis(UNMASKED, worlds={}))
    assert '<svg class="world"' not in page
    assert "s0 --0.1--&gt; s1" in page


def test_text_from_outside_is_escaped() -> None:
    page = as_html({"<b>": diagnosis(replace(UNSEEDED, reason="<i> & so on"), source="<u>")})
    assert "&lt;b&gt;: wrong" in page
    assert "&lt;i&gt; &amp; so on" in page
    assert not re.search(r"<[biu]>", page)


def test_a_note_is_called_one() -> None:
    note = replace(UNSEEDED, keys=("not_trained_enough",), fault=False)
    found = diagnosis(note, verdict="cannot_tell", reason="too few steps")
    assert "not_trained_enough (a note, not a fault)" in as_text(found)
    assert "not_trained_enough (a note, not a fault)</h2>" in as_html(found)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no browser is installed")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=120_000)
        yield one
        one.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_fits_a_phone_and_a_desk_by_day_and_by_night(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(as_html({"Q-learning": diagnosis(UNMASKED, UNSEEDED), "Sarsa": diagnosis()}), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}[scheme]
    # The circles of the world are drawn in the page's own colours, so that they are seen in both.
    circle = page.locator("svg.world circle").first
    assert circle.evaluate("e => getComputedStyle(e).fill") == paper
    assert circle.bounding_box()["width"] > 30
    context.close()
