"""Latencies that others measured, foretold from a part of them: bars for the model of shapes."""

from dataclasses import asdict

import numpy as np
import pytest

from archsearch.bench.outside import PRICES, SHARES, _figures, foretell, halves
from archsearch.bench.outside_tables import block, blocks, network, network_rows, networks
from archsearch.cost.count import count
from archsearch.cost.shape_model import fit
from archsearch.errors import DataError

BAR = 0.08  # of the median error


@pytest.fixture(scope="module")
def pixel(tables):
    return blocks(tables, "Pixel 1")


@pytest.fixture(scope="module")
def desktop(tables):
    return blocks(tables, "i7-8700K")


@pytest.mark.parametrize(("share", "p95"), [(0.5, 0.15), (0.2, 0.18)])
def test_blocks_of_a_desktop_processor_are_foretold(desktop, share, p95):
    found = foretell(desktop, share, splits=2, seed=0)
    error = found["ways"]["model"]
    assert error["median"][2] < BAR  # on each split
    assert error["median"][2] < 0.04
    assert error["p95"][2] < p95
    assert error["median"][0] < found["ways"][PRICES]["median"][0] < found["ways"]["madds only"]["median"][0] / 3
    assert found["within_95"][1] > 0.9


def test_blocks_of_a_phone_are_foretold_from_half_of_them(pixel):
    found = foretell(pixel, 0.5, splits=6, seed=0)
    error = found["ways"]["model"]
    assert error["median"][2] < BAR
    assert error["p95"][0] < 0.15
    assert error["median"][0] < found["ways"]["madds only"]["median"][0] / 3


def test_blocks_of_a_phone_are_foretold_five_at_a_time_but_for_its_only_classifier(pixel):
    order = np.random.default_rng(0).permutation(len(pixel.ms))
    errors = np.empty(len(order))
    for left in order.reshape(-1, 5):
        learn = pixel.take(np.setdiff1d(order, left))
        ms = fit(learn.blocks, learn.ms).predict(pixel.take(left).blocks)
        errors[left] = np.abs(ms / pixel.ms[left] - 1)
    assert np.median(errors) < 0.04
    assert np.percentile(errors, 95) < 0.15
    assert pixel.blocks[int(np.argmax(errors))][-1].kind == "linear"  # nothing else told what such a layer takes


def test_archais_networks_have_the_counted_madds_and_parameters(tables):
    for row in network_rows(tables):
        costs = count(network(row), ("madds", "params"))
        assert costs == {"madds": int(row["calc_macs"]), "params": int(row["calc_params"])}, row["archid"]


def test_whole_networks_are_ranked_at_least_as_well_as_by_madds(tables):
    found = foretell(networks(tables), 0.5, splits=10, seed=0, ranked=True)["ways"]
    assert found["model"]["tau"][0] > 0.7
    assert found["model"]["rho"][0] > 0.88
    assert found["model"]["tau"][0] > found["params only"]["tau"][0]
    assert found["model"]["tau"][0] > found["madds only"]["tau"][0] - 0.02
    assert found["model"]["median"][0] < found["madds only"]["median"][0]


def test_a_shape_is_never_on_both_sides_of_a_split(pixel):
    twice = pixel.take(np.tile(np.arange(len(pixel.ms)), 2))
    for learn, left in halves(twice, 0.5, splits=3, seed=0):
        assert not set(learn % len(pixel.ms)) & set(left % len(pixel.ms))
        assert len(learn) + len(left) == len(twice.ms)


def test_rows_become_the_blocks_that_their_keys_name(desktop, pixel):
    assert len(desktop.ms) == 2202
    assert len(pixel.ms) == 45
    assert set(SHARES) == {"i7-8700K", "Pixel 1"}
    pool, linear = next(ops for ops in pixel.blocks if ops[-1].kind == "linear")
    assert (pool.size_in, pool.c_in) == (7, 1280)
    assert {key: asdict(linear)[key] for key in ("c_in", "c_out", "size_in")} == {
        "c_in": 1280,
        "c_out": 1000,
        "size_in": 1,
    }


def test_an_unknown_kind_of_block_is_refused():
    with pytest.raises(DataError, match="'wonder' are not known"):
        block({"op": "wonder"})


def test_rank_correlations_agree_with_scipy():
    from scipy.stats import kendalltau, spearmanr

    rng = np.random.default_rng(0)
    told, truth = rng.integers(1, 9, 50).astype(float), rng.integers(1, 9, 50).astype(float)  # with ties
    found = _figures(told, truth, ranked=True)
    assert found["tau"] == pytest.approx(kendalltau(told, truth).statistic)
    assert found["rho"] == pytest.approx(spearmanr(told, truth).statistic)
