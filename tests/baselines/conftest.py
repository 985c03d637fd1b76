"""What holds for every test of the baselines."""

from tests.baselines.processes import no_command_outlives_its_test  # noqa: F401  (pytest finds it here)
