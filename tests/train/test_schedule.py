import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.train.recipe import Recipe
from archsearch.train.schedule import lr_factor, peak_lr


def test_the_learning_rate_climbs_evenly_peaks_and_falls_to_almost_nothing():
    factors = [lr_factor(step, 100, 0.1) for step in range(100)]
    assert factors[:10] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)  # half-way down the cosine
    assert 0 < factors[-1] < 0.001
    assert lr_factor(100, 100, 0.1) == pytest.approx(0)


@given(steps=st.integers(1, 400), warmup=st.floats(0, 0.9))
def test_it_never_leaves_its_range_and_falls_after_its_peak(steps, warmup):
    factors = [lr_factor(step, steps, warmup) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1.0
    peak = factors.index(1.0)
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


def test_the_peak_scales_with_the_batch():
    assert peak_lr(Recipe(lr=0.2), 256) == pytest.approx(0.2)
    assert peak_lr(Recipe(lr=0.2), 64) == pytest.approx(0.05)
