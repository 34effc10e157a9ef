"""Published costs of published networks, as closely as their authors printed them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from archsearch.cost.bottleneck import bottleneck_memory
from archsearch.cost.conventions import CONVENTIONS, counted
from archsearch.cost.count import count, count_codes
from archsearch.cost.published import compare, zoo_rows
from archsearch.errors import CountError
from archsearch.spec.canon import keys
from archsearch.spec.presets import preset
from archsearch.spec.space_file import read_space
from archsearch.spec.zoo import ROWS
from archsearch.spec.zoo.published import Figure, Published

HERE = Path(__file__).parent


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_printed_figure_follows_or_is_known_not_to():
    rows = zoo_rows()
    assert len(rows) == len(ROWS) >= 140
    assert [(row.published, row.compared) for row in rows if row.verdict == "no"] == []
    assert sum(row.verdict == "yes" for row in rows) > 110


def test_a_misprint_that_agrees_is_no_misprint():
    right = Published(name="fbnet_c", source="here", params=Figure(text="5572200", misprint="it is not"))
    assert compare(right).verdict == "no"
    open_ = Published(name="fbnet_c", source="here", params=Figure(text="5572200", unexplained="nobody knows"))
    assert compare(open_).verdict == "no"
    wrong = Published(name="fbnet_c", source="here", params=Figure(text="5572201"))
    assert compare(wrong).verdict == "no"
    for why in ("misprint", "unexplained"):
        known = Published(name="fbnet_c", source="here", params=Figure(text="5572201", **{why: "said"}))
        assert compare(known).verdict == why
    assert compare(Published(name="fbnet_c", source="here")).verdict == "-"


def test_every_convention_is_that_of_some_row():
    used = {("madds", row.madds.counts) for row in ROWS if row.madds}
    used |= {("params", row.params.counts) for row in ROWS if row.params}
    assert used == {(metric, name) for metric, known in CONVENTIONS.items() for name in known}


def test_an_unknown_convention_names_the_nearest():
    with pytest.raises(CountError, match="did you mean 'tflite'"):
        counted(preset("fbnet_c"), "madds", "tf_lite")


@pytest.mark.parametrize("row", _rows(HERE / "zoo_counts.csv"), ids=lambda row: row["preset"])
def test_the_counts_are_those_measured_in_two_zoos(row):
    """Measured by hooks on convolutions and linear layers of timm's and pytorchcv's models."""
    assert count(preset(row["preset"]), ("params", "madds")) == {name: int(row[name]) for name in ("params", "madds")}


TORCHVISION = {
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "mnasnet_b1_0.5": "mnasnet0_5",
    "mnasnet_b1_0.75": "mnasnet0_75",
    "mnasnet_b1": "mnasnet1_0",
    "mnasnet_b1_1.3": "mnasnet1_3",
    "efficientnet_b0": "efficientnet_b0",
    "lraspp_mobilenet_v3_large_1.0_224": "lraspp_mobilenet_v3_large",
}


@pytest.mark.parametrize(("name", "theirs"), TORCHVISION.items())
def test_torchvisions_models_have_our_counts(name, theirs):
    import torch
    from torchvision.models import get_model, get_model_weights

    from archsearch.nn.trace import by_hooks

    backbone = {"weights_backbone": None} if "aspp" in theirs else {}
    model = get_model(theirs, weights=None, **backbone)
    measured = by_hooks(model, torch.zeros(1, 3, 224, 224))
    assert count(preset(name), measured) == measured
    assert measured["params"] == get_model_weights(theirs).DEFAULT.meta["num_params"]


def test_torchvisions_detector_is_ours_with_six_boxes_in_each_cell_of_the_first_map():
    from torchvision.models import get_model_weights

    theirs = get_model_weights("ssdlite320_mobilenet_v3_large").DEFAULT.meta
    ours = count(preset("ssdlite_mobilenet_v3_large_halved"), ("params", "madds"))
    wide, outputs = 6 * 112, (6 - 3) * (91 + 4)  # channels of that map; outputs of the further boxes
    assert ours["params"] + (wide + 1) * outputs == theirs["num_params"]
    assert round((ours["madds"] + wide * outputs * 20**2) / 1e9, 3) == theirs["_ops"]


@pytest.mark.parametrize(
    ("name", "madds", "params", "of_params"),
    [
        ("ssdlite_mobilenet_v2", 788_830_144, 4_286_261, "no_norm"),  # 0.789 B and 4.286 M
        ("deeplabv3_os16_mobilenet_v2", 2_740_709_056, 2_113_557, "plain"),  # 2.741 B and 2.114 M
        ("proxyless_w0.3_r176", 38_282_216, 754_280, "plain"),  # 38.282 M and 0.754 M
        ("mobilenet_v2", 300_774_272, 3_470_760, "no_norm"),
    ],
)
def test_independent_counts_are_met(name, madds, params, of_params):
    arch = preset(name)
    assert count(arch, ("madds",))["madds"] == madds
    assert counted(arch, "params", of_params) == params


MEMORY_MISPRINTS = {  # network, side -> channels that the table should print
    ("MobileNetV2", 56): 24,
    ("MobileNetV2", 28): 32,
    ("MobileNetV2", 14): 96,
}


def test_memory_between_blocks_is_table_3(tables):
    wrong = []
    for row in _rows(tables / "mbv2_paper_t3_memory.csv"):
        if row["network"].startswith("ShuffleNet") or row["version"] != "arXiv v4":
            continue
        found = bottleneck_memory(preset(row["network"].lower().replace("netv", "net_v")))
        if row["resolution"] == "max":
            channels, memory = None, max(size for _, size in found.values())
        else:
            side = int(row["resolution"].partition("x")[0])
            channels, memory = found[side]
            assert channels == MEMORY_MISPRINTS.get((row["network"], side), int(row["channels"])), row
        if not 0.96 < memory / 1000 / float(row["memory_kb_fp16"]) < 1.3:  # the table rounds to one or two digits
            wrong.append((row["network"], row["resolution"], row["memory_kb_fp16"]))
    assert wrong == [
        ("MobileNetV2", "56x56", "200"), ("MobileNetV2", "28x28", "100"), ("MobileNetV2", "14x14", "62"),
        ("MobileNetV1", "7x7", "199"),
    ]  # fmt: skip


def test_the_wrong_rows_of_table_3_pair_a_stages_input_with_its_output():
    arch = preset("mobilenet_v2")
    behind = {56: arch.stages[2].width, 28: arch.stages[3].width, 14: arch.stages[5].width}
    assert [stage.stride for stage in (arch.stages[2], arch.stages[3], arch.stages[5])] == [2, 2, 2]
    assert {side: c * side * side * 2 // 1000 for side, c in behind.items()} == {56: 200, 28: 100, 14: 62}


def test_mobilenet_v2_peak_is_at_the_widest_block_of_the_largest_map():
    peak = count(preset("mobilenet_v2"))["peak_memory"]
    assert peak == 4 * (96 * 112 * 112 + 96 * 56 * 56)  # depthwise layer of the second stage


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
