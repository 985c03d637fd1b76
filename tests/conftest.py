"""Settings every test runs under; set before NumPy, torch, pygame or matplotlib is first imported."""

import os
import signal

# No window is ever opened.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["MPLBACKEND"] = "Agg"
# One thread a process: several workers on few cores slow each other down many times over, and sums keep their order.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
# A script's background job starts with Ctrl-C ignored, which every process that a test starts would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import HealthCheck, settings  # noqa: E402  (the variables above must be set first)

# The same examples every time, so that a failure repeats; --hypothesis-profile=explore draws new ones.
# How long an example takes says something about the machine, and nothing about what is tested.
ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **ANY_SPEED)
settings.register_profile("explore", max_examples=1_000, print_blob=True, **ANY_SPEED)
settings.load_profile("repeatable")


def pytest_sessionstart() -> None:
    """Let what is printed depend on no terminal but pytest's own output, which has its colours by now."""
    for variable in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        os.environ.pop(variable, None)
    os.environ["TERM"] = "xterm"
