"""The one-way arrows of the design, read off the import statements."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FILES = sorted(path for package in ("rl_envs", "baselines") for path in (REPOSITORY / package).rglob("*.py"))

HEAVY = {"scipy", "pygame", "pettingzoo", "matplotlib", "torch", "pandas", "stable_baselines3", "rich", "tyro"}

# module prefix -> what it may never import, anywhere in the file
FORBIDDEN = {
    "rl_envs": {"baselines", "torch", "stable_baselines3"},
    "rl_envs.mdp": {"rl_envs"},
    "rl_envs.streams": {"rl_envs"},
    "rl_envs.names": {"rl_envs"},
    "rl_envs.observation": {"rl_envs.mdp", "rl_envs.world", "rl_envs.env", "rl_envs.vector", "rl_envs.registry"},
    "rl_envs.solve": {
        "rl_envs.world",
        "rl_envs.env",
        "rl_envs.vector",
        "rl_envs.registry",
        "rl_envs.worlds",
        "gymnasium",
    },
    "rl_envs.gridworld": {"rl_envs.world", "rl_envs.env", "rl_envs.vector", "rl_envs.registry", "rl_envs.worlds"},
    "rl_envs.options": {"rl_envs.env", "rl_envs.vector", "rl_envs.registry", "rl_envs.worlds"},
    "rl_envs.semi_mdp": {"rl_envs.world", "rl_envs.options", "rl_envs.env", "rl_envs.vector", "rl_envs.registry"},
    "rl_envs.world": {"rl_envs.env", "rl_envs.vector", "rl_envs.registry", "rl_envs.worlds"},
    "rl_envs.worlds": {"rl_envs.env", "rl_envs.vector", "rl_envs.registry", "rl_envs.truth"},
    "rl_envs.games": {"rl_envs.env", "rl_envs.vector", "rl_envs.registry", "rl_envs.worlds"},
    "baselines.agents": {"baselines.comparison", "baselines.report", "baselines.registry", "baselines.sb3"},
}

# What only some files may import at all: rules hold whatever else the file does.
ONLY = {"baselines.updates": {"__future__", "collections", "typing", "numpy", "torch"}}


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
    for prefix, forbidden in FORBIDDEN.items():
        if within(module, prefix):
            wrong = {name for name in imported for other in forbidden if within(name, other)}
            wrong = {name for name in wrong if not within(name, module)}
            assert not wrong, f"{module} imports {wrong}"
    for prefix, allowed in ONLY.items():
        if within(module, prefix):
            assert {name.split(".")[0] for name in imported} <= allowed


def test_no_import_goes_in_a_circle() -> None:
    edges = {
        module: {name for name in at_module_level(tree) if name in MODULES and name != module}
        for module, tree in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for name in sorted(edges[module]):
                visit(name, (*path, module))
            done.add(module)

    for module in edges:
        visit(module, ())


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
    tree = ast.parse("import rl_envs.env\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import scipy")
    assert imports(tree) == {"rl_envs.env", "torch", "scipy"}
    assert at_module_level(tree) == {"rl_envs.env"}
