"""Write a page for every world from its docstrings, registration and exact solution: `python docs/make_pages.py`.

With `--check` it writes nothing, names the pages that are out of date, and exits with 1 if there are any.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from gymnasium import spaces

from rl_envs.exact import Truth, truth
from rl_envs.registry import WORLDS, Entry, build, world_id
from rl_envs.worlds.world import World

PAGES = Path(__file__).parent / "worlds"

# The sections of a world's module docstring, and the heading of Gymnasium's pages that each one goes under.
SECTIONS = {
    "State": "Observation Space",
    "Actions": "Action Space",
    "Rewards": "Rewards",
    "Start": "Starting State",
    "Episode end": "Episode End",
    "Exact solution": "Exact Solution",
    "Source": "References",
}

# Up to this many actions get a table; more are combinations, which a sentence describes better.
LONGEST_ACTION_TABLE = 16


def pages() -> dict[Path, str]:
    """Every page by its path: one a world and an index."""
    written = {PAGES / f"{name}.md": page(name, entry) for name, entry in WORLDS.items() if entry.source is None}
    written[PAGES / "README.md"] = index_page()
    return written


def page(name: str, entry: Entry) -> str:
    """The page of one world, under Gymnasium's headings."""
    module, builder = _source(entry)
    summary, drawing, sections = parse_module(module)
    arguments = parse_arguments(builder)
    world = build(name)
    parts = [
        f"# {name}",
        f"![{name}](../gallery/{name}.png)",
        _facts(name, entry, world),
        "## Description",
        escape(summary),
        f"```text\n{drawing}\n```",
        escape(_description(builder)),
        "## Action Space",
        escape(sections["Actions"]),
        _actions(world),
        "## Observation Space",
        escape(sections["State"]),
        _observations(name, arguments),
        "## Starting State",
        escape(sections["Start"]),
        "## Rewards",
        escape(sections["Rewards"]),
        "## Episode End",
        escape(sections["Episode end"]),
        "## Arguments",
        _arguments(builder, entry, arguments),
        "## Exact Solution",
        escape(sections["Exact solution"]),
        _numbers(name, entry, truth(world)),
        "## References",
        escape(sections["Source"]),
        "## Version History",
        _versions(module, entry, sections),
    ]
    note = "<!-- Written by docs/make_pages.py from the docstrings; changes made here are lost. -->"
    return "\n\n".join([note, *(part for part in parts if part)]) + "\n"


def index_page() -> str:
    """The list of all worlds."""
    rows = ["| | World | What it is | States | Actions | Discount | Steps | Optimal value | Uniform policy |"]
    rows.append("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for name, entry in WORLDS.items():
        if entry.source is not None:
            continue  # of an installed package of somebody else
        world = build(name)
        solved = truth(world)
        summary = parse_module(_source(entry)[0])[0]
        numbers = (
            f"{world.mdp.num_states:,}",
            f"{world.mdp.num_actions:,}",
            number(world.mdp.discount),
            f"{entry.max_episode_steps:,}" if entry.max_episode_steps else "no limit",
            number(solved.optimal_value, 6),
            number(solved.random_value, 6),
        )
        picture = f'<img src="../gallery/{name}.png" width="160" alt="{name}">'
        rows.append(f"| {picture} | [{name}]({name}.md) | {cell(summary)} | {' | '.join(numbers)} |")
    return (
        "\n\n".join(
            [
                "<!-- Written by docs/make_pages.py; changes made here are lost. -->",
                "# The worlds",
                "A *world* is a Gymnasium environment: a table of its dynamics, p(s', r | s, a), and a picture. "
                "Because the table is known, the values below are exact.",
                "Values are discounted means over the start distribution. Every world has a variant with one-hot "
                f"observations, such as `{world_id('LineWalk', one_hot=True)}`.",
                "\n".join(rows),
            ]
        )
        + "\n"
    )


def parse_module(module: ModuleType) -> tuple[str, str, dict[str, str]]:
    """Parse a world's module docstring.

    Args:
        module: of the world.

    Returns:
        The first sentence, the drawing, and the text of each section without line breaks.

    Raises:
        ValueError: a section is missing; the message names it and the file.
    """
    file = Path(module.__file__ or "").name
    lines = inspect.cleandoc(module.__doc__ or "").split("\n")
    known = "|".join([*SECTIONS, "Version history"])
    sections: dict[str, list[str]] = {}
    drawing: list[str] = []
    for line in lines[1:]:
        heading = re.match(rf"({known}):\s*(.*)", line)
        if heading:
            sections[heading[1]] = [heading[2]]
        elif sections:
            if line and not line.startswith(" "):
                raise ValueError(f"{file}: a line of a section must be indented or begin a known one, but is {line!r}")
            list(sections.values())[-1].append(line.strip())
        else:
            drawing.append(line)
    for name in SECTIONS:
        if name not in sections:
            raise ValueError(f"{file}: the module's docstring must have the section {name!r}, but has {list(sections)}")
    shape = "\n".join(drawing).strip("\n")
    return (
        lines[0],
        inspect.cleandoc("\n" + shape),
        {name: _sentence(" ".join(text)) for name, text in sections.items()},
    )


def _sentence(text: str) -> str:
    """Text with its first letter in upper case, unless it starts with a symbol such as v*(s)."""
    text = text.strip()
    return text[:1].upper() + text[1:] if re.match(r"a |[a-z]{2}", text) else text


def parse_arguments(builder: Any) -> dict[str, str]:
    """Each argument's description in the docstring of a builder.

    Args:
        builder: a world's function.

    Returns:
        The text for each argument, without line breaks.

    Raises:
        ValueError: an argument that the docstring leaves out, or one that is none.
    """
    text = inspect.getdoc(builder) or ""
    found = re.search(r"^Args:\n((?:    .*\n|\n)+)", text + "\n", flags=re.MULTILINE)
    described: dict[str, str] = {}
    last = ""
    for line in found[1].split("\n") if found else []:
        start = re.match(r"    (\w+): (.*)", line)
        if start:
            last = start[1]
            described[last] = start[2]
        elif line.strip():
            described[last] += " " + line.strip()
    wanted = set(inspect.signature(builder).parameters)
    if wanted != set(described):
        raise ValueError(
            f"{builder.__name__}: the docstring must describe each argument, but lacks "
            f"{sorted(wanted - set(described))} and has {sorted(set(described) - wanted)} too many"
        )
    return described


def number(value: float, digits: int = 10) -> str:
    """A number with so many significant digits, without rounding errors, so that it is the same on every machine."""
    rounded = round(value, 11)
    return f"{rounded + 0.0:.{digits}g}"


def literal(value: Any) -> str:
    """A default as Python source, with simple fractions: 1/3."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float) and len(repr(value)) > 10:
        simple = Fraction(value).limit_denominator(100)
        return str(simple) if float(simple) == value else number(value)
    return repr(value)


def escape(text: str) -> str:
    """Text escaped for Markdown, except inside backticks."""
    pieces = text.split("`")
    for i in range(0, len(pieces), 2):
        pieces[i] = re.sub(r"([*_<\[\]])", r"\\\1", pieces[i])
    return "`".join(pieces)


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return escape(text).replace("|", "\\|")


def _source(entry: Entry) -> tuple[ModuleType, Any]:
    """The module and the function of a world."""
    module_name, function = entry.builder.split(":")
    module = importlib.import_module(module_name)
    return module, getattr(module, function)


def _description(builder: Any) -> str:
    """The part of the builder's docstring before its arguments."""
    text = (inspect.getdoc(builder) or "").split("\nArgs:")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n")).strip()


def _facts(name: str, entry: Entry, world: World) -> str:
    limit = f"{entry.max_episode_steps:,} steps" if entry.max_episode_steps else "none"
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f'| Make | `gymnasium.make("{world_id(name)}")` after `import rl_envs` |',
            f"| One-hot variant | `{world_id(name, one_hot=True)}` |",
            f"| Action space | `{space(world.action_space)}` |",
            f"| Observation space | `{space(world.observation.space)}` |",
            f"| States and actions | {world.mdp.num_states:,} and {world.mdp.num_actions:,} |",
            f"| Discount | {number(world.mdp.discount)} |",
            f"| Time limit | {limit} |",
        ]
    )


def space(given: spaces.Space[Any]) -> str:
    """A space as a short expression."""
    if isinstance(given, spaces.MultiDiscrete):
        return f"MultiDiscrete({given.nvec.tolist()})"
    if isinstance(given, spaces.Box):
        low, high = number(float(given.low.min()), 4), number(float(given.high.max()), 4)
        return f"Box({low}, {high}, {given.shape}, {given.dtype})"
    return str(given)


def _actions(world: World) -> str:
    """The actions with their names and keys, unless they are too many."""
    if len(world.action_names) > LONGEST_ACTION_TABLE:
        return (
            f'The table has {world.mdp.num_actions} actions, from "{world.action_names[0]}" to '
            f'"{world.action_names[-1]}"; the last choice varies fastest. `env.unwrapped.action_names` lists them.'
        )
    keys: Mapping[int, str] = {action: key for key, action in reversed(world.keys.items())}
    rows = ["| Action | Name | Key |", "|---:|---|---|"]
    for action, action_name in enumerate(world.action_names):
        key = f"`{keys[action]}`" if action in keys else ""
        rows.append(f"| {action} | {cell(action_name)} | {key} |")
    return "\n".join(rows) + f'\n\nThe keys are for `rl_envs.play("{world.name}")`.'


def _observations(name: str, arguments: Mapping[str, str]) -> str:
    """The kinds of observation with their spaces."""
    rows = ["| `observation=` | Space |", "|---|---|"]
    for kind in re.findall(r'"([a-z_]+)"', arguments["observation"]):
        rows.append(f'| `"{kind}"` | `{space(build(name, observation=kind).observation.space)}` |')
    return "\n".join(rows)


def _arguments(builder: Any, entry: Entry, arguments: Mapping[str, str]) -> str:
    rows = ["| Argument | Default | Meaning |", "|---|---|---|"]
    for name, parameter in inspect.signature(builder).parameters.items():
        default = entry.arguments.get(name, parameter.default)
        shown = "the map above" if name == "map" else f"`{literal(default)}`"
        rows.append(f"| `{name}` | {shown} | {cell(arguments[name])} |")
    return "\n".join(rows)


def _numbers(name: str, entry: Entry, solved: Truth) -> str:
    """The exact values, computed when the page is written."""
    rows = ["| Exact value, default arguments | Value |", "|---|---:|"]
    rows.append(f"| Optimal value, discounted, from the start distribution | {number(solved.optimal_value)} |")
    rows.append(f"| Value of the uniform policy | {number(solved.random_value)} |")
    rows.append(f"| Value of the worst policy | {number(solved.worst_value)} |")
    if entry.max_episode_steps is not None:
        limit = f"{entry.max_episode_steps:,}"
        best, uniform = solved.optimal_episode_return(), solved.random_episode_return()
        rows.append(f"| Largest mean return of an episode of at most {limit} steps | {number(best)} |")
        rows.append(f"| Mean return of the uniform policy in such an episode | {number(uniform)} |")
    rows.append(f"| Registered `reward_threshold` | {number(entry.reward_threshold)} |")
    return "\n".join(rows) + f'\n\nComputed by `rl_envs.truth("{world_id(name)}")`.'


def _versions(module: ModuleType, entry: Entry, sections: Mapping[str, str]) -> str:
    """The world's versions; from the second on, the docstring has to say what changed."""
    if "Version history" in sections:
        return escape(sections["Version history"])
    if entry.version > 0:
        file = Path(module.__file__ or "").name
        raise ValueError(f"{file}: the docstring of a world of version {entry.version} must have a 'Version history'")
    return "- v0: first version."


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; returns the exit status."""
    written = pages()
    surplus = sorted(set(PAGES.glob("*.md")) - set(written))
    stale = [path for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in [*stale, *surplus]:
            print(f"{path.parent.name}/{path.name} is out of date: run `make docs`")
        return 1 if stale or surplus else 0
    PAGES.mkdir(exist_ok=True)
    for path in surplus:
        path.unlink()
    for path in stale:
        path.write_text(written[path], encoding="utf-8")
    print(f"docs/worlds: {len(written)} pages, {len(stale)} updated")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
