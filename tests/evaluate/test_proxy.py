"""Evaluators that score: order, standard error, repeatability, real test accuracy at the end."""

import math
from dataclasses import replace

import pytest

from archsearch import plugins, testing
from archsearch.cost.count import count
from archsearch.data.load import load
from archsearch.errors import SpecError, TrainingError
from archsearch.evaluate.base import Job, Setup
from archsearch.evaluate.proxy import ProxyEvaluator, proxy_evaluator
from archsearch.proxies.score import squash
from archsearch.spec.text import from_text
from archsearch.train.recipe import recipe

SMALL = from_text("r16 stem_c8_k3_s2 ir_r1_e1_c8 ir_r1_s2_e2_c16 head_c16_n10")
LARGER = from_text("r16 stem_c8_k3_s2 ir_r2_e2_c8 ir_r2_s2_e3_c16 head_c32_n10")
QUICK = recipe("quick", epochs=1, batch=64)


@pytest.fixture(scope="module")
def setup() -> Setup:
    digits = load("digits", size=16)
    return Setup(dataset=lambda: digits, recipe=QUICK, final_recipe=QUICK, images=200)


def job(folder, seed=5, **options) -> Job:
    return Job(number=0, seed=seed, folder=folder, **options)


def no_images():
    raise AssertionError("images were asked for")


def test_each_proxy_has_an_evaluator_of_its_name(setup):
    for name in plugins.TABLE["proxies"]:
        made = plugins.load("evaluators", name)(setup)
        assert isinstance(made, ProxyEvaluator)
        assert made.name == name
        (told,) = made.notes
        assert f"scores of the proxy {name}, not accuracies" in told


@pytest.mark.parametrize("name", ["naswot", "snip", "params"])
def test_a_proxy_keeps_what_evaluators_promise(name, setup, tmp_path):
    testing.check_evaluator(proxy_evaluator(name, setup), SMALL, tmp_path)


def test_the_value_is_the_squashed_mean_of_a_few_repeats(setup, tmp_path):
    result = proxy_evaluator("naswot", setup).evaluate(SMALL, job(tmp_path))
    assert result.top1 == squash(result.extra["score"])
    assert result.extra["proxy"] == "naswot"
    assert result.extra["score_se"] > 0
    slope = 0.5 * 10 / (10 + math.log1p(result.extra["score"])) ** 2 / (1 + result.extra["score"])
    assert result.top1_se == pytest.approx(result.extra["score_se"] * slope, rel=0.05)  # the delta method
    other = proxy_evaluator("naswot", setup).evaluate(SMALL, job(tmp_path, seed=6))
    assert other.top1 != result.top1


def test_every_network_is_looked_at_on_the_same_images(setup, tmp_path):
    made = proxy_evaluator("naswot", setup)
    made.evaluate(SMALL, job(tmp_path, seed=1))
    batches = dict(made.looks.kept)
    made.evaluate(LARGER, job(tmp_path, seed=2))
    assert {place: id(batch) for place, batch in made.looks.kept.items()} == {k: id(v) for k, v in batches.items()}
    assert len({batch.labels.tolist().__str__() for batch in batches.values()}) == made.repeats


@pytest.mark.parametrize("name", ["params", "madds", "depth"])
def test_baselines_are_counted_without_an_image(name, setup, tmp_path):
    made = plugins.load("evaluators", name)(replace(setup, dataset=no_images))
    small, larger = (made.evaluate(arch, job(tmp_path)) for arch in (SMALL, LARGER))
    assert small.top1 < larger.top1
    assert small.top1_se == 0
    if name != "depth":
        assert small.extra["score"] == count(SMALL, (name,))[name]


def test_a_network_that_is_no_classifier_or_takes_too_long_is_told(setup, tmp_path):
    made = proxy_evaluator("naswot", setup)
    with pytest.raises(SpecError):
        made.evaluate(from_text("r32 stem_c8_k3_s2 ir_r1_s2_e2_c16 ir_r1_s2_e2_c16 lraspp_c16_n10"), job(tmp_path))
    ticks = iter(range(0, 100, 7))
    slow = replace(made, clock=lambda: next(ticks))
    with pytest.raises(TrainingError, match="over its time limit of 5 s") as caught:
        slow.evaluate(SMALL, job(tmp_path, time_limit_s=5))
    assert caught.value.reason == "time limit"
