"""Made-up learning curves, and evaluators that halt on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsearch.errors import TrainingError
from archsearch.evaluate.base import Job
from archsearch.evaluate.imagined import ImaginedEvaluator
from archsearch.evaluate.landscapes import landscape, tabulated
from archsearch.evaluate.learning import learner, reached
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.evaluate.tabular import TableEvaluator
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.space_file import read_space

SPACE = read_space("nas_bench_macro")
ARCH = next(SPACE.enumerate(1))[0]


def job(until=None, seed=3):
    return Job(number=0, seed=seed, folder=Path("unused"), until=until)


def test_curves_end_at_the_given_accuracy_rise_and_cross():
    rng = np.random.default_rng(0)
    size = np.linspace(0, 1, 200)
    final = 0.8 + 0.1 * size
    curves = learner(size, rng).curves(final, 9, rng)
    assert np.allclose(curves[:, -1], final)
    assert (np.diff(curves.mean(axis=0)) > 0).all()
    assert curves[:50, 0].mean() > curves[150:, 0].mean()  # larger networks are behind first, and ahead in the end


def test_one_network_is_told_the_same_each_time():
    told = [reached(0.9, size=0.5, done=done, epochs=9, seed=4) for done in (1, 1, 9, 12)]
    assert told[0] == told[1] < told[2] == told[3] == 0.9


@pytest.mark.parametrize("evaluator", [
    SyntheticEvaluator(epochs=9), ImaginedEvaluator(landscape=landscape("additive", SPACE), space=SPACE, epochs=9),
], ids=lambda each: type(each).__name__)  # fmt: skip
def test_evaluators_that_make_up_halt(evaluator):
    arch = SPACE.decode(ARCH) if isinstance(evaluator, ImaginedEvaluator) else mobilenet_v2()
    early, late, whole = (evaluator.evaluate(arch, job(until)).top1 for until in (1, 3, 9))
    assert early < late < whole == evaluator.evaluate(arch, job()).top1
    assert evaluator.epochs == 9


def test_a_table_with_curves_halts_and_one_without_cannot():
    table = tabulated("additive", SPACE)
    assert TableEvaluator(table=table, space=SPACE).epochs is None
    curves = table.top1[:, :, None] * np.array([0.5, 0.8, 1.0])
    known = TableEvaluator(table=replace(table, curves=curves, seconds=np.full(len(table), 30.0)), space=SPACE)
    arch, row = SPACE.decode(ARCH), int(table.rows(ARCH[None])[0])
    halted = known.evaluate(arch, job(2))
    assert halted.top1 == pytest.approx(0.8 * table.top1[row, table.column(row, 3)])
    assert halted.seconds == 20
    assert known.evaluate(arch, job(3)).top1 == known.evaluate(arch, job()).top1
    holed = curves.copy()
    holed[:, :, 1] = np.nan
    partly = TableEvaluator(table=replace(table, curves=holed), space=SPACE)
    assert partly.evaluate(arch, job(1)).top1 == known.evaluate(arch, job(1)).top1
    assert "curve" not in partly.evaluate(arch, job()).extra
    with pytest.raises(TrainingError, match="does not tell epoch 2"):
        partly.evaluate(arch, job(2))
    short = TableEvaluator(table=replace(table, curves=np.full((len(table), 3), np.nan)), space=SPACE)
    with pytest.raises(TrainingError, match="its curve ends"):
        short.evaluate(arch, job(2))
