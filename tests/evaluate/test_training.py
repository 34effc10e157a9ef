"""The evaluator that trains: which images it sees, what it returns, that it can be repeated."""

import math
from dataclasses import replace

import pytest
import torch

from archsearch.data.load import load
from archsearch.errors import TrainingError
from archsearch.evaluate.base import Job, Setup
from archsearch.evaluate.training import TrainEvaluator, train_evaluator
from archsearch.spec.text import from_text
from archsearch.train import checkpoint
from archsearch.train.recipe import recipe

SMALL = from_text("r24 stem_c8_k3_s2 ir_r1_e1_c8 ir_r1_s2_e2_c16 head_c32_n10")
QUICK = recipe("quick", epochs=2, batch=32)


@pytest.fixture(scope="module")
def digits():
    return load("digits", size=24)


def evaluator(dataset, **options) -> TrainEvaluator:
    return TrainEvaluator(dataset=dataset, recipe=QUICK, final_recipe=QUICK, images=300, **options)


def job(folder, seed=5, **options) -> Job:
    return Job(number=0, seed=seed, folder=folder / f"job-{seed}", **options)


def reading_test_is_an_error(dataset):
    """The same data, whose test split only `final` may ask for by identity."""
    poisoned = replace(dataset.splits["test"], images=torch.zeros_like(dataset.splits["test"].images))
    return replace(dataset, splits={**dataset.splits, "test": poisoned})


def test_a_trial_does_not_depend_on_the_test_split(digits, tmp_path):
    honest = evaluator(digits).evaluate(SMALL, job(tmp_path / "a"))
    poisoned = evaluator(reading_test_is_an_error(digits)).evaluate(SMALL, job(tmp_path / "b"))
    assert honest.top1 == poisoned.top1
    assert honest.extra["images"] == len(digits.splits["val"])


def test_the_final_training_is_judged_on_the_test_split_alone(digits, tmp_path):
    honest = evaluator(digits).final(SMALL, job(tmp_path / "a"))
    poisoned = evaluator(reading_test_is_an_error(digits)).final(SMALL, job(tmp_path / "b"))
    assert honest.extra["images"] == len(digits.splits["test"])
    assert honest.top1 != poisoned.top1  # zeros in place of digits


def test_the_final_training_learns_from_train_and_validation(digits, tmp_path):
    assert len(digits.trainval()) == len(digits.splits["train"]) + len(digits.splits["val"])
    no_val = replace(digits, splits={**digits.splits, "val": replace(
        digits.splits["val"], images=torch.zeros_like(digits.splits["val"].images))})  # fmt: skip
    with_val = evaluator(digits).final(SMALL, job(tmp_path / "a"))
    without = evaluator(no_val).final(SMALL, job(tmp_path / "b"))
    assert weights(tmp_path / "a") != weights(tmp_path / "b")
    assert with_val.extra["images"] == without.extra["images"]


def weights(folder) -> list[float]:
    kept = checkpoint.load(folder / "job-5" / "model.pt")
    return kept["state_dict"]["classifier.1.weight"].flatten()[:50].tolist()


def test_the_same_job_gives_the_same_result_and_another_seed_another(digits, tmp_path):
    results = [
        evaluator(digits).evaluate(SMALL, job(tmp_path / name, seed)) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    ]
    assert (results[0].top1, results[0].top5) == (results[1].top1, results[1].top5)
    assert (results[0].top1, results[0].top5) != (results[2].top1, results[2].top5)


def test_the_standard_error_is_binomial_in_the_judged_images(digits, tmp_path):
    result = evaluator(digits).evaluate(SMALL, job(tmp_path))
    n = result.extra["images"]
    assert result.top1 * n == pytest.approx(round(result.top1 * n))
    assert result.top1_se == pytest.approx(max(math.sqrt(result.top1 * (1 - result.top1) / n), 0.5 / n))
    assert 0 <= result.top1 <= result.top5 <= 1


def test_a_training_that_diverges_is_a_training_error(digits, tmp_path):
    broken = replace(QUICK, lr=1e9, momentum=0.0, nesterov=False, warmup=0.0)
    wild = TrainEvaluator(dataset=digits, recipe=broken, final_recipe=QUICK, images=300)
    with pytest.raises(TrainingError) as caught:
        wild.evaluate(SMALL, job(tmp_path))
    assert caught.value.reason == "nan"


def test_a_trial_that_takes_too_long_is_a_training_error(digits, tmp_path):
    with pytest.raises(TrainingError) as caught:
        evaluator(digits).evaluate(SMALL, job(tmp_path, time_limit_s=1e-6))
    assert caught.value.reason == "time limit"


def test_the_plug_in_decodes_images_only_when_it_is_made(digits):
    asked = []

    def dataset():
        asked.append(1)
        return digits

    setup = Setup(dataset=dataset, recipe=QUICK, final_recipe=QUICK, images=300)
    assert asked == []
    assert train_evaluator(setup).dataset is digits
    assert asked == [1]
