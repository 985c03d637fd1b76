"""The page: one HTML file with its numbers, its pictures and the library that draws them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import rl_envs
from baselines.comparison.summary import MARGIN, MINIMUM_RUNS, CrossCheck
from baselines.report.contents import Contents, pure_equilibria
from baselines.report.page_data import page_data
from baselines.report.page_tables import column_meanings, ends_table, table
from baselines.report.provenance import computing_of, machines_of
from baselines.report.scores import ON_CURVES, Kind, kinds_of, meanings, title_of
from baselines.report.tables import GAME_COLUMNS, across_columns, fewest_runs, world_columns
from baselines.report.wording import few_runs_somewhere_text, few_runs_text, interval_text, moment_text

LINKS = (
    ("summary", "Tables"),
    ("across", "Over all worlds"),
    ("curves", "Learning curves"),
    ("profiles", "Profiles"),
    ("regret", "Regret"),
    ("values", "Value error by state"),
    ("games", "Games"),
    ("check", "Cross-check"),
    ("reproduce", "Reproduce"),
)

# Joined into the page's one script.
SCRIPTS = ("page_figures.js", "page_value_maps.js", "page_choices.js")

# The text and the scale control of value maps.
ON_MAPS = "All agents on a world share one colour scale. Hover over a state for its value error."
SCALE = (
    '<div class="options"><label>Scale <select id="scale"><option value="learners">up to the worst learning agent'
    '</option><option value="all">up to the worst agent</option></select></label></div>'
)


def page(contents: Contents, left_out: str = "") -> str:
    """The whole page.

    Args:
        contents: what it shows.
        left_out: a sentence on the worlds without PNG figures.

    Returns:
        Self-contained HTML.
    """
    from plotly.offline import get_plotlyjs

    sections = sections_of(contents)
    template = Template(_without(_part("page.html"), [name for name, _ in LINKS if name not in sections]))
    data = page_data(contents)
    return template.substitute(
        title=escape(_title(contents)),
        lead=escape(_lead(contents)),
        style=_part("page.css"),
        links="".join(f'<li><a href="#{name}">{words}</a></li>' for name, words in LINKS if name in sections),
        first=sections[0],
        world_options=_options(contents),
        summary_title=escape(title_of(contents.summaries)),
        score_meaning=escape(_sentences(meanings(contents.rows))),
        summary=_summary(contents),
        across_meaning=escape(_sentences(meanings(row for row in contents.rows if row.exact))),
        across=_across(contents),
        on_curves=escape(" ".join(ON_CURVES[kind] for kind in _kinds_of_curves(contents))),
        on_maps=ON_MAPS if contents.value_maps else "",
        scale=SCALE if contents.value_maps else "",
        values=_value_notes(contents),
        games=_games(contents),
        margin=f"{MARGIN:g}",
        minimum_runs=str(MINIMUM_RUNS),
        check=_check(contents.checks, contents.not_checked),
        reproduction=_reproduction(contents.provenance_shown, left_out),
        version=escape(rl_envs.__version__),
        data=json_in_html(data),
        plotly=get_plotlyjs(),
        script="".join(map(_part, SCRIPTS)),
    )


def sections_of(contents: Contents) -> list[str]:
    """The ids of the sections that are not empty, in their order."""
    shown = {
        "summary": contents.summaries,
        "across": contents.across,
        "curves": contents.rows,
        "profiles": contents.profiles,
        "regret": any(set(curves) & set(contents.styles) for curves in contents.regret.values()),
        "values": contents.value_maps or contents.single_states,
        "games": contents.games,
        "check": contents.checks or contents.not_checked,
        "reproduce": True,
    }
    return [name for name, _ in LINKS if shown[name]]


def _without(html: str, sections: Sequence[str]) -> str:
    """The template without these sections, and without the markers around the others."""
    for name in sections:
        before, _, others = html.partition(f"<!-- begin {name} -->\n")
        html = before + others.partition(f"<!-- end {name} -->\n\n")[2]
    return re.sub(r"<!-- (begin|end) \w+ -->\n", "", html)


def json_in_html(data: Any) -> str:
    """JSON for a script element, escaped so that no name in it can end the element or begin a comment.

    Raises:
        ValueError: a number that is NaN or infinite, which JSON does not know.
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _part(name: str) -> str:
    return files("baselines.report").joinpath(name).read_text(encoding="utf-8")


def _title(contents: Contents) -> str:
    parts = []
    if contents.worlds:
        parts.append(f"{_count(contents.agents, 'agent')} on {_count(contents.worlds, 'world')}")
    if contents.games:
        players = {row.agent for row in contents.results.games}
        parts.append(f"{_count(players, 'agent')} in {_count(contents.games, 'game')}")
    return ", ".join(parts) or "An empty comparison"


def _count(things: Iterable[Any], name: str) -> str:
    number = len(list(things))
    return f"{number} {name}{'' if number == 1 else 's'}"


def _lead(contents: Contents) -> str:
    settings = contents.provenance.get("comparison", {})
    runs = f"{sum(row.num_runs for row in contents.rows) + sum(g.runs for g in contents.game_summaries):,} runs"
    parts = [runs, f"finished {moment_text(contents.provenance['last'])}" if "last" in contents.provenance else ""]
    parts.append(f"seed {settings['seed']}" if "seed" in settings else "")
    return ", ".join(filter(None, parts)) + f". {_how_scored(contents)}"


def _how_scored(contents: Contents) -> str:
    if not contents.rows:
        return "Exploitability is exact, not sampled."
    kinds = kinds_of(contents.rows)
    if kinds == ["episodes"]:
        return "Every score is a mean return of sampled episodes: no world has a table."
    return f"Every score{' on a world with a table' if 'episodes' in kinds else ''} is exact, not sampled."


def _kinds_of_curves(contents: Contents) -> list[Kind]:
    drawn = {figure.kind for figure in contents.score_figures}
    return [kind for kind in ON_CURVES if kind in drawn]


def _sentences(meanings_by_name: Mapping[str, str]) -> str:
    """The meaning of each kind of score, a sentence each: "The score is ..."."""
    return " ".join(f"The {name} is {meaning}." for name, meaning in meanings_by_name.items())


def _options(contents: Contents) -> str:
    def group(name: str, members: Sequence[str]) -> str:
        options = "".join(f'<option value="{escape(member)}">{escape(member)}</option>' for member in members)
        return f'<optgroup label="{name}">{options}</optgroup>' if members else ""

    return group("Worlds", contents.worlds) + group("Games", contents.games)


def _summary(contents: Contents) -> str:
    search = (
        '<div class="options"><label>Filter <input type="search" data-table="worlds" '
        'placeholder="world or agent" autocomplete="off"></label> '
        '<span class="count" id="worlds-count" role="status"></span></div>'
    )
    worlds = [summary.world for summary in contents.summaries]
    columns = world_columns(contents.summaries)
    few = _note(few_runs_text(summary.runs for summary in contents.summaries))
    return search + table(columns, contents.summaries, name="worlds", worlds=worlds) + few + column_meanings(columns)


def _across(contents: Contents) -> str:
    note = ""
    if len({line.worlds for line in contents.across}) > 1:
        note = '<p class="note">Not all agents ran on the same worlds: compare only those that did.</p>'
    columns, fewest = across_columns(contents.summaries), fewest_runs(contents.summaries)
    few = _note(few_runs_somewhere_text(fewest[line.agent] for line in contents.across))
    return note + table(columns, contents.across, name="over-worlds") + few + column_meanings(columns)


def _note(text: str) -> str:
    """A note in small print; empty for empty text."""
    return f'<p class="note">{escape(text)}</p>' if text else ""


def _value_notes(contents: Contents) -> str:
    """The notes below the maps, on worlds that have none."""
    return "".join(
        f'<p class="note" data-line-world="{escape(world)}">{escape(sentence)}</p>'
        for world, sentence in contents.single_states.items()
    )


def _games(contents: Contents) -> str:
    names = [summary.game for summary in contents.game_summaries]
    few = _note(few_runs_text(summary.runs for summary in contents.game_summaries))
    parts = [
        table(GAME_COLUMNS, contents.game_summaries, name="learners", worlds=names),
        few,
        column_meanings(GAME_COLUMNS),
    ]
    for game in contents.games:
        summaries = [summary for summary in contents.game_summaries if summary.game == game]
        task = next(row.task for row in contents.results.games if row.game == game)
        if any(summary.joint_actions for summary in summaries):
            parts.append(ends_table(game, pure_equilibria(task), summaries))
    return "".join(parts)


def _check(checks: Sequence[CrossCheck], not_checked: str) -> str:
    note = _note(not_checked)
    if not checks:
        return note
    reach = 1.08 * max([2 * MARGIN, *(abs(end) for check in checks if check.difference for end in check.difference)])
    rows = "".join(_forest_row(check, reach) for check in checks)
    # The margin's ends have labels where there is room for them, neither at the edges nor in the middle.
    ticks = (-reach, -MARGIN, 0.0, MARGIN, reach) if 4 < reach / MARGIN < 10 else (-reach, 0.0, reach)
    axis = "".join(f'<span style="left:{_percent(tick, reach)}">{_difference(tick)}</span>' for tick in ticks)
    sentences = "".join(
        f'<li data-line-world="{escape(check.world)}">{escape(check.sentence)}</li>' for check in checks
    )
    return (
        f'<div class="forest">{rows}'
        f'<div class="row"><span></span><div class="axis">{axis}</div><span></span></div></div>'
        f'<ul class="sentences">{sentences}</ul>{note}'
    )


def _forest_row(check: CrossCheck, reach: float) -> str:
    """A check as a point with its interval on a line from -reach to reach, the margin behind it."""
    kind = check.verdict.split()[-1] if check.verdict != "too few runs" else "few"
    marks = ""
    if check.difference is not None:
        estimate, low, high = check.difference
        marks = (
            f'<i class="whisker" style="left:{_percent(low, reach)};right:{_percent(-high, reach)}"></i>'
            f'<i class="dot" style="left:{_percent(estimate, reach)}"></i>'
        )
    margin = f"left:{_percent(-MARGIN, reach)};right:{_percent(-MARGIN, reach)}"
    return (
        f'<div class="row" data-line-world="{escape(check.world)}">'
        f"<div><strong>{escape(check.world)}</strong> {escape(check.ours)} − {escape(check.library)}</div>"
        f'<div class="track {kind}" title="{escape(interval_text(check.difference))}">'
        f'<i class="margin" style="{margin}"></i><i class="zero" style="left:50%"></i>{marks}</div>'
        f'<div class="verdict">{escape(check.verdict)}</div></div>'
    )


def _difference(value: float) -> str:
    return f"{value:+.2g}" if value else "0"


def _percent(value: float, reach: float) -> str:
    """The position of a difference between -reach and reach."""
    return f"{50 + 50 * value / reach:.2f}%"


def _reproduction(provenance: Mapping[str, Any], left_out: str) -> str:
    parts = [_note(left_out)]
    if "repeat" in provenance:
        parts.append(
            '<div class="options"><span>This command reproduces the comparison:</span> '
            '<button type="button" data-copy="repeat">Copy</button></div>'
            f'<pre id="repeat">{escape(str(provenance["repeat"]))}</pre>'
        )
    if "command" in provenance:
        parts.append(f'<p class="note">Command as typed: <code>{escape(str(provenance["command"]))}</code></p>')
    facts = [
        ("Comparison", provenance.get("comparison", {})),
        *((name, machine) for name, machine in machines_of(provenance).items()),
        ("Execution", computing_of(provenance)),
        ("Versions", provenance.get("versions", {})),
    ]
    parts.append(f'<div class="facts">{"".join(_facts(title, values) for title, values in facts if values)}</div>')
    groups = ("configs", "game_configs", "functions")
    configs = {agent: settings for group in groups for agent, settings in provenance.get(group, {}).items()}
    if configs:
        listed = "".join(_facts(agent, values) for agent, values in configs.items())
        parts.append(
            f'<details><summary>Hyperparameters of every agent</summary><div class="facts">{listed}</div></details>'
        )
    return "".join(parts)


def _facts(title: str, values: Any) -> str:
    if not isinstance(values, Mapping):
        return f"<div><h3>{escape(title)}</h3><p>{escape(str(values))}</p></div>"
    lines = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(fact_text(value))}</dd>" for name, value in values.items()
    )
    return f"<div><h3>{escape(title)}</h3><dl>{lines}</dl></div>"


def fact_text(value: Any) -> str:
    """A setting as text; a list as its members."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float) and math.isinf(value):
        return "infinite"
    return str(value)
