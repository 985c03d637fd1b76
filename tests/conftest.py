"""Settings every test runs under; set before NumPy, torch, pygame or matplotlib is first imported."""

import os

# No window is ever opened.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["MPLBACKEND"] = "Agg"
# One thread a process: several workers on few cores slow each other down many times over, and sums keep their order.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import pytest  # noqa: E402  (the variables above must be set first)
from hypothesis import settings  # noqa: E402

# The same examples every time, so that a failure repeats; --hypothesis-profile=explore draws new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test named by a set's or an object's text, which is another in every process.

    pytest-xdist runs nothing at all when two of its workers collect different names; but two short sets agree by chance
    half of the time, and the suite would pass on one machine and not on the next.
    """
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if " at 0x" in item.name or any(isinstance(v, (set, frozenset)) and str(v) in item.name for v in values):
            raise pytest.UsageError(f"{item.nodeid}: a name that differs from process to process; give it an id")
