"""What people install: declared dependencies, pinned versions, the Makefile, and the wheel."""

import ast
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import rl_envs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")

# Where a module's name is not its distribution's.
DISTRIBUTION_OF = {"PIL": "pillow", "pygame": "pygame-ce", "tomllib": "tomli"}


def extra_requirements(extra: str) -> list[Requirement]:
    """What an extra adds, with the extras it names itself followed."""
    found: list[Requirement] = []
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == PROJECT["name"]:
            for inner in sorted(requirement.extras):
                found += extra_requirements(inner)
        else:
            found.append(requirement)
    return found


def requirements(*extras: str) -> list[Requirement]:
    """What `pip install rl-envs[extras]` asks for by name."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for extra in extras:
        found += extra_requirements(extra)
    return found


def pins(name: str, python: str) -> dict[str, Version]:
    """The version each distribution is pinned to in a constraints file, for one Python."""
    found: dict[str, Version] = {}
    for line in (ROOT / name).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pin = Requirement(line)
        (specifier,) = pin.specifier
        assert specifier.operator == "==", f"{name} must pin exactly: {line}"
        if pin.marker is None or pin.marker.evaluate({"python_version": python, "extra": ""}):
            distribution = canonicalize_name(pin.name)
            assert distribution not in found, f"{name} pins {pin.name} twice for Python {python}"
            found[distribution] = Version(specifier.version)
    return found


def applies(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"python_version": python, "extra": ""})


def with_dependencies(asked: list[Requirement]) -> set[str]:
    """The names of `asked` and of all they depend on in turn, as far as they are installed here."""
    found: set[str] = set()
    waiting = [(requirement, "") for requirement in asked]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        found.add(name)
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [(Requirement(line), extra) for line in lines for extra in ("", *requirement.extras)]
    return found


def imported_distributions(package: str) -> set[str]:
    """Distributions outside the standard library that the modules of `package` import, anywhere in their text.

    An import whose failure is dealt with, in a `try` that does not raise, asks for nothing.
    """
    modules: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        tree = ast.parse(path.read_text())
        done_without = {id(node) for attempt in ast.walk(tree) if can_fail(attempt) for node in attempt.body}
        for node in ast.walk(tree):
            if id(node) in done_without:
                continue
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module.partition(".")[0])
    third_party = modules - set(sys.stdlib_module_names) - {"rl_envs", "baselines"}
    return {canonicalize_name(DISTRIBUTION_OF.get(module, module)) for module in third_party}


def can_fail(node: ast.AST) -> bool:
    """Whether it is a `try` that goes on when an import in it fails."""
    return isinstance(node, ast.Try) and any(
        isinstance(handler.type, ast.Name)
        and handler.type.id == "ImportError"
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
        for handler in node.handlers
    )


def makefile_targets() -> set[str]:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    rules = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(phony.split()) == rules, "every target of the Makefile is a command, so .PHONY lists them all"
    return rules


def documents() -> list[Path]:
    return [ROOT / ".ci" / "run", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_core_dependencies_are_gymnasium_numpy_and_scipy_alone():
    assert {requirement.name for requirement in requirements()} == {"gymnasium", "numpy", "scipy"}


def test_extras_are_the_documented_ones_and_all_holds_what_users_run():
    extras = {"games", "render", "baselines", "ray", "tune", "all", "test", "dev", "benchmarks"}
    assert set(PROJECT["optional-dependencies"]) == extras
    everything = {str(requirement) for requirement in requirements("games", "render", "baselines")}
    assert {str(requirement) for requirement in requirements("all")} == everything


@pytest.mark.parametrize(
    ("package", "extras"), [("rl_envs", ("games", "render")), ("baselines", ("baselines", "ray", "tune"))]
)
def test_every_third_party_import_is_a_declared_dependency(package, extras):
    declared = {canonicalize_name(requirement.name) for requirement in requirements(*extras)}
    if package == "rl_envs":
        declared |= {
            "rich"
        }  # of the extra baselines: reports have colours where it is installed, and are plain elsewhere
    assert imported_distributions(package) <= declared


def test_torch_is_pinned_to_the_version_with_a_known_cpu_build():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_pin_every_requirement_inside_its_range(python):
    pinned = pins("constraints.txt", python)
    build = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]
    for requirement in build + requirements(*PROJECT["optional-dependencies"]):
        if applies(requirement, python):
            version = pinned[canonicalize_name(requirement.name)]
            assert version in requirement.specifier, f"{requirement} does not admit {version}"


@pytest.mark.parametrize("python", ["3.10", "3.11"])
def test_oldest_constraints_pin_exactly_the_lower_bounds(python):
    pinned = pins("constraints-oldest.txt", python)
    for requirement in requirements("games", "render"):
        (bound,) = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        assert pinned[canonicalize_name(requirement.name)] == bound


@pytest.mark.parametrize("python", PYTHONS)
def test_oldest_constraints_pin_every_requirement_of_their_tests(python):
    pinned = pins("constraints-oldest.txt", python)
    for requirement in requirements("games", "render", "test"):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize(
    ("constraints", "extras"),
    [
        ("constraints.txt", ("all", "ray", "tune", "dev", "benchmarks")),
        ("constraints-oldest.txt", ("games", "render", "test")),
    ],
)
def test_constraints_pin_what_the_requirements_depend_on_too(constraints, extras):
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert with_dependencies(requirements(*extras)) <= pins(constraints, python).keys()


@pytest.mark.parametrize("python", PYTHONS)
def test_the_two_ends_share_the_versions_that_run_the_tests(python):
    newest, oldest = pins("constraints.txt", python), pins("constraints-oldest.txt", python)
    ends = {canonicalize_name(requirement.name) for requirement in requirements("games", "render")}
    libraries = {"cloudpickle", "farama-notifications", "typing-extensions", *ends}
    tools = oldest.keys() - libraries
    assert tools
    assert {name: oldest[name] for name in tools} == {name: newest[name] for name in tools}


def test_every_make_command_in_the_documents_is_a_target():
    pattern = re.compile(r"(?:^|`|\$ )make ([a-z][a-z-]*)", flags=re.MULTILINE)
    commands = {command for path in documents() for command in pattern.findall(path.read_text())}
    assert {"check", "test", "compare"} <= commands
    assert commands <= makefile_targets()


def test_every_extra_named_in_the_documents_exists():
    named = {
        extra.strip()
        for path in documents()
        for extras in re.findall(r"rl-envs\[([a-z, ]+)\]", path.read_text())
        for extra in extras.split(",")
    }
    assert named <= set(PROJECT["optional-dependencies"])


def test_the_old_end_runs_the_contract_of_every_environment():
    (kept_away,) = re.findall(r"^NEWEST_ONLY +:= (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert (ROOT / "tests" / "test_contract.py").is_file()
    assert "tests/test_contract.py" not in kept_away.split()


def test_a_wheel_holds_both_typed_packages_the_pytest_plugin_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        (metadata_name,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        description = Parser().parsestr(wheel.read(metadata_name).decode())
    top = {"rl_envs", "baselines", "pytest_rl_envs.py", metadata_name.split("/")[0]}
    assert {name.split("/")[0] for name in names} == top
    assert {"rl_envs/py.typed", "baselines/py.typed"} <= set(names)
    assert description["Version"] == rl_envs.__version__
    assert description["Requires-Python"] == ">=3.10"
