"""Latency tables: prediction one by one and many at once, files, metrics, budgets."""

import json
from dataclasses import replace

import numpy as np
import pytest

from archsearch.cost import count
from archsearch.cost.budget import Budget, Limit, parse_limit, show
from archsearch.cost.count import bind, count_codes
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import check
from archsearch.cost.latency import TRAITS, LatencyTable, metrics_of, read_table, traits
from archsearch.cost.shape_model import fit
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError, LatencyError
from archsearch.measure.blocks import blocks_of
from archsearch.measure.model import block
from archsearch.spec.copies import copies, describe
from archsearch.spec.lower import lower
from archsearch.spec.presets import read_arch
from archsearch.spec.space_file import read_space
from tests.measure.fake import cost_ms


def weighted(**values):
    """Weights by the traits' names; the others are 0."""
    return tuple(values.get(name, 0.0) for name in TRAITS)


@pytest.fixture(scope="module")
def space():
    return read_space("linear_vs_relu")


@pytest.fixture(scope="module")
def made(space):
    """A table of every second block of a space, its times made up; the others are told by their shapes."""
    found = blocks_of(space)
    known = {name: cost_ms(block(ops)) for name, ops in list(found.items())[::2]}
    shapes = fit([found[name] for name in known], np.array(list(known.values())))
    return LatencyTable(fingerprint={"device": "fake"}, space=space.name, reference={"arch": "x", "ms": 1.0},
                        blocks=known, shapes=shapes,
                        weights=weighted(ms=0.9, block=0.001, input=1e-9, weights=1e-9), margin=1.1)  # fmt: skip


@pytest.fixture
def bound(made, monkeypatch):
    monkeypatch.setattr(count, "BOUND", {})
    bind(*metrics_of(made))
    return made


def test_a_network_is_the_sum_of_its_corrected_blocks(made):
    arch = read_arch("mobilenet_v2_0.35_96")
    whole = 0.0
    for each in copies(lower(arch)):
        name = describe(each.blocks[0])
        own = made.alone_ms(name, each.blocks[0])
        whole += max(np.dot(made.weights, traits(each.blocks[0], own)), 0.1 * own) * int(each.times)
    assert made.predict(arch) == pytest.approx(whole)


def test_one_and_many_and_the_cost_table_foretell_the_same(space, bound):
    codes = space.sample(300, np.random.default_rng(0))
    summed = count_codes(space, codes, ["latency", "latency_upper"])
    tabled = cost_table(space, ("latency", "latency_upper", "madds")).count(codes)
    assert (summed["latency"] == tabled["latency"]).all()
    assert (summed["latency_upper"] == tabled["latency_upper"]).all()
    alone = [bound.predict(space.decode(code)) * 1e6 for code in codes[:20]]
    assert summed["latency"][:20] == pytest.approx(alone, abs=40)  # each block is rounded up to a nanosecond
    assert summed["latency_upper"] == pytest.approx(1.1 * summed["latency"], rel=1e-4)


def test_what_was_measured_is_taken_and_the_rest_told_by_its_shape(space, made):
    found = blocks_of(space)
    measured = [name for name in found if name in made.blocks]
    assert [made.alone_ms(name, found[name]) for name in measured] == [made.blocks[name] for name in measured]
    other = [name for name in found if name not in made.blocks]
    truth = np.array([cost_ms(block(found[name])) for name in other])
    told = np.array([made.alone_ms(name, found[name]) for name in other])
    assert np.median(np.abs(told / truth - 1)) < 0.02
    assert made.missing(space.decode(space.sample(1, np.random.default_rng(0))[0])) != []


def test_without_a_regression_an_unknown_block_is_an_error(made):
    bare = replace(made, shapes=None)
    with pytest.raises(LatencyError, match="holds no block"):
        bare.predict(read_arch("mobilenet_v2"))


def test_a_correction_never_takes_a_block_away(made):
    odd = replace(made, weights=weighted(ms=-5.0))
    arch = read_arch("mobilenet_v2_0.35_96")
    assert odd.predict(arch) == pytest.approx(0.1 * replace(made, weights=weighted(ms=1.0)).predict(arch))


def test_a_file_gives_the_table_back(made, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps(made.to_dict()))
    again = read_table(path)
    arch = read_arch("mobilenet_v2_0.5_96")
    assert again.predict(arch) == pytest.approx(made.predict(arch))
    assert (again.margin, again.weights, again.passed) == (made.margin, made.weights, False)


@pytest.mark.parametrize(("text", "told"), [
    ("{", "no latency table"), ("[]", "no latency table"), ("{}", "format"), ('{"format": 1}', "damaged"),
    ('{"format": 99}', "format 99"),
])  # fmt: skip
def test_a_file_that_is_no_table_is_told_in_one_line(text, told, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(LatencyError, match=told) as error:
        read_table(path)
    assert "\n" not in str(error.value)


def test_a_latency_that_is_none_makes_a_table_damaged(made, tmp_path):
    for broken in (0, -1, "x", None, float("inf")):
        plain = made.to_dict()
        plain["blocks"] = {**plain["blocks"], next(iter(plain["blocks"])): broken}
        with pytest.raises(LatencyError, match="damaged"):
            LatencyTable.from_dict(plain)


@pytest.mark.parametrize(("part", "value"), [
    ("reference", {"arch": "x", "ms": 0}), ("reference", {"arch": 3, "ms": 1}), ("reference", []), ("fingerprint", {}),
    ("fingerprint", "cpu"), ("fingerprint", {"device": "x", "versions": []}), ("verified", {}), ("verified", []),
    ("verified", {"passed": "no"}), ("about", None), ("networks", [3]), ("networks", [{"arch": "x"}]),
    ("networks", [{"arch": "x", "ms": float("nan")}]), ("weights", dict.fromkeys(TRAITS, float("inf"))),
    ("weights", [1]), ("space", 7), ("blocks", []), ("shapes", {}), ("margin", -1),
])  # fmt: skip
def test_a_part_that_was_edited_wrongly_makes_a_table_damaged(made, part, value):
    with pytest.raises(LatencyError, match="damaged"):
        LatencyTable.from_dict(made.to_dict() | {part: value})


@pytest.mark.parametrize("name", ["prices", "mean", "scale", "weights", "anchors", "spread"])
def test_a_regression_with_a_number_that_is_none_makes_a_table_damaged(made, name):
    plain = json.loads(json.dumps(made.to_dict()))
    old = plain["shapes"][name]
    plain["shapes"][name] = float("nan") if name == "spread" else (np.array(old) * np.nan).tolist()
    with pytest.raises(LatencyError, match="damaged"):
        LatencyTable.from_dict(plain)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(LatencyError, match="cannot be read"):
        read_table(tmp_path / "no.json")


def test_without_a_table_latency_says_how_to_make_one(monkeypatch):
    monkeypatch.setattr(count, "BOUND", {})
    with pytest.raises(LatencyError, match="table build"):
        count.metric("latency")


def test_another_table_counts_anew(space, made, bound):
    code = space.sample(1, np.random.default_rng(0))
    before = cost_table(space, ("latency",)).count(code)["latency"]
    bind(*metrics_of(replace(made, weights=tuple(2 * w for w in made.weights))))
    assert cost_table(space, ("latency",)).count(code)["latency"] == pytest.approx(2 * before, rel=1e-4)


def test_budgets_in_milliseconds_are_hard_and_tell_the_nearest(space, bound):
    ends = extremes(space, "latency_upper")
    check(space, Budget(limits={"latency_upper": Limit(high=ends.low)}))
    with pytest.raises(BudgetError, match="ms"):
        check(space, Budget(limits={"latency_upper": Limit(high=ends.low * 0.5)}))


def test_times_are_read_with_their_unit_and_shown_with_it():
    assert parse_limit("15ms", "latency", lambda: 0).high == 15_000_000
    assert parse_limit("800us..1.5ms", "latency_upper", lambda: 0).low == 800_000
    assert parse_limit("50%", "latency", lambda: 3_000_000).high == 1_500_000
    assert show(12_345_678, "latency") == "12.3ms"
    for wrong in ("15", "15M", "15KiB", "ms", "-3ms", "0ms"):
        with pytest.raises(BudgetError):
            parse_limit(wrong, "latency", lambda: 0)
    with pytest.raises(BudgetError):
        parse_limit("15ms", "madds", lambda: 0)


def test_traits_are_numbers_of_a_block():
    blocks = [each.blocks[0] for each in copies(lower(read_arch("mobilenet_v2")))]
    rows = [dict(zip(TRAITS, traits(each, 2.0), strict=True)) for each in blocks]
    stem, separable, head = rows[0], rows[1], rows[-1]
    assert (stem["ms"], stem["block"], stem["input"], stem["weights"]) == (2.0, 1.0, 3 * 224**2, 864)
    assert (stem["dense_weights"], stem["dense_ms"], stem["stem_ms"], stem["head_ms"]) == (864, 2.0, 2.0, 0.0)
    assert (separable["separable_ms"], separable["separable_input"]) == (2.0, 32 * 112**2)
    assert (separable["weights"], separable["dense_ms"]) == (32 * 9 + 32 * 16, 0.0)
    assert rows[2]["separable"] == rows[2]["stem_ms"] == 0.0
    assert rows[2]["big_map"] == 4 * 96 * 112**2 - 2**20
    assert head["weights"] == 320 * 1280 + 1280 * 1000
    assert head["big_weights"] == 4 * head["weights"] - 2**20
    assert head["head_ms"] == 2.0
