"""What a training that halted is expected to reach."""

import numpy as np

from archsearch.search.outlook import UNKNOWN, outlook


def made(n, seed=0, noise=0.004):
    """Curves at three rungs: larger networks gain more."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(0, 3, n))
    first = 0.5 + 0.1 * rng.random(n)
    second = first + 0.1 + 0.02 * np.log(sizes) + noise * rng.standard_normal(n)
    third = second + 0.05 + 0.01 * np.log(sizes) + noise * rng.standard_normal(n)
    return np.column_stack([first, second, third]), sizes


def test_nine_of_ten_ends_lie_within_their_interval():
    inside, wide = [], []
    for seed in range(30):
        curves, sizes = made(40, seed)
        seen = curves.copy()
        seen[15:, 2], seen[25:, 1] = np.nan, np.nan
        told = outlook(seen, sizes)
        inside += (np.abs(told.mean - curves[:, 2]) < 1.64 * told.sd)[15:].tolist()
        wide.append(told.sd[25:].mean())
    assert 0.85 < np.mean(inside) <= 1
    assert np.mean(wide) < 0.03  # and the interval is no empty one


def test_what_is_finished_is_known_and_what_nobody_passed_is_not():
    curves, sizes = made(10)
    curves[5:, 1:] = np.nan
    curves[:5, 2] = np.nan
    told = outlook(curves, sizes)
    assert (told.sd == UNKNOWN).all()
    assert (told.above(np.full(10, 0.99)) == 1).all()
    whole, sizes = made(6)
    assert np.allclose(outlook(whole, sizes).mean, whole[:, 2])


def test_a_curve_far_below_has_no_chance_and_one_without_a_bar_has_every():
    curves, sizes = made(30, noise=0.002)
    curves[20:, 2] = np.nan
    curves[29, :2] = 0.35, 0.45
    told = outlook(curves, sizes)
    bar = np.full(30, curves[:20, 2].max())
    assert told.above(bar)[29] < 0.05
    assert told.above(np.full(30, -np.inf))[29] == 1
    assert told.above(np.full(30, 0.3))[29] > 0.95


def test_a_network_unlike_all_others_is_not_predicted_surely():
    curves, sizes = made(30)
    curves[20:, 2] = np.nan
    sizes[29] = 1e6
    told = outlook(curves, sizes)
    assert told.sd[29] > 3 * np.median(told.sd[20:29])
