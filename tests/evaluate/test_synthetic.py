"""The made-up evaluator: repeatable, plausible, and never mistaken for a training."""

from pathlib import Path

import numpy as np

from archsearch.evaluate.base import Job
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.space_file import read_space


def job(number=0) -> Job:
    return Job(number=number, seed=number, folder=Path("unused"))


def test_one_network_has_one_accuracy():
    first, second = (SyntheticEvaluator().evaluate(mobilenet_v2(0.5, 96), job(n)) for n in (0, 7))
    assert first == second


def test_bigger_networks_tend_to_be_better():
    small = SyntheticEvaluator().evaluate(mobilenet_v2(0.35, 96), job())
    large = SyntheticEvaluator().evaluate(mobilenet_v2(1.4, 224), job())
    assert 0 < small.top1 < large.top1 < 1


def test_test_accuracy_is_not_validation_accuracy():
    arch = mobilenet_v2(0.5, 96)
    assert SyntheticEvaluator().evaluate(arch, job()).top1 != SyntheticEvaluator().final(arch, job()).top1


def test_networks_of_one_space_differ():
    space = read_space("nas_bench_macro")
    codes = space.sample(50, np.random.default_rng(0))
    tops = {SyntheticEvaluator().evaluate(space.decode(code), job()).top1 for code in codes}
    assert len(tops) > 40
