"""One network op by op."""

import csv
import io

import pytest
from hypothesis import given

from archsearch.cost.count import all_metrics, count, metric
from archsearch.cost.layers import MOST, layers, layers_csv, peak_row, stage_name
from archsearch.errors import SpecError
from archsearch.spec.arch import Arch, Stage
from archsearch.spec.lower import lower, unroll
from archsearch.spec.presets import preset
from tests.strategies import archs


@given(archs())
def test_the_rows_add_up_to_the_network(arch):
    rows = layers(arch)
    for name, cost in count(arch, all_metrics()).items():
        together = max if metric(name).peak else sum
        assert together(row[name] for row in rows) == cost


@given(archs())
def test_every_op_is_one_row_and_reads_what_ran_before_it(arch):
    rows = layers(arch)
    assert [row["name"] for row in rows] == [op.name for op in unroll(lower(arch))]
    seen = {"input"}
    for row in rows:
        assert set(row["inputs"]) <= seen
        seen.add(row["name"])


@given(archs())
def test_stages_come_in_order_from_the_stem_to_the_head(arch):
    order = ["stem", *(str(number + 1) for number in range(len(arch.stages))), "head"]
    places = [order.index(row["stage"]) for row in layers(arch)]
    assert places == sorted(places)


@given(archs())
def test_the_peak_is_the_first_row_that_reaches_the_networks_peak(arch):
    rows = layers(arch)
    peak = peak_row(rows)
    assert rows[peak]["peak_memory"] == count(arch)["peak_memory"]
    assert all(row["peak_memory"] < rows[peak]["peak_memory"] for row in rows[:peak])


@given(archs())
def test_the_csv_reads_back_to_the_same_rows(arch):
    rows = layers(arch)
    read = list(csv.DictReader(io.StringIO(layers_csv(rows))))
    assert read == [{k: " ".join(v) if k == "inputs" else str(v) for k, v in row.items()} for row in rows]


def test_a_third_partys_metric_is_a_column(third_party):
    third_party(
        "from archsearch.cost.metrics import Metric\n"
        "ADDS = Metric(name='adds', unit='', price=lambda op: 7 * (op.kind == 'add'), about='additions')\n",
        {"metrics": {"adds": "ADDS"}},
    )
    rows = layers(preset("mobilenet_v2"))
    assert sum(row["adds"] for row in rows) == 7 * 10  # shortcuts of MobileNetV2
    assert layers_csv(rows).splitlines()[0].split(",")[-1] == "adds"


def test_a_network_without_end_is_refused_before_it_is_written_out():
    with pytest.raises(SpecError, match=f"at most {MOST:,}"):
        layers(Arch(resolution=8, stages=(Stage(width=8, repeats=9000),)))


def test_stages_are_counted_from_one():
    assert [stage_name(stage) for stage in (-1, 0, 11, -2)] == ["stem", "1", "12", "head"]
