"""The table of bugs and its documentation page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rl_envs.diagnosis.bugs import BUG_TABLE, BugEntry, as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "diagnose.md"

# The keys that a report may carry, as users of the JSON know them.
KEYS = {
    "terminal_not_masked",
    "timeout_as_terminal",
    "reset_observation_as_next",
    "autoreset_row_learned",
    "return_leaks_across_episodes",
    "mask_one_step_early",
    "target_never_synced",
    "no_target_network",
    "double_networks_swapped",
    "reward_one_step_late",
    "n_step_discount",
    "n_step_rewards_undiscounted",
    "last_value_of_wrong_state",
    "stale_observation",
    "observation_ignored",
    "action_shifted",
    "broadcast_mean",
    "max_over_batch",
    "gradient_vanishes_on_large_errors",
    "target_not_detached",
    "wrong_sign",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "exploration_never_ends",
    "entropy_at_terminal",
    "unseeded",
    "observation_aliased",
    "steps_after_end",
    "learns_its_exploring_policy",
    "not_trained_enough",
}


def test_the_table_has_every_key() -> None:
    assert set(BUG_TABLE) == KEYS


def test_the_page_has_the_tables_sections() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(as_markdown())


@pytest.mark.parametrize("entry", BUG_TABLE.values(), ids=lambda entry: entry.key)
def test_an_entry_is_complete(entry: BugEntry) -> None:
    assert entry.sentence.endswith(".")
    assert entry.before != entry.after
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+ #\d+: \S.*[^.]", case) for case in entry.cases)


def test_only_notes_are_no_faults() -> None:
    assert {entry.key for entry in BUG_TABLE.values() if not entry.fault} == {
        "learns_its_exploring_policy",
        "not_trained_enough",
    }
