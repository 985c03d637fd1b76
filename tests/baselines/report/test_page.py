"""The page in a real browser: opened from the disk without a network, looked at, clicked and pointed at."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.comparison.results import Results
from baselines.report.contents import Contents
from baselines.report.page import page as page_of
from rl_envs.specification import Specification
from tests.baselines.report.report_results import RUNS, STEPS, WICKED_AGENT, WICKED_WORLD, curves, game, results, row

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="the page is tested with playwright, which is not installed"
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What a page may ask for that is to need nothing beside itself.
LOCAL = ("file:", "data:", "blob:")

# Generous: a busy machine may take long, and a page that is drawn at once does not wait.
PATIENCE = 30_000  # milliseconds


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page lies."""
    path = tmp_path_factory.mktemp("results") / "report.html"
    path.write_text(page_of(Contents(results())), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    with sync_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = next(filter(None, map(shutil.which, BROWSERS)), own if Path(own).exists() else None)
        if found is None:
            pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed, nor playwright's own")
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS), timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def wrong() -> list[str]:
    """Messages of errors, and requests to anywhere."""
    return []


@pytest.fixture(scope="module")
def opened(browser: Any, address: str, wrong: list[str]) -> Iterator[Any]:
    """The page, opened once: it takes a second or more."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else wrong.append(request.url))
    page.goto(address)
    yield page
    context.close()


@pytest.fixture
def page(opened: Any, wrong: list[str]) -> Iterator[Any]:
    """The page on a desk as it is when it is opened; whatever a test does with it, nothing may go wrong."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.mouse.move(0, 0)
    opened.evaluate(
        """() => {
            for (const field of document.querySelectorAll("select")) field.selectedIndex = 0;
            for (const field of document.querySelectorAll("input")) { field.value = ""; field.checked = false; }
            for (const field of document.querySelectorAll("select, input")) field.dispatchEvent(new Event("change"));
            chooseEvery([...chosen.hidden], true);
            filterLines();
            setTheme("light");
            scrollTo(0, 0);
        }"""
    )
    yield opened
    assert wrong == []


def until(page: Any, probe: Callable[[], bool], what: str) -> None:
    """Wait for something to come true; playwright's own way needs `eval`, which the page forbids."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while not probe():
        assert time.monotonic() < deadline, f"not within {PATIENCE / 1_000:.0f} s: {what}"
        page.wait_for_timeout(20)


def settled(page: Any) -> None:
    """Wait until every figure that is to be drawn is drawn."""
    until(page, lambda: page.evaluate("waiting.size === 0"), "all figures near the window drawn")


def panel(page: Any, section: str, title: str) -> Any:
    """A figure, once its traces are drawn."""
    figure = page.locator(f"#{section} .panel").filter(has=page.get_by_role("heading", name=title, exact=True))
    figure.scroll_into_view_if_needed()
    figure.locator(".scatterlayer .trace").first.wait_for(state="attached")
    return figure


def pixel_of(figure: Any, key: str, name: str, point: int) -> dict[str, float]:
    """Where a point of the trace with this name, or of the single runs of the agent in its meta, is in the window."""
    return figure.locator(".drawing").evaluate(
        """(plot, [key, name, at]) => {
            const trace = plot.data.find((one) => one[key] === name && one.x.length > at);
            const box = plot.getBoundingClientRect(), left = plot._fullLayout.xaxis._offset;
            const x = plot._fullLayout.xaxis.d2p(trace.x[at]), y = plot._fullLayout.yaxis.d2p(trace.y[at]);
            return {x: box.left + left + x, y: box.top + plot._fullLayout.yaxis._offset + y};
        }""",
        [key, name, point],
    )


def point_at(page: Any, figure: Any, key: str, name: str, point: int, *, told: str) -> str:
    """Point at a point of a trace until its label stands there, which has these words in it; gives back the label."""
    label = figure.locator(".hoverlayer .hovertext")
    nudges = itertools.cycle((0, 1))

    def is_told() -> bool:
        where = pixel_of(figure, key, name, point)
        page.mouse.move(where["x"] + next(nudges), where["y"])
        page.wait_for_timeout(100)
        return any(told in text for text in label.all_text_contents())

    until(page, is_told, f"{told} at point {point} of {name}")
    return label.first.text_content()


def column(page: Any, heading: str, table: str = "worlds") -> list[str]:
    """What stands in a column, from top to bottom, in the lines that are shown."""
    return page.locator(f"#{table}").evaluate(
        """(table, heading) => {
            const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === heading);
            return [...table.tBodies[0].rows].filter((line) => !line.hidden).map((line) => line.cells[at].textContent);
        }""",
        heading,
    )


def first_numbers(cells: list[str]) -> list[float]:
    return [float(cell.split()[0].replace(",", "")) for cell in cells]


def test_every_figure_of_every_section_is_drawn(page: Any) -> None:
    for section, count in (("curves", 5), ("profiles", 6), ("regret", 1), ("games", 1)):
        figures = page.locator(f"#{section} .panel")
        assert figures.count() == count
        for number in range(count):
            figure = figures.nth(number)
            figure.scroll_into_view_if_needed()
            figure.locator(".scatterlayer .trace path.js-line").first.wait_for(state="attached")
    drawn = panel(page, "curves", "LineWalk").locator(".drawing").evaluate("(plot) => plot.data.map((one) => one.name)")
    assert [name for name in drawn if name] == [
        "QLearning",
        "Sarsa",
        "SB3DQN",
        WICKED_AGENT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        "optimum",
        "uniform policy",
    ]
    assert "mean return (sampled)" in panel(page, "curves", "CartPole-v1").text_content()


DRAWN = "() => panels.map((seen) => seen.drawn && seen.figure.querySelector('path.js-line, canvas') !== null)"


def test_a_picture_of_the_whole_page_shows_figures_that_were_never_near_the_window(page: Any) -> None:
    page.reload()
    until(page, lambda: all(page.evaluate(DRAWN)), "every figure drawn")
    assert page.evaluate("scrollY") == 0
    page.locator("#theme").click()
    ink = "() => [...new Set([...document.querySelectorAll('.xtitle')].map((one) => one.style.fill))]"
    until(page, lambda: page.evaluate(ink) == ["rgb(232, 234, 238)"], "every figure turned dark")


def test_of_very_many_figures_those_near_the_window_are_drawn(page: Any) -> None:
    page.evaluate("() => { for (let n = 0; n < 40; n++) panel(container('curves'), '', 'copy', panels[0].draw); }")
    try:
        last = page.locator("#curves .panel").last
        assert last.locator(".main-svg").count() == 0
        last.scroll_into_view_if_needed()
        last.locator(".scatterlayer .trace").first.wait_for(state="attached")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        until(page, lambda: last.locator(".main-svg").count() == 0, "a figure far away taken down")
    finally:
        page.reload()


def test_a_click_and_a_key_sort_the_table_by_numbers(page: Any) -> None:
    before = column(page, "score")
    heading = page.locator("#worlds thead th").filter(has_text="score")
    heading.get_by_role("button").click()
    after = column(page, "score")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert after != before
    assert first_numbers(after) == sorted(first_numbers(before))
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert first_numbers(column(page, "score")) == sorted(first_numbers(before), reverse=True)
    assert len(column(page, "agent")) == len(results().rows)
    # As text, 10,000 would come before 5,000.
    page.locator("#worlds thead th").filter(has_text="steps/s").get_by_role("button").click()
    speeds = first_numbers(column(page, "steps/s"))
    assert speeds == sorted(speeds)
    assert {5_000, 10_000} <= set(speeds)


def test_what_was_never_reached_and_what_is_not_known_come_last_both_ways(page: Any) -> None:
    heading = page.locator("#worlds thead th").filter(has_text="steps to 95%")
    for _ in ("ascending", "descending"):
        heading.get_by_role("button").click()
        cells = column(page, "steps to 95%")
        kinds = [cell if cell in ("not reached", "-") else "number" for cell in cells]
        assert kinds == sorted(kinds, key=["number", "not reached", "-"].index)
        assert set(kinds) == {"number", "not reached", "-"}


def test_a_world_is_chosen_for_the_whole_page_and_lines_are_filtered_by_words(page: Any) -> None:
    page.locator("#world").select_option("FourRooms")
    assert set(column(page, "world")) == {"FourRooms"}
    assert page.locator("#curves .panel:not([hidden]) h3").all_text_contents() == ["FourRooms"]
    assert page.locator("#profiles .panel:not([hidden]) h3").all_text_contents() == ["All worlds", "FourRooms"]
    panel(page, "curves", "FourRooms")
    page.locator("#world").select_option("")
    page.get_by_label("Filter").fill("linewalk sb3")
    assert column(page, "agent") == ["SB3DQN"]
    assert page.locator("#worlds-count").text_content() == f"1 of {len(results().rows)} lines"


def test_an_agent_is_put_away_on_the_whole_page(page: Any) -> None:
    figure = panel(page, "curves", "FourRooms")
    names = "(plot) => plot.data.map((one) => one.name).filter(Boolean)"
    assert "Sarsa" in figure.locator(".drawing").evaluate(names)
    page.locator("#profiles .legend button", has_text="Sarsa").click()
    figure = panel(page, "curves", "FourRooms")
    settled(page)
    assert figure.locator(".drawing").evaluate(names) == ["QLearning", "SB3DQN", "optimum", "uniform policy"]
    assert page.locator("#curves .legend button", has_text="Sarsa").get_attribute("aria-pressed") == "false"


def test_with_no_agent_chosen_a_figure_says_so_and_comes_back_with_them(page: Any) -> None:
    legend = page.locator("#profiles .legend")
    figure = panel(page, "profiles", "FourRooms")
    legend.get_by_role("button", name="hide all").click()
    settled(page)
    assert figure.locator(".drawing").text_content() == "None of the agents chosen has anything to show here."
    assert figure.locator(".main-svg").count() == 0
    legend.get_by_role("button", name="show all").click()
    settled(page)
    assert figure.locator(".scatterlayer .trace path.js-line").count() > 0
    assert "None of" not in figure.text_content()


def test_pointing_at_a_curve_tells_its_mean_and_shows_its_single_runs(page: Any) -> None:
    figure = panel(page, "curves", "FourRooms")
    label = point_at(page, figure, "name", "QLearning", 5, told="QLearning, mean of 10 runs")
    mean = curves("QLearning")[5].mean()
    assert f"{STEPS[5]} steps: {mean:.4f}".rstrip("0") in label
    points = "(plot) => plot.data.filter((one) => one.meta === 'QLearning').map((one) => one.x.length)"
    shown = [RUNS * (len(STEPS) + 1)]
    until(page, lambda: figure.locator(".drawing").evaluate(points) == shown, "the single runs of QLearning")
    # Run 9 never leaves 0, so its points are far from every other curve.
    label = point_at(page, figure, "meta", "QLearning", 9 * (len(STEPS) + 1) + 4, told="QLearning, run 9")
    assert "400 steps: 0" in label
    # A figure that was drawn again shows them again.
    page.locator("#theme").click()
    settled(page)
    assert figure.locator(".drawing").evaluate(points) == []
    point_at(page, figure, "name", "QLearning", 5, told="QLearning, mean of 10 runs")
    until(page, lambda: figure.locator(".drawing").evaluate(points) == shown, "the single runs of QLearning again")


def test_the_page_turns_dark_and_its_figures_with_it(page: Any) -> None:
    colours = "() => [getComputedStyle(document.body).backgroundColor, " + (
        "document.querySelector('#curves .xtitle').style.fill]"
    )
    panel(page, "curves", "LineWalk")
    light = page.evaluate(colours)
    page.locator("#theme").click()
    settled(page)
    dark = page.evaluate(colours)
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] == "rgb(20, 23, 28)"
    assert light[1] != dark[1]
    page.locator("#theme").click()
    settled(page)
    assert page.evaluate(colours) == light


@pytest.fixture
def another(opened: Any, address: str, wrong: list[str], tmp_path: Path) -> Iterator[Callable[[Results], Any]]:
    """Opens the page of other results in the same window."""

    def open_page(found: Results) -> Any:
        path = tmp_path / "report.html"
        path.write_text(page_of(Contents(found)), encoding="utf-8")
        opened.goto(path.as_uri())
        return opened

    yield open_page
    opened.goto(address)
    assert wrong == []


def test_a_curve_that_leaves_its_figure_below_is_named_in_it_unless_it_is_put_away(another: Any) -> None:
    good = row("FourRooms", "QLearning")
    bad = replace(row("FourRooms", "Sarsa"), scores=-30 - good.scores)
    page = another(Results((row("FourRooms", "Random"), good, bad), (), {}))
    figure = panel(page, "curves", "FourRooms")
    assert figure.locator(".annotation-text").all_text_contents() == ["Sarsa: below -1, down to -30.9"]
    page.locator("#curves .legend button", has_text="Sarsa").click()
    settled(page)
    assert figure.locator(".annotation-text").count() == 0


def test_a_page_of_games_alone_has_nothing_of_worlds_and_works(another: Any) -> None:
    page = another(Results((), (game("climbing", "IndependentQ", 2),), {}))
    assert page.locator("section").evaluate_all("(all) => all.map((one) => one.id)") == ["games", "reproduce"]
    figure = panel(page, "games", "climbing")
    page.locator("#theme").click()
    settled(page)
    assert figure.locator(".scatterlayer .trace path.js-line").count() > 0


@pytest.mark.parametrize("width", [375, 1280])
def test_tables_of_some_tens_of_lines_stand_whole_and_links_are_all_in_sight(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    cut = "(all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).map((one) => one.ariaLabel)"
    assert page.locator(".table").evaluate_all(cut) == []
    reach = "(all) => Math.max(...all.map((one) => one.getBoundingClientRect().right))"
    assert page.locator(".links a").evaluate_all(reach) <= width
    assert page.locator(".links").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert page.locator(".links a").count() == page.locator("section").count()
    # The choices stay in sight.
    page.locator("#reproduce").scroll_into_view_if_needed()
    assert page.locator("#world").bounding_box()["y"] >= 0


def test_on_a_telephone_names_are_broken_behind_underscores_and_headings_not_at_all(another: Any) -> None:
    games = tuple(
        replace(game("climbing", "IndependentQ", 2), game=name) for name in ("rock_paper_scissors", "chicken")
    )
    agent = "QLearning:preset=FourRooms,step_size=0.25"
    errors = replace(row("LineWalk", "QLearning", value_error=np.linspace(0, 1, 11)), who=Specification.parse(agent))
    page = another(Results((errors,), games, {}))
    page.set_viewport_size({"width": 375, "height": 740})
    page.locator("#values").scroll_into_view_if_needed()
    page.locator("#values figcaption b").first.wait_for()
    broken = page.locator("td.name, #values figcaption b, .legend b").evaluate_all(
        """(cells) => cells.flatMap((cell) => [...cell.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE))
            .filter((node) => {
                const range = document.createRange();
                range.selectNode(node);
                return !node.textContent.includes(" ") && range.getClientRects().length > 1;
            }).map((node) => node.textContent)"""
    )
    assert broken == []
    assert page.locator("#values figcaption b").text_content() == agent
    first = page.locator("#learners td.name").first
    assert first.text_content() == "rock_paper_scissors"
    assert first.evaluate("(cell) => cell.getBoundingClientRect().height > 30")  # in two lines
    label = page.locator('#learners td[data-heading="ended with"]').first
    assert label.evaluate("(cell) => getComputedStyle(cell, '::before').flexShrink") == "0"


def test_tiles_of_ended_episodes_are_hatched_and_named_beside_the_scale(page: Any) -> None:
    maps = page.locator("#values .world-values").filter(has=page.get_by_role("heading", name="LineWalk", exact=True))
    assert maps.locator(".scale i.ended").count() == 1
    assert maps.locator(".scale .key").text_content() == "the episode is over"
    maps.scroll_into_view_if_needed()
    canvas = maps.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    colours = canvas.evaluate(
        """(canvas) => {
            const [, x, y, width, height] = data.values.LineWalk.pictures[0].tiles.slice(0, 5);
            const pixels = canvas.getContext("2d").getImageData(x + 3, y + 3, width - 6, height - 6).data;
            const starts = Array.from({ length: pixels.length / 4 }, (_, at) => 4 * at);
            return [...new Set(starts.map((at) => pixels.slice(at, at + 3).join()))];
        }"""
    )
    assert sorted(colours) == ["205,208,214", "252,252,250"]


def test_whoever_prefers_dark_gets_it_at_once(page: Any) -> None:
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_value_errors_are_painted_into_the_worlds_picture_and_told_by_state(page: Any) -> None:
    maps = page.locator("#values .world-values").filter(has=page.get_by_role("heading", name="LineWalk", exact=True))
    maps.scroll_into_view_if_needed()
    canvas = maps.locator("figure").filter(has_text="SB3DQN").locator("canvas")
    canvas.scroll_into_view_if_needed()
    tile = page.evaluate("data.values.LineWalk.pictures[0].tiles.slice(5 * 3, 5 * 4)")
    assert tile[0] == 3
    at = [tile[1] + 0.2 * tile[3], tile[2] + 0.8 * tile[4]]
    colour = canvas.evaluate("(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data]", at)
    # 0.3 * 3 / 10 of the worst, 0.3 * 9 / 10 in the last state before the end: a third of the way up the scale.
    expected = page.evaluate("heat(3 / 9)")
    assert max(abs(found - wanted) for found, wanted in zip(colour, expected)) <= 3
    box = canvas.bounding_box()
    scale = box["width"] / canvas.evaluate("(canvas) => canvas.width")
    page.mouse.move(box["x"] + at[0] * scale, box["y"] + at[1] * scale)
    until(page, lambda: page.locator("#tip").text_content() == "state 3: 0.09", "the value error of state 3")


def test_regret_is_drawn_beside_its_bounds_on_axes_of_both_kinds(page: Any) -> None:
    figure = panel(page, "regret", "Bandit")
    types = "(plot) => [plot._fullLayout.xaxis.type, plot._fullLayout.yaxis.type]"
    names = figure.locator(".drawing").evaluate("(plot) => plot.data.map((one) => one.name).filter(Boolean)")
    assert names == [
        "QLearning",
        "Sarsa",
        "uniform policy",
        "UCB1 upper bound",
        "Lai-Robbins lower bound (asymptotic)",
    ]
    assert figure.locator(".drawing").evaluate(types) == ["linear", "linear"]
    page.get_by_label("Logarithmic axes").check()
    settled(page)
    assert figure.locator(".drawing").evaluate(types) == ["log", "log"]


def test_on_a_telephone_nothing_reaches_over_the_edge(page: Any) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    for section in page.locator("section").all():
        section.scroll_into_view_if_needed()
    panel(page, "curves", "LineWalk")
    assert page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]") == [375] * 3
    wide = page.evaluate(
        """() => [...document.querySelectorAll("section, .panel, .maps figure, .forest, .table, pre")]
            .filter((one) => one.getBoundingClientRect().right > 375).map((one) => one.className)"""
    )
    assert wide == []


@pytest.mark.parametrize("width", [375, 1280])
def test_labels_neither_overlap_nor_are_cut_short_in_the_dark(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.locator("#theme").click()
    page.locator("#values").scroll_into_view_if_needed()
    page.locator("#values figcaption b").first.wait_for()
    cut_short = page.evaluate(
        """() => [...document.querySelectorAll(".legend b, figcaption b")]
            .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""
    )
    assert cut_short == []
    ends = page.locator("#check .axis").evaluate(
        """(axis) => [...axis.children].map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0)
            .map((box) => [box.left, box.right])"""
    )
    assert len(ends) >= 3
    assert all(left[1] < right[0] for left, right in itertools.pairwise(ends))


def test_everything_is_drawn_to_be_printed_dark_on_light_and_taken_down_after(page: Any) -> None:
    page.locator("#theme").click()
    panel(page, "curves", "LineWalk")
    settled(page)
    sizes = "() => [...document.querySelectorAll('.panel .main-svg')].map((one) => [one.clientWidth, one.clientHeight])"
    sizes_on_screen = page.evaluate(sizes)
    assert min(map(min, sizes_on_screen)) > 250
    # Pictures are decoded when the page is opened, some time.
    until(page, lambda: page.evaluate("Object.values(data.values).every(decoded)"), "all pictures decoded")
    page.evaluate(
        """() => addEventListener("beforeprint", () => { window.printed = {
            figures: [...document.querySelectorAll(".panel")].map((one) => one.querySelectorAll("path.js-line").length),
            maps: [...document.querySelectorAll(".world-values")].map((one) => one.querySelectorAll("canvas").length),
            ink: document.querySelector(".xtitle").style.fill, paper: getComputedStyle(document.body).backgroundColor,
            excuse: document.getElementById("unprinted").hidden,
        }; }, { once: true })"""
    )
    assert page.pdf().startswith(b"%PDF")
    printed = page.evaluate("window.printed")
    assert len(printed["figures"]) == 5 + 6 + 1 + 1
    assert min(printed["figures"]) >= 1
    assert printed["maps"] == [5, 5]
    assert (printed["ink"], printed["paper"]) == ("rgb(28, 32, 40)", "rgb(255, 255, 255)")
    assert printed["excuse"]
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    until(page, lambda: page.evaluate(sizes) == sizes_on_screen, "figures of the size that they had")


def test_of_very_many_figures_the_first_are_printed_and_a_sentence_says_so(page: Any) -> None:
    page.evaluate(
        "() => { for (let n = 0; n < 40; n++) panel(container('curves'), 'Bandit', 'copy', panels[0].draw); }"
    )
    page.evaluate(
        """() => { dispatchEvent(new Event("beforeprint")); window.printed = [
            document.querySelectorAll(".unprinted").length, document.getElementById("unprinted").hidden,
            document.querySelectorAll(".panel .plot-container").length >= MOST_AT_ONCE - 2]; }"""
    )
    try:
        assert page.evaluate("window.printed") == [page.evaluate("panels.length - MOST_AT_ONCE"), False, True]
    finally:
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.reload()
    assert page.locator("#unprinted").is_hidden()


def test_names_stay_text_whatever_is_in_them(page: Any) -> None:
    assert page.evaluate("window.wicked") is None
    assert page.locator(".wicked").count() == 0
    assert WICKED_AGENT in column(page, "agent")
    assert WICKED_WORLD in column(page, "world")
    figure = panel(page, "curves", WICKED_WORLD)
    assert figure.locator("h3").text_content() == WICKED_WORLD


def test_where_games_end_and_the_cross_check_can_be_read_off(page: Any) -> None:
    ends = page.locator("#games table.plain")
    assert ends.locator("thead th").all_text_contents() == ["agent", "★ (a, a)", "★ (b, b)", "(c, c)"]
    assert ends.locator("tbody tr").first.locator("td").all_text_contents() == ["0%", "0%", "100%"]
    verdicts = page.locator("#check .verdict").all_text_contents()
    assert len(verdicts) == 3
    assert page.locator("#check .sentences li").count() == 3
    # A difference is drawn where its number says.
    dot, margin = (page.locator(f"#check .track .{mark}").first.bounding_box() for mark in ("dot", "margin"))
    assert dot["x"] + dot["width"] / 2 > margin["x"] + margin["width"]


def test_how_it_was_made_is_all_there(page: Any) -> None:
    page.locator("#reproduce details summary").click()
    text = page.locator("#reproduce").inner_text()
    for fact in (
        "--worlds LineWalk --seed 7",
        "--preset quick",
        "2 January 2026",
        "0.125",
        "2.1.0",
        "Linux-6.1",
        "joblib",
    ):
        assert fact in text
