"""Latencies of separate processes: what is told of them, and what goes wrong there."""

import pytest

from archsearch.bench.repeatability import Question, child, repeated, spread
from archsearch.errors import DeviceError, PluginError, SpecError

TINY = "r12 stem_c8_s1 ir_e2_c8 head_c16_n3"


@pytest.mark.slow
def test_each_process_gives_a_time_by_each_way(tmp_path):
    told = []
    question = Question(arch=TINY, processes=2, minutes=0)
    result = repeated(question, tmp_path, lambda *words: told.append(words))
    assert set(result["ms"]) == {"plain", "raw", "corrected"}
    assert all(len(values) == 2 and min(values) > 0 for values in result["ms"].values())
    assert result["spread"]["plain"] == spread(result["ms"]["plain"])
    assert len(result["foreign_load"]) == 2
    assert told == [(0, 2, ""), (1, 2, "")]


@pytest.mark.parametrize(("changed", "error", "told"), [
    ({"arch": "mobilenet_v9"}, SpecError, "mobilenet_v9"),
    ({"device": "onnxrntime"}, PluginError, "did you mean 'onnxruntime'"),
    ({"device": "remote:pi"}, DeviceError, "device remote:pi cannot be timed the plain way"),
    ({"threads": 0}, DeviceError, "--threads must be at least 1"),
])  # fmt: skip
def test_what_cannot_be_timed_is_told_before_anything_is(changed, error, told, tmp_path):
    with pytest.raises(error, match=told):
        repeated(Question(**changed), tmp_path, lambda *_: pytest.fail("has begun"))


def test_a_process_that_fails_is_one_line_with_its_last_words():
    with pytest.raises(DeviceError, match="^a process that measures ended with code 1: ValueError: no time$"):
        child(["-c", "raise ValueError('no time')"])
    with pytest.raises(DeviceError, match="ended with code 3: no reason given$"):
        child(["-c", "raise SystemExit(3)"])


def test_the_spread_is_a_share_of_the_median():
    assert spread([1.0, 2.0, 3.0]) == {"deviation": 0.5, "range": 1.0}
