"""Times for reading."""

import math

UNITS = ((1e-3, 1e-6, "us"), (1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min"))  # below, one unit [s], name


def duration(seconds: float | None) -> str:
    """40 us, 3.1 ms, 12 s, 4.2 min, 1.3 h; a dash where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for limit, step, unit in UNITS:
        if seconds < limit:
            return f"{seconds / step:.3g} {unit}"
    return f"{seconds / 3600:.3g} h"
