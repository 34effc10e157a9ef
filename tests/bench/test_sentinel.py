"""A load on another core, and the speed of foretelling."""

import os

import numpy as np
import pytest

from archsearch.bench import sentinel
from archsearch.bench.repeatability import Question
from archsearch.bench.sentinel import caught, other_core, speed
from archsearch.errors import DeviceError
from archsearch.measure.build import Builder, Plan, partial_of
from archsearch.measure.local import Local
from archsearch.measure.method import Effort
from archsearch.measure.pinning import pinned
from archsearch.spec.space_file import read_space
from tests.measure.fake import FakeDevice

PINS = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system cannot pin a process")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@pytest.mark.slow
@pytest.mark.skipif(CORES < 2, reason="a burner needs a core of its own")
def test_a_quiet_machine_and_a_busy_core_are_told_side_by_side(tmp_path):
    told = caught(Question(arch="r12 stem_c8_s1 ir_e2_c8 head_c16_n3"), tmp_path)
    assert list(told) == ["quiet", "burner", "quiet again"]
    for each in told.values():
        assert each["ms"] > 0
        assert each["caught"] == (each["foreign_load"] is not None and each["foreign_load"] > sentinel.BUSY)


@PINS
def test_the_busy_core_is_one_of_the_process_and_not_the_measuring_one(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 5, 7})
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None)
    for threads in (1, 2):
        with pinned(threads) as cores:
            assert other_core(threads) in {2, 5, 7} - set(cores)


@PINS
def test_a_process_with_too_few_cores_is_told_how_many_it_takes(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    with pytest.raises(DeviceError, match=r"a busy core beside 1 measuring thread\(s\) needs 2 cores, here are 1"):
        caught(Question(), tmp_path)


def test_both_ways_of_foretelling_agree_and_their_rates_are_told(tmp_path):
    space, watch = read_space("linear_vs_relu"), Local(device=FakeDevice())
    quick = Effort(least=3, most=5)
    plan = Plan(space=space, networks=20, effort=quick, network_effort=quick, most=150)
    table = Builder(watch=watch, plan=plan, partial=partial_of(tmp_path / "t.json", plan, watch)).table()
    result = speed(table, space, 50)
    assert (result["networks"], result["checked"]) == (50, 50)
    assert np.all(np.asarray([value for name, value in result.items() if name.endswith("per_second")]) > 0)
    assert result["with_making"] < result["networks_per_second"]
