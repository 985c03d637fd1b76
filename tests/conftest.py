"""Settings every test runs under; set before NumPy, torch, pygame or matplotlib is first imported."""

import os

# No window is ever opened.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["MPLBACKEND"] = "Agg"
# One thread a process: several workers on few cores slow each other down many times over, and sums keep their order.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from hypothesis import settings  # noqa: E402  (the variables above must be set first)

# The same examples every time, so that a failure repeats; --hypothesis-profile=explore draws new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("repeatable")
