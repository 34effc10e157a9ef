"""Cores that are held, and others that are busy."""

import os
import time
from pathlib import Path

import pytest

from archsearch.bench.sentinel import burner, other_core
from archsearch.measure import pinning
from archsearch.measure.pinning import Load, machine_seconds, pinned

LINUX = pytest.mark.skipif(machine_seconds() is None, reason="the system does not tell how busy it is")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
PINS = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin a process")


@PINS
def test_a_measurement_runs_on_so_many_cores_and_gives_them_back():
    before = os.sched_getaffinity(0)
    with pinned(1) as cores:
        assert os.sched_getaffinity(0) == set(cores)
        assert len(cores) == 1
    assert os.sched_getaffinity(0) == before


@PINS
def test_more_threads_than_cores_take_all_of_them():
    before = os.sched_getaffinity(0)
    with pinned(1000) as cores:
        assert set(cores) == before


@LINUX
@PINS
@pytest.mark.skipif(CORES < 2, reason="a burner needs a core of its own")
def test_a_real_process_that_burns_another_core_is_seen():
    other = other_core(1)
    with pinned(1) as cores:
        assert other not in cores
        with burner(other) as process:
            load, first = Load(), cpu_seconds(process.pid)
            while (burnt := cpu_seconds(process.pid) - first) < 0.5:  # until the system has let it run
                time.sleep(0.05)
            foreign, passed = load.foreign(), time.monotonic() - load.began
    assert foreign * passed >= 0.8 * burnt  # what it burnt is among what others used


@LINUX
def test_own_work_is_nobody_elses(monkeypatch):
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(pinning, "machine_seconds", lambda: 100.0)
    monkeypatch.setattr(pinning, "own_seconds", lambda: 7.0)
    monkeypatch.setattr(pinning.time, "monotonic", lambda: next(clock))
    load = Load(began=pinning.time.monotonic(), machine=90.0, own=0.0)
    assert load.foreign() == pytest.approx((100 - 90 - 7) / 10)


def test_a_system_that_tells_nothing_gives_no_load(monkeypatch):
    monkeypatch.setattr(pinning, "machine_seconds", lambda: None)
    assert Load().foreign() is None


def cpu_seconds(pid):
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
