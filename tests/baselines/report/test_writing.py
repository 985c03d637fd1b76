"""The files of a report, the page's text, and the command that writes them."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from baselines.__main__ import main
from baselines.comparison.comparison import Comparison
from baselines.comparison.results import Results
from baselines.comparison.rows import Row
from baselines.comparison.running import compare
from baselines.report.contents import Contents
from baselines.report.markdown import code, markdown, plain
from baselines.report.page import json_in_html, page
from baselines.report.page_data import packed
from baselines.report.page_tables import MOST_LINES, table
from baselines.report.signature import is_signed, sign
from baselines.report.tables import ACROSS_COLUMNS, GAME_COLUMNS, WORLD_COLUMNS
from baselines.report.terminal import explanation
from baselines.report.wording import moment_text
from baselines.report.writing import write_report
from baselines.system.atomic_files import StorageError
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification
from tests.baselines.report.report_results import ABOUT, WICKED_AGENT, WICKED_WORLD, game, results, row


@pytest.fixture(scope="module")
def contents() -> Contents:
    """What the reports of these tests show."""
    return Contents(results())


@pytest.fixture(scope="module")
def written(contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report."""
    return write_report(contents, tmp_path_factory.mktemp("results"))


def test_a_report_is_a_page_a_text_a_table_and_pictures(written: list[Path]) -> None:
    assert [path.name for path in written] == [
        "report.html",
        "report.md",
        "results.csv",
        "learning_curves.png",
        "performance_profiles.png",
        "regret_Bandit.png",
        "value_error_LineWalk.png",
        "value_error_FourRooms.png",
        "games.png",
    ]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(path.name for path in written)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written[3:])
    with written[2].open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(results().rows) + len(results().games)


def test_a_comparison_of_games_alone_and_one_of_nothing_that_learns_have_reports_too(tmp_path: Path) -> None:
    games = Results((), (game("climbing", "IndependentQ", 2),), ABOUT)
    levels = Results((row("LineWalk", "Random"), row("LineWalk", "Optimal")), (), {})
    both = Results(levels.rows, games.games, {})
    curves = "learning_curves.png"
    for found, names in ((games, ["games.png"]), (levels, [curves]), (both, [curves, "games.png"])):
        files = write_report(Contents(found), tmp_path)
        assert [path.name for path in files[3:]] == names


def test_pictures_of_an_earlier_report_go_and_files_of_anybody_else_stay(tmp_path: Path) -> None:
    both = [
        row(world, "QLearning", value_error=np.linspace(0, 1, states))
        for world, states in (("LineWalk", 11), ("FourRooms", 104))
    ]
    write_report(Contents(Results(tuple(both), (game("climbing", "IndependentQ", 2),), {})), tmp_path)
    own = ["value_error_mine.png", "games-before.png", "empty.png", "notes.txt"]
    Image.new("RGB", (4, 4)).save(tmp_path / own[0])
    (tmp_path / own[1]).write_bytes((tmp_path / "games.png").read_bytes())  # a copy that somebody wants to keep
    (tmp_path / own[2]).write_bytes(b"")
    (tmp_path / own[3]).write_text("mine")
    files = write_report(Contents(Results(tuple(both[:1]), (), {})), tmp_path)
    assert [path.name for path in files[3:]] == [
        "learning_curves.png",
        "performance_profiles.png",
        "value_error_LineWalk.png",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {*(path.name for path in files), *own}


def test_a_signed_picture_is_a_sound_png_with_its_name_in_it(tmp_path: Path) -> None:
    path = tmp_path / "value_error_Köln.png"
    Image.new("RGB", (4, 4), (10, 20, 30)).save(path)
    assert not is_signed(path)
    sign(path)
    assert is_signed(path)
    picture = Image.open(path)
    picture.load()
    assert picture.info["Source"] == "a report of rl-envs, value_error_Köln.png"
    assert picture.getpixel((2, 2)) == (10, 20, 30)


def test_a_file_that_cannot_be_written_is_named(contents: Contents, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*learning_curves\.png"):
        write_report(contents, tmp_path / "nowhere")


def test_worlds_whose_names_differ_in_punctuation_alone_keep_pictures_of_their_own(tmp_path: Path) -> None:
    worlds = ("LineWalk:size=5,discount=0.9", "LineWalk:size=5,discount=0_9")
    from baselines.report.writing import _file

    names: dict[str, str] = {}
    for world in worlds:
        names[world] = _file("regret", world, names)
    assert len(set(names.values())) == 2


class Links(HTMLParser):
    """Everything in a page that could be fetched from somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {value}" for name, value in attrs if name in ("src", "href", "srcset", "data") and value]
        self.ids += [value for name, value in attrs if name == "id" and value]


def test_the_page_fetches_nothing_and_each_of_its_links_leads_to_a_section(written: list[Path]) -> None:
    links = Links()
    links.feed(written[0].read_text(encoding="utf-8"))
    assert links.found
    assert {link.split()[1][1:] for link in links.found} <= set(links.ids)
    assert len(links.ids) == len(set(links.ids))


def test_no_name_can_end_the_script_that_holds_the_numbers(written: list[Path]) -> None:
    text = written[0].read_text(encoding="utf-8")
    held = re.search('<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert held is not None
    data = json.loads(held[1])
    assert WICKED_AGENT in data["styles"]
    assert WICKED_WORLD in {curve["world"] for curve in data["curves"]}
    assert "<b class=" not in text.split("<body>")[1].split("<script")[0]


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        json_in_html({"score": float("nan")})
    assert json.loads(json_in_html(["</script>", "\u2028", "<!--"])) == ["</script>", "\u2028", "<!--"]
    assert "<" not in json_in_html("</script><!--")


def test_packed_numbers_are_float32_with_the_lowest_byte_first() -> None:
    assert packed(np.array([1.0, -2.0])) == "AACAPwAAAMA="


def sections(html: str) -> list[str]:
    """The ids of a page's sections, to each of which one link of the navigation leads."""
    ids = re.findall('<section id="(.*?)">', html)
    assert re.findall('<li><a href="#(.*?)">', html) == ids
    return ids


def test_sections_without_anything_to_show_are_left_out_and_their_links_with_them(contents: Contents) -> None:
    alone = page(Contents(Results((row("LineWalk", "QLearning"),), (), {})))
    assert sections(alone) == ["summary", "curves", "profiles", "reproduce"]
    assert 'id="logarithmic"' not in alone
    games = page(Contents(Results((), (game("climbing", "IndependentQ", 2),), ABOUT)))
    assert sections(games) == ["games", "reproduce"]
    assert 'class="skip" href="#games"' in games
    single = page(Contents(Results((row("Bandit", "QLearning", value_error=np.array([0.5])),), (), {})))
    assert sections(single) == ["summary", "curves", "profiles", "values", "reproduce"]
    assert 'id="scale"' not in single
    levels = page(Contents(Results((row("Bandit", "Random", regret=np.ones((11, 10))),), (), {})))
    assert sections(levels) == ["summary", "curves", "reproduce"]
    everything = sections(page(contents))
    assert "<!-- begin" not in page(contents)
    assert everything == ["summary", "across", "curves", "profiles", "regret", "values", "games", "check", "reproduce"]


def test_how_it_was_made_names_nothing_that_never_ran() -> None:
    settings = {"worlds": ["LineWalk"], "steps": 6_000, "seed": 7, "games": ["climbing"], "rounds": 500}
    about = {**ABOUT, "comparison": settings}
    rows, games = (row("LineWalk", "QLearning"),), (game("climbing", "IndependentQ", 2),)
    for found, absent in (((), games), ("6000", "0.125")), ((rows, ()), ("500", "FictitiousPlay")):
        contents = Contents(Results(*found, about))
        made = page(contents).partition('<section id="reproduce">')[2].partition("<footer")[0]
        text = markdown(contents, {}).partition("## How to reproduce it")[2]
        for part in (made, text):
            assert [word for word in ("6000", "0.125", "500", "FictitiousPlay") if word not in part] == list(absent)
            assert "seed" in part
        assert contents.provenance == about
    for word in ("6000", "0.125", "500", "FictitiousPlay"):
        assert word in markdown(Contents(Results(rows, games, about)), {})


def test_every_machine_that_results_were_made_on_is_told(contents: Contents) -> None:
    assert "<h3>Machine</h3>" in page(contents)
    machines = [*contents.provenance["machines"], {"platform": "Elsewhere", "cpus": 3}]
    both = Contents(
        Results(contents.results.rows, contents.results.games, {**contents.provenance, "machines": machines})
    )
    assert "<h3>Machine 1</h3>" in page(both)
    assert "<h3>Machine 2</h3><dl><dt>platform</dt><dd>Elsewhere</dd>" in page(both)
    assert "- machine 2: platform Elsewhere, cpus 3" in markdown(both, {})


def test_the_head_of_the_page_says_when_it_was_finished_as_people_write_it(contents: Contents) -> None:
    assert "finished 3 January 2026, 00:04 UTC" in page(contents).partition("<nav")[0]
    assert moment_text("2026-11-22T23:19:59+02:00") == "22 November 2026, 21:19 UTC"
    assert [moment_text(other) for other in ("yesterday", "2026-11-22T23:19:59")] == [
        "yesterday",
        "2026-11-22T23:19:59",
    ]


def test_a_pair_that_is_not_checked_because_its_scores_are_sampled_is_named_with_the_reason() -> None:
    dqn, library = (replace(row("LineWalk", "SB3DQN"), who=Specification.parse(agent)) for agent in ("DQN", "SB3DQN"))
    sampled = tuple(replace(one, where=WorldSpecification.read("CartPole-v1"), exact=False) for one in (dqn, library))
    reason = "Not checked: DQN and SB3DQN on CartPole-v1. Their scores are means of sampled returns"
    for rows in (sampled, (*sampled, dqn, library)):
        found = Contents(Results(rows, (), {}))
        html = page(found)
        assert reason in html
        assert "stands beside its counterpart" not in html
        assert reason in markdown(found, {})
        assert reason in "\n".join(explanation(rows))
    checked = Contents(Results(rows[2:], (), {}))
    assert "Not checked" not in page(checked) + markdown(checked, {}) + "".join(explanation(rows[2:]))


def test_in_every_table_intervals_of_few_runs_are_marked_and_the_mark_is_explained() -> None:
    def few(one: Row, runs: int) -> Row:
        return replace(one, scores=one.scores[:, :runs])

    rows = (few(row("LineWalk", "QLearning"), 4), row("FourRooms", "QLearning"), row("FourRooms", "Sarsa"))
    rows = (*rows, row("LineWalk", "Sarsa"))
    games = game("climbing", "IndependentQ", 2)
    record = games.record
    first = {name: getattr(record, name)[:5] for name in ("joint_play", "late_play", "late_payoff")}
    fewer = replace(games, record=replace(record, exploitability=record.exploitability[:, :5], **first))
    marked = Contents(Results(rows, (fewer,), {}))
    sentence, across = (
        "fewer than 10 runs are too narrow. With 4 normally distributed runs",
        "the agent has fewer than 10 runs",
    )
    for text in (page(marked), markdown(marked, {})):
        tables = text.partition('<script type="application/json"')[0]
        assert tables.count("]†") == 1 + 2 + 1  # QLearning on LineWalk, its two means over worlds, and the game
        assert (sentence in text, across in text, "With 5 normally distributed runs" in text) == (True, True, True)
    enough = Contents(Results(rows[1:], (games,), {}))
    assert "†" not in markdown(enough, {}) + page(enough).partition('<script type="application/json"')[0]


def test_agents_of_different_worlds_are_not_silently_compared(contents: Contents) -> None:
    warning = "Not all agents ran on the same worlds"
    assert warning in page(contents)
    alike = [row(world, agent) for world in ("LineWalk", "Bandit") for agent in ("QLearning", "Sarsa")]
    assert warning not in page(Contents(Results(tuple(alike), (), {})))


def test_tables_stand_whole_but_for_those_of_very_many_lines() -> None:
    line = Contents(results()).summaries[0]
    boxes = [table(WORLD_COLUMNS, [line] * number, name="worlds") for number in (MOST_LINES, MOST_LINES + 1)]
    assert [box.partition(" role")[0] for box in boxes] == ['<div class="table"', '<div class="table long"']


def test_every_column_says_what_it_is_and_is_in_the_page_and_in_the_text(
    contents: Contents, written: list[Path]
) -> None:
    html, text = (path.read_text(encoding="utf-8") for path in written[:2])
    for columns, names in ((WORLD_COLUMNS, 2), (ACROSS_COLUMNS, 1), (GAME_COLUMNS, 2)):
        assert all(column.meaning for column in columns[names:])
        assert "| " + " | ".join(column.heading for column in columns) + " |" in text
        assert all(f'<button type="button">{column.heading}</button>' in html for column in columns)


def test_the_text_has_a_line_a_row_the_checks_the_pictures_and_the_command(
    contents: Contents, written: list[Path]
) -> None:
    text = written[1].read_text(encoding="utf-8")
    assert len(re.findall(r"^\| LineWalk \| ", text, re.MULTILINE)) == 6
    assert "| LineWalk | Optimal | 10 | 1.000 \\[1.000, 1.000\\] |" in text
    assert text.count("QLearning and SB3DQN may or may not agree") == 3
    for picture in written[3:]:
        assert f"]({picture.name})" in text
    assert "```sh\npython -m baselines compare --worlds LineWalk --seed 7\n```" in text
    assert "- settings of QLearning: epsilon 0.125, final\\_epsilon 0.01" in text
    assert "- numpy: 2.1.0" in text


def test_names_mean_nothing_to_markdown(contents: Contents) -> None:
    assert plain("a|b*c\n<d>") == r"a\|b\*c \<d\>"
    assert code("echo ```") == "````sh\necho ```\n````"
    lines = [line for line in markdown(contents, {}).splitlines() if line.startswith("| ")]
    worlds = [line for line in lines if "mine" in line]
    assert len(worlds) == 1
    assert len(re.findall(r"(?<!\\)\|", worlds[0])) == len(WORLD_COLUMNS) + 1


NASTY = (
    "a|b",
    "`x`",
    "<td>|</td>",
    "\\|",
    "\\",
    "``|``",
    "x\r\ny\nz",
    "*_~#[]()!",
    "$x$ | $y$",
    "&lt;|&#124;",
    "n" * 500,
)


def test_a_table_stays_a_table_whatever_names_are_in_it() -> None:
    """Read as GitHub reads it, every line has all of its cells and every name is what was typed."""
    markdown_it = pytest.importorskip("markdown_it", reason="Markdown is read with markdown-it-py, which rich brings")
    one = row("LineWalk", "QLearning")
    rows = [replace(one, where=WorldSpecification.read(name), who=Specification(name[::-1])) for name in NASTY]
    text = markdown(Contents(Results(tuple(rows), (), {"command": "a|b", "configs": {"`|": {"x|": "<b>"}}})), {})
    assert "$" not in re.sub(r"\\\$", "", text)  # GitHub would set it as mathematics
    html = markdown_it.MarkdownIt("commonmark").enable("table").render(text)
    [table] = re.findall("<table>(.*?)</table>", html, re.DOTALL)
    lines = [re.findall("<td[^>]*>(.*?)</td>", line, re.DOTALL) for line in table.split("<tr>")[2:]]
    assert [len(cells) for cells in lines] == [len(WORLD_COLUMNS)] * len(NASTY)
    found = [(unescape(cells[0]), unescape(cells[1])) for cells in lines]
    assert found == [tuple(re.sub(r"[\r\n]+", " ", name) for name in (name, name[::-1])) for name in NASTY]


def test_the_command_writes_the_report_of_a_finished_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Comparison(worlds=("LineWalk",), agents=("Random", "QLearning"), runs=2, steps=200, checkpoints=2)
    compare(small, tmp_path, workers=1)
    assert main(["report", str(tmp_path)]) == 0
    assert "report.html, report.md, results.csv, learning_curves.png" in capsys.readouterr().out
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "python -m baselines compare" in html
    assert "value_error_LineWalk.png" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_command_says_what_is_wrong_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no comparison" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_pngs_of_many_worlds_show_the_first_of_them_or_those_asked_for_and_the_rest_is_said(tmp_path: Path) -> None:
    worlds = [f"LineWalk:size={size}" for size in range(3, 16)]
    errors = [np.linspace(0, 1, 2 * size + 1) for size in range(3, 16)]
    rows = [row(world, "QLearning", value_error=error) for world, error in zip(worlds, errors)]
    many = Contents(Results(tuple(rows), (), ABOUT))
    files = write_report(many, tmp_path)
    drawn = [path.name for path in files if path.name.startswith("value_error")]
    assert len(drawn) == 12
    assert "value_error_LineWalk_size_15.png" not in drawn
    for path in files[:2]:
        assert "The PNGs show 12 of the 13 worlds" in path.read_text(encoding="utf-8")
    files = write_report(many, tmp_path, pictures_of=["LineWalk:size=15"])
    assert [path.name for path in files[3:]] == [
        "learning_curves.png",
        "performance_profiles.png",
        "value_error_LineWalk_size_15.png",
    ]
    with pytest.raises(ValueError, match="unknown world of this comparison 'LineWalk:size=99'"):
        write_report(many, tmp_path, pictures_of=["LineWalk:size=99"])


def test_where_pngs_show_everything_nothing_is_said_of_it(written: list[Path]) -> None:
    assert "The PNGs show" not in written[0].read_text(encoding="utf-8") + written[1].read_text(encoding="utf-8")
