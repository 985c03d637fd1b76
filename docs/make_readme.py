"""Write the README's tables of worlds and agents from the registries.

python docs/make_readme.py           # rewrite them
python docs/make_readme.py --check   # exit with 1 if they are stale
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import gymnasium as gym

import rl_envs
from baselines.registry import AGENTS
from rl_envs.registry import WORLDS, world_id

README = Path(__file__).parent.parent / "README.md"


def world_table() -> str:
    """One row a world: what it is, its size, and two numbers that the solver computes."""
    rows = [
        "| world | what it is | states | actions | steps | optimum | uniform policy |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, entry in WORLDS.items():
        if entry.source is not None:
            continue  # of an installed package of somebody else
        module = importlib.import_module(entry.builder.split(":")[0])
        what = module.__doc__.splitlines()[0].rstrip(".")
        answer = rl_envs.truth(gym.make(world_id(name)))
        rows.append(
            f"| [{name}](docs/worlds/{name}.md) | {what} | {answer.mdp.num_states} | {answer.mdp.num_actions} "
            f"| {entry.max_episode_steps or '-'} | {number(answer.optimal_value)} | {number(answer.random_value)} |"
        )
    rows += [
        "",
        "Steps: the time limit. Optimum and uniform policy: exact discounted value from the start distribution.",
    ]
    return "\n".join(rows)


def number(value: float) -> str:
    """Six digits; what is 0 but for rounding is 0."""
    return f"{round(value, 12) + 0.0:.6g}"


def agent_table() -> str:
    """One row an agent: what it is and the file to read."""
    rows = ["| agent | what it is | file |", "|---|---|---|"]
    for name, entry in AGENTS.items():
        file = entry.agent.split(":")[0].replace(".", "/") + ".py"
        rows.append(f"| {name} | {entry.summary} | [{file}]({file}) |")
    return "\n".join(rows)


def with_tables(text: str) -> str:
    """The README's text with each table in its place; raises ValueError where a place is missing."""
    for name, table in (("worlds", world_table()), ("agents", agent_table())):
        place = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not place.search(text):
            raise ValueError(f"README.md must have a place for the table of {name}")
        text = place.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", text)
    return text


def main() -> int:
    """Rewrite the tables or check them."""
    old = README.read_text()
    new = with_tables(old)
    if "--check" in sys.argv[1:]:
        if new != old:
            print("README.md is stale: run python docs/make_readme.py")
        return int(new != old)
    README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
