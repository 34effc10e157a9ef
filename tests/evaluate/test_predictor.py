"""Evaluators that learn from measured networks: how well, how sure, and what they say with too few."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from archsearch.data.load import load
from archsearch.errors import DataError, TrainingError
from archsearch.evaluate import ensemble
from archsearch.evaluate.base import Job, Known, Setup
from archsearch.evaluate.ensemble import PROXIES, RankEvaluator, Seen, ensemble_evaluator, ranked
from archsearch.evaluate.landscapes import NOISE, landscape
from archsearch.evaluate.predictor import FEWEST, PredictorEvaluator, fit, predictor_evaluator, seen, worth
from archsearch.evaluate.proxy import Looks
from archsearch.evaluate.table import sample_rows
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.space_file import parse_space, read_space
from archsearch.train.recipe import recipe

SPACE = read_space("nas_bench_macro")
TINY = parse_space(
    {"resolution": 12, "classes": 10, "stem": {"width": 8, "stride": 2}, "head": {"width": 0},
     "stage": [{"width": [8, 16, 24], "repeats": [1, 2], "expand": [1, 2, 3]}, {"width": 16, "kernel": [3, 5]}]},
    name="tiny",
)  # fmt: skip


def measured(space, n, *, seed=0, noise=NOISE) -> tuple[list[Known], list[Known]]:
    """n networks of the made-up landscape with noise, and 100 others without."""
    rng = np.random.default_rng(seed)
    codes = np.unique(space.sample(n + 120, rng), axis=0)
    rng.shuffle(codes)
    truth = landscape("additive", space)(codes)
    seen = np.clip(truth + noise * rng.standard_normal(len(truth)), 0, 1)
    rows = [Known(arch=space.decode(code), top1=float(each), top1_se=noise)
            for code, each in zip(codes, np.where(np.arange(len(codes)) < n, seen, truth), strict=True)]  # fmt: skip
    return rows[:n], rows[n : n + 100]


def setup(space, known=(), **options) -> Setup:
    quick = recipe("quick", epochs=1, batch=64)
    return Setup(dataset=options.pop("dataset", lambda: pytest.fail("images were asked for")), recipe=quick,
                 final_recipe=quick, images=100, space=space, known=lambda: known, **options)  # fmt: skip


def job(**options) -> Job:
    return Job(number=0, seed=0, folder=Path("unused"), **options)


def test_more_labels_order_unseen_networks_better_and_intervals_hold():
    found = []
    for n in (12, 100):
        known, others = measured(SPACE, n)
        mean, sd = fit(SPACE, known).predict([each.arch for each in others])
        truth = np.array([each.top1 for each in others])
        found.append(kendalltau(mean, truth)[0])
    assert found[1] > max(found[0], 0.8)
    assert np.mean(np.abs(mean - truth) <= 1.96 * sd) > 0.8
    assert (sd > 0).all()


def test_labels_are_predicted_within_their_noise_and_order_of_labels_is_nothing():
    known, others = measured(SPACE, 40)
    archs = [each.arch for each in others[:5]]
    first, again = fit(SPACE, known).predict(archs), fit(SPACE, known[::-1]).predict(archs)
    assert first[0] == pytest.approx(again[0], abs=1e-4)
    mean, sd = fit(SPACE, known).predict([each.arch for each in known])
    assert np.abs(mean - [each.top1 for each in known]).max() < 6 * NOISE
    assert sd.max() < 3 * NOISE


def test_cross_validation_tells_a_learnable_truth_from_noise():
    known, _ = measured(SPACE, 60)
    rng = np.random.default_rng(0)
    shuffled = [Known(arch=each.arch, top1=float(rng.uniform(0.5, 0.9)), top1_se=0.0) for each in known]
    good, bad = worth(SPACE, known), worth(SPACE, shuffled)
    assert good.labels == 60
    assert good.tau.low > 0.6
    assert bad.tau.low < 0.1
    assert 0.8 < good.coverage[0.95] <= 1
    assert 1 <= good.stretch < 1.5
    assert f"Kendall's tau {good.tau.value:.2f}" in good.told
    assert good.to_dict()["tau"]["value"] == good.tau.value


def test_labels_of_one_accuracy_are_no_order():
    alike = [Known(arch=each.arch, top1=1.0, top1_se=0.0) for each in measured(SPACE, 9)[0]]
    assert "cross-validated: no order, all of one accuracy, 100 % in" in worth(SPACE, alike).told
    assert worth(SPACE, alike).to_dict()["tau"]["value"] is None


@pytest.mark.parametrize("n", [0, 1, FEWEST - 1])
def test_too_few_labels_say_how_to_get_more(n):
    with pytest.raises(DataError, match=f"{n} measured networks are too few.* {FEWEST} are needed; --from RUN"):
        predictor_evaluator(setup(SPACE, measured(SPACE, 20)[0][:n]))


def test_one_network_measured_often_is_one_network():
    known = measured(SPACE, 20)[0][:1] * 30
    with pytest.raises(DataError, match="1 measured networks are too few"):
        fit(SPACE, known)


def test_the_evaluator_gives_mean_and_sd_needs_no_images_and_tells_its_worth():
    known, others = measured(SPACE, 40)
    foreign = Known(arch=mobilenet_v2(), top1=0.1, top1_se=0.0)
    made = predictor_evaluator(setup(SPACE, [*known, foreign]))
    result = made.evaluate(others[0].arch, job())
    mean, sd = fit(SPACE, known).predict([others[0].arch])
    assert (result.top1, result.top1_se) == (mean[0], sd[0] * made.worth.stretch)
    assert result.extra["predicted"]["labels"] == 40  # a network that the space has not is no label
    assert made.notes == (f"values are predicted accuracies, not measured ones: {made.worth.told}",)
    with pytest.raises(TrainingError) as caught:
        made.evaluate(mobilenet_v2(), job())
    assert caught.value.reason == "not in the space"
    with pytest.raises(DataError, match="'predictor' needs to know the design space"):
        predictor_evaluator(setup(None))


def test_extra_numbers_that_tell_the_truth_are_used():
    """A landscape that the axes hardly tell with few labels, beside a number that is the truth with a little noise."""
    known, others = measured(SPACE, 12)
    truth = landscape("additive", SPACE)

    def oracle(arch):
        return truth(SPACE.encode(arch)[None])

    archs, top1 = [each.arch for each in others], [each.top1 for each in others]
    blind, told = (fit(SPACE, known, extra=extra).predict(archs)[0] for extra in (None, oracle))
    assert kendalltau(told, top1)[0] > kendalltau(blind, top1)[0] + 0.1
    assert seen(SPACE, archs[:3], oracle).traits[:, -1].tolist() == top1[:3]


# the ensemble -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return load("digits", size=12)


def test_the_ensemble_learns_where_it_can_and_ranks_where_it_cannot(digits, monkeypatch):
    monkeypatch.setattr(ensemble, "REFERENCE", 6)
    steps = []
    told = {"dataset": lambda: digits, "progress": lambda *step: steps.append(step[:2])}
    known, others = measured(TINY, 12)
    few = ensemble_evaluator(setup(TINY, known[:3], **told))
    assert isinstance(few, RankEvaluator)
    assert steps[-1] == (6, 6)
    assert "3 networks were measured, and the ensemble learns from 8 (--from RUN)" in few.notes[0]
    first, again = few.evaluate(others[0].arch, job()), few.evaluate(others[0].arch, job())
    assert 0 <= first.top1 <= 1
    assert (first.top1, first.top1_se) == (again.top1, again.top1_se)
    many = ensemble_evaluator(setup(TINY, known, **told))
    assert isinstance(many, PredictorEvaluator)
    assert many.name == "ensemble"
    assert steps[-1] == (12, 12)
    result = many.evaluate(others[0].arch, job())
    assert 0 < result.top1_se < 0.5


def test_a_networks_proxies_are_its_own(digits):
    """Pure: neither the order nor what else was scored matters, and the same network is scored once."""
    known, _ = measured(TINY, 3)
    made = setup(TINY, dataset=lambda: digits)
    forth, back = (Seen(setup=made, names=PROXIES, looks=Looks(setup=made)) for _ in range(2))
    archs = [each.arch for each in known]
    one = {arch: forth(arch) for arch in archs}
    for arch in archs[::-1]:
        assert back(arch).tolist() == one[arch].tolist()
    assert forth(archs[0]) is one[archs[0]]
    assert ((one[archs[0]] > 0) & (one[archs[0]] < 1)).all()


def test_ranks_by_hand():
    reference = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 1.0], [4.0, 0.0]])
    assert ranked(np.array([3.0, 5.0]), reference).tolist() == [2.5 / 4, 3 / 4]
    assert ranked(np.array([9.0, -1.0]), reference).tolist() == [1.0, 0.0]


def test_rows_are_drawn_without_repetition_and_by_the_seed(macro):
    rows = sample_rows(macro, 200, 0)
    assert len(set(rows.tolist())) == 200
    assert rows.tolist() == sample_rows(macro, 200, 0).tolist() != sample_rows(macro, 200, 1).tolist()
    assert len(np.unique(macro.names[rows])) == 200
    for n in (0, len(macro) + 1):
        with pytest.raises(DataError, match=f"has 3,969 different networks: cannot draw {n}"):
            sample_rows(macro, n, 0)
