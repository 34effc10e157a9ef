"""Evaluators that look up or make up: one seed in a trial, the mean at the end, failures with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsearch import testing
from archsearch.errors import DataError, TrainingError
from archsearch.evaluate.base import Job, Setup
from archsearch.evaluate.imagined import additive_evaluator, deceptive_evaluator
from archsearch.evaluate.landscapes import NOISE, landscape, tabulated
from archsearch.evaluate.table import Table
from archsearch.evaluate.tabular import mean_evaluator, table_evaluator
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.space_file import read_space
from archsearch.train.recipe import recipe

SPACE = read_space("nas_bench_macro")


@pytest.fixture(scope="module")
def table() -> Table:
    """A made-up table of the space, one seed missing now and then, with seconds and a curve for each seed."""
    made = tabulated("additive", SPACE)
    top1 = made.top1.copy()
    top1[::3, 1] = np.nan
    curves = top1[:, :, None] * np.array([0.5, 0.8, 1.0])
    return replace(made, top1=top1, seconds=np.arange(len(made)) + 10.0, curves=curves)


def setup(table=None, space=None) -> Setup:
    return Setup(
        dataset=lambda: None, recipe=recipe("quick"), final_recipe=recipe("full"), images=1, space=space, table=table
    )


def job(seed=0, **options) -> Job:
    return Job(number=0, seed=seed, folder=Path("unused"), **options)


def test_a_trial_sees_each_of_the_seeds_that_are_there(table):
    evaluator = table_evaluator(setup(table))
    for row in (0, 1, 2, 300):
        arch = SPACE.decode(table.codes[row])
        seen = {evaluator.evaluate(arch, job(seed)).top1 for seed in range(6)}
        assert seen == set(table.top1[row][~np.isnan(table.top1[row])])


def test_a_finalist_is_told_the_mean_of_all_seeds_with_a_smaller_error(table):
    arch = SPACE.decode(table.codes[1])
    one, last = (table_evaluator(setup(table)).evaluate(arch, job()), table_evaluator(setup(table)).final(arch, job()))
    assert last.top1 == table.mean[1] == mean_evaluator(setup(table)).evaluate(arch, job(5)).top1
    assert one.top1_se == table.noise
    assert last.top1_se == pytest.approx(table.noise / 3**0.5)


def test_equal_networks_are_one_row_however_they_are_spelled(table):
    evaluator = table_evaluator(setup(table))
    same = [[0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]]
    assert len({evaluator.evaluate(SPACE.decode(np.array(code)), job()).top1 for code in same}) == 1


def test_the_clock_is_the_tables_and_a_limit_ends_a_trial_at_once(table):
    arch = SPACE.decode(table.codes[40])
    evaluator = table_evaluator(setup(table))
    assert evaluator.evaluate(arch, job(time_limit_s=50)).seconds == 50
    with pytest.raises(TrainingError, match="it took 50 s") as caught:
        evaluator.evaluate(arch, job(time_limit_s=49))
    assert caught.value.reason == "time limit"


def test_the_curve_is_told_epoch_by_epoch_and_kept(table):
    told = []
    arch = SPACE.decode(table.codes[0])  # its second seed is missing
    watched = job(1, progress=lambda done, total, text: told.append((done, total)))
    result = table_evaluator(setup(table)).evaluate(arch, watched)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert result.extra["curve"] == pytest.approx([0.5 * result.top1, 0.8 * result.top1, result.top1])
    mean = table_evaluator(setup(table)).final(arch, job()).extra["curve"]
    assert mean[-1] == pytest.approx(table.mean[0])


def test_a_network_that_is_not_there_fails_with_a_reason(table):
    few = replace(table, codes=table.codes[:5], top1=table.top1[:5], costs={}, seconds=None, curves=None,
                  spellings=table.codes[:5], rows_of=np.arange(5))  # fmt: skip
    evaluator = table_evaluator(setup(few))
    for arch in (SPACE.decode(table.codes[-1]), mobilenet_v2(0.35, 96)):
        with pytest.raises(TrainingError) as caught:
            evaluator.evaluate(arch, job())
        assert caught.value.reason == "not in the table"


def test_without_a_table_or_a_space_there_is_no_evaluator(table):
    with pytest.raises(DataError, match="give --table"):
        table_evaluator(setup())
    with pytest.raises(DataError, match="belongs to no design space"):
        table_evaluator(setup(replace(table, space=None)))
    with pytest.raises(DataError, match="needs to know the design space"):
        additive_evaluator(setup())


@pytest.mark.parametrize("make", [additive_evaluator, deceptive_evaluator])
def test_what_is_made_up_scatters_around_the_landscape_on_a_huge_space(make):
    space = read_space("mobilenet_v2")
    assert space.size > 10**12
    evaluator = make(setup(space=space))
    code = space.sample(1, np.random.default_rng(0))
    arch, truth = space.decode(code[0]), landscape(make.__name__.removesuffix("_evaluator"), space)(code)[0]
    seen = np.array([evaluator.evaluate(arch, job(seed)).top1 for seed in range(60)])
    assert evaluator.final(arch, job()).top1 == pytest.approx(truth)
    assert abs(seen.mean() - truth) < 4 * NOISE / 60**0.5
    assert 0.7 < seen.std() / NOISE < 1.3
    with pytest.raises(TrainingError) as caught:
        evaluator.evaluate(SPACE.decode(np.zeros(8, dtype=int)), job())
    assert caught.value.reason == "not in the space"


@pytest.mark.parametrize("make", [table_evaluator, mean_evaluator, additive_evaluator, deceptive_evaluator])
def test_they_keep_the_promises_of_an_evaluator(make, table, tmp_path):
    testing.check_evaluator(make(setup(table, SPACE)), SPACE.decode(table.codes[7]), tmp_path)
