"""MiniGrid's levels at fixed seeds, where it is installed: no finding that is wrong."""

import pytest

from rl_envs.inspection.inspection import inspect_env

pytest.importorskip("minigrid")

# Rewards fall with a count of steps that is not seen, in every level. In DoorKey the agent sees only what is before it:
# states in which the key or the door is behind it look alike. A step after the end is carried out as any other.
ALWAYS = {"reward_depends_on_time", "steps_after_the_end", "hidden_state"}


@pytest.mark.parametrize(
    "level",
    [
        "MiniGrid-Empty-5x5-v0",
        pytest.param("MiniGrid-DoorKey-5x5-v0", marks=pytest.mark.proofs),
        pytest.param("MiniGrid-FourRooms-v0", marks=pytest.mark.proofs),
    ],
)
def test_levels_have_no_finding_that_is_wrong(level: str) -> None:
    inspection = inspect_env(level, seed=0, check_steps=300, max_seconds=900)
    assert inspection.reason is None
    assert {one.key for one in inspection.findings} <= ALWAYS
    assert inspection.found("reward_depends_on_time") is not None
    assert {one.severity for one in inspection.findings} <= {"note", "warning"}
