"""Published costs of published networks, as closely as their authors printed them."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from archsearch.cost.count import count, count_codes
from archsearch.spec.canon import keys
from archsearch.spec.lower import lower
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2
from archsearch.spec.space_file import read_space

V1_MISPRINTS = {(0.75, 224): 325, (0.75, 192): 239, (0.75, 160): 166, (0.75, 128): 107, (0.25, 192): 30}


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _without_norm(arch) -> int:
    """Parameters as TF-slim counts them: no batch norm."""
    return count(arch)["params"] - sum(2 * op.c_out * op.times for op in lower(arch) if op.norm)


@pytest.mark.parametrize(
    ("arch", "costs"),
    [
        (mobilenet_v2(), {"madds": 300_774_272, "params": 3_504_872, "weight_bytes": 4 * 3_504_872}),  # torchvision
        (mobilenet_v2(0.5), {"params": 1_968_680}),  # torchvision mobilenet_v2(width_mult=0.5)
        (mobilenet_v2(1.4), {"params": 6_108_776}),
    ],
)
def test_mobilenet_v2_has_its_published_size(arch, costs):
    counted = count(arch)
    assert {name: counted[name] for name in costs} == costs


def test_mobilenet_v2_without_batch_norm_has_tf_slims_size():
    assert _without_norm(mobilenet_v2()) == 3_470_760


def test_mobilenet_v1_has_its_published_size():
    assert round(count(mobilenet_v1())["madds"] / 1e6) == 569  # arXiv:1704.04861, table 4
    assert round(_without_norm(mobilenet_v1()) / 1e6, 1) == 4.2


def test_mobilenet_v2_peak_is_at_the_widest_block_of_the_largest_map():
    peak = count(mobilenet_v2())["peak_memory"]
    assert peak == 4 * (96 * 112 * 112 + 96 * 56 * 56)  # depthwise layer of the second stage


def test_every_row_of_tf_slims_mobilenet_v2_table(tables):
    rows = _rows(tables / "mbv2_tfslim_grid.csv")
    assert len(rows) == 15
    for row in rows:
        arch = mobilenet_v2(float(row["width"]), int(row["resolution"]))
        assert count(arch)["madds"] // 10**6 == int(row["macs_m"]), row
        assert abs(_without_norm(arch) / 1e6 - float(row["params_m"])) <= 0.0051, row


def test_every_row_of_tf_slims_mobilenet_v1_table(tables):
    rows = _rows(tables / "mbv1_tfslim_grid.csv")
    assert len(rows) == 22
    for row in rows:
        width, resolution = float(row["width"]), int(row["resolution"])
        costs = count(mobilenet_v1(width, resolution))
        printed = V1_MISPRINTS.get((width, resolution), int(row["macs_m"]))
        assert round(costs["madds"] / 1e6) == printed, row
        assert costs["params"] / 1e6 == pytest.approx(float(row["params_m"]), rel=0.01), row


def test_every_row_of_the_pytorch_retraining(tables):
    rows = _rows(tables / "mbv2_dli14_grid.csv")
    assert len(rows) == 7
    for row in rows:
        costs = count(mobilenet_v2(float(row["width"]), int(row["resolution"])))
        assert math.floor(costs["params"] / 1e3) / 1e3 == float(row["params_m"]), row
        assert 1.0 <= float(row["macs_m"]) * 1e6 / costs["madds"] <= 1.0006, row


@pytest.fixture(scope="module")
def macro(tables):
    """NAS-Bench-Macro: codes int64[6561, 8], params and MAdds of its table."""
    rows = _rows(tables / "nas_bench_macro.csv")
    codes = np.array([[int(digit) for digit in row["arch"]] for row in rows], dtype=np.int64)
    return codes, [int(row["params"]) for row in rows], [int(row["macs"]) for row in rows]


def test_every_row_of_nas_bench_macro(macro):
    codes, params, macs = macro
    assert len(codes) == 6561
    counted = count_codes(read_space("nas_bench_macro"), codes, ("params", "madds"))
    assert counted["params"].tolist() == params
    assert counted["madds"].tolist() == macs


def test_nas_bench_macro_holds_3969_distinct_networks(macro):
    codes, params, macs = macro
    space = read_space("nas_bench_macro")
    costs: dict[str, set[tuple[int, int]]] = {}
    for name, *cost in zip(keys(map(space.decode, codes)), params, macs, strict=True):
        costs.setdefault(name, set()).add(tuple(cost))
    assert len(costs) == 3969
    assert {len(each) for each in costs.values()} == {1}
