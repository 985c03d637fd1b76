"""The one-way arrows of the design, read off the import statements."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FILES = sorted(path for package in ("rl_envs", "baselines") for path in (REPOSITORY / package).rglob("*.py"))

HEAVY = {"scipy", "pygame", "pettingzoo", "matplotlib", "torch", "pandas", "stable_baselines3", "rich", "tyro"}

# The rooms of each package from the ground up, and for each the rooms below it that its files may import; any other it
# may not. Each file of the front door (`__main__`, the registries) is a room by itself.
ROOMS: dict[str, set[str]] = {
    "rl_envs.names": set(),
    "rl_envs.specification": {"rl_envs.names"},
    "rl_envs.user_file": {"rl_envs.names"},
    "rl_envs.mdp": set(),
    "rl_envs.drawing": set(),
    "rl_envs.worlds": {"rl_envs.names", "rl_envs.mdp", "rl_envs.drawing"},
    "rl_envs.registry": {"rl_envs.names", "rl_envs.specification", "rl_envs.worlds"},
    "rl_envs.making": {"rl_envs.names", "rl_envs.specification", "rl_envs.user_file", "rl_envs.registry"},
    "rl_envs.extraction": {"rl_envs.mdp", "rl_envs.drawing", "rl_envs.worlds"},
    "rl_envs.exact": {
        "rl_envs.mdp",
        "rl_envs.specification",
        "rl_envs.worlds",
        "rl_envs.registry",
        "rl_envs.making",
        "rl_envs.extraction",
    },
    "rl_envs.options": {"rl_envs.mdp", "rl_envs.worlds"},
    "rl_envs.rendering": {
        "rl_envs.names",
        "rl_envs.mdp",
        "rl_envs.drawing",
        "rl_envs.worlds",
        "rl_envs.registry",
        "rl_envs.exact",
        "rl_envs.options",
    },
    "rl_envs.envs": {
        "rl_envs.names",
        "rl_envs.mdp",
        "rl_envs.worlds",
        "rl_envs.registry",
        "rl_envs.options",
        "rl_envs.rendering",
    },
    "rl_envs.reports": set(),
    "rl_envs.inspection": {
        "rl_envs.specification",
        "rl_envs.mdp",
        "rl_envs.worlds",
        "rl_envs.making",
        "rl_envs.extraction",
        "rl_envs.exact",
        "rl_envs.reports",
    },
    "rl_envs.diagnosis": {
        "rl_envs.names",
        "rl_envs.user_file",
        "rl_envs.mdp",
        "rl_envs.worlds",
        "rl_envs.registry",
        "rl_envs.exact",
        "rl_envs.envs",
        "rl_envs.reports",
    },
    "rl_envs.__main__": {"rl_envs.names", "rl_envs.inspection", "rl_envs.diagnosis"},
    "rl_envs.games": {
        "rl_envs.names",
        "rl_envs.specification",
        "rl_envs.mdp",
        "rl_envs.drawing",
        "rl_envs.envs",
        "rl_envs.extraction",
    },
}
BELOW: dict[str, set[str]] = {
    "baselines.system": set(),
    "baselines.learning": set(),
    "baselines.training": {"system", "learning"},
    "baselines.agents": {"learning", "training"},
    "baselines.games": {"system", "learning", "training"},
    "baselines.registry": {"system", "training"},
    "baselines.comparison": {"system", "training", "games", "registry"},
    "baselines.tuning": {"system", "training", "registry", "comparison"},
    "baselines.report": {"system", "training", "games", "comparison"},
    "baselines.monitoring": {"system", "learning", "training", "agents", "comparison", "tuning", "report"},
    "baselines.commands": {
        "system",
        "learning",
        "training",
        "agents",
        "games",
        "registry",
        "comparison",
        "tuning",
        "report",
        "monitoring",
    },
    "baselines.__main__": {"system", "commands"},
}
ROOMS |= {room: {f"baselines.{name}" for name in below} for room, below in BELOW.items()}

# What no file of a package or room may import, whatever it is for.
FORBIDDEN = {
    "rl_envs": ({"baselines", "torch", "stable_baselines3"}, "environments know no agents"),
    "rl_envs.mdp": ({"gymnasium"}, "tables know no environments"),
    "baselines.system": ({"rl_envs", "gymnasium"}, "what touches the machine knows no reinforcement learning"),
}

# What only some files may import at all: rules hold whatever else the file does.
ONLY = {
    "baselines.learning.updates": {"__future__", "collections", "typing", "numpy", "torch"},
    "baselines.learning.advantages": {"__future__", "torch"},
    "baselines.learning.action_values": {"__future__", "numpy"},
}


def room_of(module: str) -> str | None:
    """The room that a module is in; None for the package's own `__init__`, through which anybody may be reached."""
    return None if "." not in module else ".".join(module.split(".")[:2])


def broken_rule(module: str, imported: str) -> str | None:
    """The sentence that says why a module may not import another, or None where it may."""
    for prefix, (forbidden, why) in FORBIDDEN.items():
        if within(module, prefix) and any(within(imported, name) for name in forbidden):
            return f"{module} imports {imported}, but {prefix} may import none of {sorted(forbidden)}: {why}"
    room, other = room_of(module), room_of(imported)
    if room is None or other is None or room == other or other not in ROOMS:
        return None
    if imported.split(".")[0] != module.split(".")[0] or other in ROOMS[room]:
        return None
    allowed = ", ".join(sorted(ROOMS[room])) or "no other room"
    return f"{module} imports {imported}, but the room {room} may import {allowed} and not {other}"


def module_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> set[str]:
    """Full names of the modules that the statements import; `from a import b` counts as a and a.b."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"a relative import of {node.module}"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def at_module_level(tree: ast.Module) -> set[str]:
    """What importing the file imports; `if TYPE_CHECKING` and function bodies do not run then."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    return imports(Strip().visit(ast.parse(ast.unparse(tree))))


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


MODULES = {module_of(path): ast.parse(path.read_text()) for path in FILES}


@pytest.mark.parametrize("module", MODULES)
def test_arrows_run_one_way(module: str) -> None:
    imported = imports(MODULES[module])
    broken = {rule for name in imported if (rule := broken_rule(module, name))}
    assert not broken, "\n".join(sorted(broken))
    for prefix, allowed in ONLY.items():
        if within(module, prefix):
            assert {name.split(".")[0] for name in imported} <= allowed


def test_every_file_is_in_a_room() -> None:
    """Every file is in a listed room, and every listed room has files."""
    assert {room_of(module) for module in MODULES} - {None} == set(ROOMS)


def test_rooms_are_listed_from_the_ground_up() -> None:
    listed = list(ROOMS)
    for room, below in ROOMS.items():
        assert below <= set(listed[: listed.index(room)]), room


def circle(edges: dict[str, set[str]]) -> tuple[str, ...] | None:
    """Some names that lead in a circle, the first of them once more at the end; None where nothing does."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        if name in path:
            return (*path[path.index(name) :], name)
        if name in done:
            return None
        done.add(name)
        found = (visit(other, (*path, name)) for other in sorted(edges[name]))
        return next((way for way in found if way), None)

    return next((way for name in edges if (way := visit(name, ()))), None)


def test_no_import_goes_in_a_circle() -> None:
    """Imports inside functions and for type checkers count as well."""
    edges = {
        module: {name for name in imports(tree) if name in MODULES and name != module}
        for module, tree in MODULES.items()
    }
    # A package's front door hands names on from everywhere, and whoever imports a module of it imports it as well.
    doors = {"rl_envs", "baselines"}
    edges = {module: names - doors for module, names in edges.items() if module not in doors}
    way = circle(edges)
    assert way is None, " -> ".join(way or ())


@pytest.mark.parametrize("module", [m for m in MODULES if within(m, "rl_envs")])
def test_heavy_libraries_are_imported_where_they_are_used(module: str) -> None:
    # A PettingZoo environment must name its base class, so these modules are themselves imported only on demand.
    allowed = {"pettingzoo"} if within(module, "rl_envs.games") else set()
    top = {name.split(".")[0] for name in at_module_level(MODULES[module])}
    assert not (top & HEAVY) - allowed


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {part for module in MODULES for part in module.split(".")}
    assert not names & {"utils", "util", "common", "core", "helpers", "misc"}


@pytest.mark.parametrize("module", [m for m in MODULES if m != "baselines.__main__"])
def test_everything_public_says_what_it_is(module: str) -> None:
    """A docstring of its own, or for an override that of the method it overrides."""
    loaded = importlib.import_module(module)
    missing = [] if loaded.__doc__ else [module]
    for name, thing in vars(loaded).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module or not callable(thing):
            continue
        if not inspect.getdoc(thing):
            missing.append(name)
        if inspect.isclass(thing):
            methods = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
            missing += [
                f"{name}.{key}" for key in methods if callable(methods[key]) and not inspect.getdoc(getattr(thing, key))
            ]
    assert not missing


def test_a_circle_and_a_wrong_arrow_would_be_seen() -> None:
    tree = ast.parse("import rl_envs.envs\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import scipy")
    assert imports(tree) == {"rl_envs.envs", "torch", "scipy"}
    assert at_module_level(tree) == {"rl_envs.envs"}
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ("b", "c", "b")
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


@pytest.mark.parametrize(
    ("module", "imported", "rule"),
    [
        (
            "rl_envs.worlds.line_walk",
            "rl_envs.envs.tabular_env",
            "the room rl_envs.worlds may import .* not rl_envs.envs",
        ),
        ("rl_envs.mdp.solve", "rl_envs.names", "the room rl_envs.mdp may import no other room"),
        ("rl_envs.games.zero_sum", "torch", "environments know no agents"),
        (
            "baselines.learning.replay",
            "baselines.training.task",
            "the room baselines.learning may import no other room",
        ),
        ("baselines.comparison.cells", "baselines.report.page", "not baselines.report"),
    ],
)
def test_a_broken_rule_is_named_with_its_room(module: str, imported: str, rule: str) -> None:
    assert re.search(rule, broken_rule(module, imported) or "")
