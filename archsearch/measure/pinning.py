"""Which cores a measurement runs on, and whether others are busy beside it. Standard library only; Linux tells most."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STAT = Path("/proc/stat")
BUSY = 0.25  # cores that others keep busy: from here on a measurement is disturbed


@contextmanager
def pinned(threads: int) -> Iterator[tuple[int, ...]]:
    """This process on the last `threads` of its cores while it lasts (core 0 serves most interrupts); those cores.

    Where the system cannot pin, or there are no more cores than threads, nothing is changed: ().
    """
    if not hasattr(os, "sched_setaffinity"):
        yield ()
        return
    before = os.sched_getaffinity(0)
    cores = tuple(sorted(before)[-threads:])
    os.sched_setaffinity(0, cores)
    try:
        yield cores
    finally:
        os.sched_setaffinity(0, before)


@dataclass
class Load:
    """How busy others kept the machine since this was made [cores]."""

    began: float = field(default_factory=time.monotonic)
    machine: float | None = field(default_factory=lambda: machine_seconds())
    own: float = field(default_factory=lambda: own_seconds())

    def foreign(self) -> float | None:
        """Cores that other processes used on average; None where the system does not tell."""
        now = machine_seconds()
        passed = time.monotonic() - self.began
        if self.machine is None or now is None or passed <= 0:
            return None
        return max(0.0, (now - self.machine - (own_seconds() - self.own)) / passed)


def machine_seconds() -> float | None:
    """Processor time that all processes used since boot, stolen time included [s]; None where it is not told."""
    try:
        words = STAT.read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in words[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor time of this process and of the children it has waited for [s]."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
