"""The model of latencies by shape: what it must do for any blocks, and on latencies made up here."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.metrics import MADDS
from archsearch.cost.nonnegative import nnls
from archsearch.cost.shape_features import COLUMNS, SHAPE, features
from archsearch.cost.shape_model import ShapeModel, fit
from archsearch.errors import CountError
from archsearch.spec.blocks import Block, inverted_residual
from archsearch.spec.lower import lower, unroll
from archsearch.spec.ops import Op
from archsearch.spec.presets import preset


def block(*, c_in=16, c_out=16, size=14, stride=1, kernel=3, expand=6, se=0.0):
    shape = Block(c_in=c_in, c_out=c_out, size=size, stride=stride, kernel=kernel, expand=expand, act="relu6",
                  bottleneck="auto", shortcut="auto", start=0, se=se, se_of="hidden", se_gate="sigmoid",
                  times=1)  # fmt: skip
    return unroll(inverted_residual(shape))


def some(number, seed=0, kernels=(3, 5)):
    rng = np.random.default_rng(seed)
    return [
        block(c_in=int(rng.integers(1, 21)) * 8, c_out=int(rng.integers(1, 21)) * 8, size=int(rng.integers(4, 60)),
              stride=int(rng.integers(1, 3)), kernel=int(rng.choice(kernels)), expand=int(rng.integers(1, 7)))
        for _ in range(number)
    ]  # fmt: skip


def device(blocks, noise=0.0, seed=0):
    """A made-up device: work, traffic and a start of each op [ms]; what does not fit into a cache is dearer."""
    ms = [
        sum(2e-7 * MADDS.price(op) * (4 if op.per_group == 1 else 1) + 0.004
            + 3e-7 * op.c_out * op.size_out**2 * (1 + (op.c_out * op.size_out**2 > 2**17)) for op in ops)
        for ops in blocks
    ]  # fmt: skip
    return np.array(ms) * np.exp(noise * np.random.default_rng(seed).normal(size=len(ms)))


shapes = st.builds(
    block, c_in=st.integers(1, 512), c_out=st.integers(1, 512), size=st.integers(1, 256), stride=st.integers(1, 2),
    kernel=st.sampled_from([1, 3, 5, 7, 9]), expand=st.integers(1, 8), se=st.sampled_from([0.0, 0.25]),
)  # fmt: skip
MODEL = fit(some(60), device(some(60), noise=0.05))


@given(shapes)
def test_any_block_takes_a_finite_time_above_zero(ops):
    ms = MODEL.predict([ops])
    assert ms.shape == (1,)
    assert 0 < ms[0] < 1e6


@given(st.lists(shapes, max_size=4))
def test_a_block_takes_the_same_time_in_any_company(blocks):
    together = MODEL.predict(blocks)
    assert together.shape == (len(blocks),)
    alone = np.array([MODEL.predict([ops])[0] for ops in blocks])
    np.testing.assert_allclose(together, alone, rtol=1e-6)


@given(shapes)
def test_a_block_written_twice_costs_twice_the_prices(ops):
    once, twice = MODEL.trend([ops, [*ops, *ops]])
    assert twice == pytest.approx(2 * once)
    assert np.array_equal(features([[replace(op, times=2) for op in ops]]), features([[*ops, *ops]]))


@given(shapes)
def test_the_columns_hold_the_counted_madds(ops):
    assert features([ops])[0, COLUMNS.index("all: madds")] == MADDS.total(ops)


def test_blocks_left_out_are_foretold_within_five_percent():
    learn, left = some(200), some(200, seed=1)
    model = fit(learn, device(learn, noise=0.02))
    error = np.abs(model.predict(left) / device(left) - 1)
    assert np.median(error) < 0.05
    assert 0.01 < model.spread < 0.1


def test_the_spread_covers_what_is_left_out():
    learn, left = some(200), some(400, seed=2)
    model = fit(learn, device(learn, noise=0.1))
    miss = np.log(model.predict(left) / device(left, noise=0.1, seed=1))
    assert 0.9 < np.mean(np.abs(miss) < 1.96 * model.spread) < 0.99


def test_far_from_what_was_measured_the_prices_decide():
    far = [block(c_in=2000, c_out=2000, size=500, kernel=7)]
    assert MODEL.predict(far)[0] == pytest.approx(MODEL.trend(far)[0], rel=0.02)
    near = [block(c_in=160, c_out=160, size=60, kernel=5)]
    assert MODEL.trend(far)[0] > MODEL.trend(near)[0]


def test_a_kernel_that_was_never_measured_is_dearer_than_a_smaller_one():
    three, five, seven = MODEL.trend([block(kernel=kernel, c_in=64, c_out=64) for kernel in (3, 5, 7)])
    assert three < five < seven


def test_one_absurd_measurement_does_not_spoil_the_others():
    blocks = some(80)
    ms = device(blocks, noise=0.02)
    ms[7] *= 20
    left = some(100, seed=3)
    assert np.median(np.abs(fit(blocks, ms).predict(left) / device(left) - 1)) < 0.06


def test_whole_networks_teach_and_are_foretold():
    nets = [unroll(lower(preset(f"mobilenet_v2_{alpha}_{size}"))) for alpha in (0.35, 0.5, 0.75, 1.0, 1.4)
            for size in (96, 128, 160, 192, 224)]  # fmt: skip
    model = fit(nets[:-1], device(nets[:-1]))
    assert model.predict(nets[-1:])[0] == pytest.approx(device(nets[-1:])[0], rel=0.1)


def test_a_model_survives_json():
    again = ShapeModel.from_dict(json.loads(json.dumps(MODEL.to_dict())))
    blocks = some(20, seed=4)
    assert np.array_equal(again.predict(blocks), MODEL.predict(blocks))
    assert again.spread == MODEL.spread


def test_the_same_measurements_give_the_same_model():
    assert fit(some(60), device(some(60), noise=0.05)).to_dict() == MODEL.to_dict()


def test_two_blocks_are_enough():
    blocks = [block(), block(c_in=64, c_out=64)]
    assert np.allclose(fit(blocks, device(blocks)).predict(blocks), device(blocks), rtol=0.5)


def test_columns_that_tell_blocks_apart_name_each_class_once():
    assert len(set(SHAPE)) == len(SHAPE)
    assert all(COLUMNS[column].split(":")[0] not in ("all", "convolution", "matrix") for column in SHAPE)


@pytest.mark.parametrize(
    ("blocks", "ms", "words"),
    [
        ([block()], [1.0], "two blocks or more"),
        ([block(), block()], [1.0], "got 2 and 1"),
        ([block(), block()], [1.0, 0.0], "above 0 ms, got 0.0"),
        ([block(), block()], [1.0, float("nan")], "above 0 ms, got nan"),
        ([block(), [replace(block()[0], kind="wonder")]], [1.0, 1.0], "'wonder' have no price"),
    ],
)
def test_what_cannot_be_learned_is_refused(blocks, ms, words):
    with pytest.raises(CountError, match=words):
        fit(blocks, np.array(ms))


@pytest.mark.parametrize("spoil", [{"prices": [1.0]}, {"weights": None}, {"columns": ["other"]}, {"anchors": [[1.0]]}])
def test_a_spoiled_model_is_refused(spoil):
    with pytest.raises(CountError, match="not a model of latencies"):
        ShapeModel.from_dict({**MODEL.to_dict(), **spoil})


def test_an_unknown_kind_of_op_is_refused():
    with pytest.raises(CountError, match="'wonder'"):
        MODEL.predict([[Op(kind="wonder", label="", c_in=1, c_out=1, size_in=1, size_out=1)]])


def test_non_negative_least_squares_agree_with_scipy():
    from scipy.optimize import nnls as peer

    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(size=(40, 12)), rng.normal(size=40)
        np.testing.assert_allclose(nnls(a.T @ a, a.T @ b), peer(a, b)[0], atol=1e-8)
