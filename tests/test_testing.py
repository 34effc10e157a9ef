"""The conformance checks: every built-in plug-in passes them, and they see what is wrong."""

from dataclasses import replace

import pytest

from archsearch import plugins, testing
from archsearch.errors import SpecError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.spec.presets import preset

MODULE = """
from dataclasses import replace
from archsearch.cost.metrics import Metric, madds
from archsearch.errors import SpecError
from archsearch.spec.blocks import identity, inverted_residual
from archsearch.spec.heads import HeadType, Tap, classifier, deeplabv3, lraspp as segmenter

def changed(b, **fields):
    for op in inverted_residual(b):
        yield replace(op, **{name: value(op, b) for name, value in fields.items()})

def wrong_width(b):
    return changed(b, c_out=lambda op, b: op.c_out + (op.label == "project"))

def unknown_input(b):
    return changed(b, inputs=lambda op, b: ("nowhere",) if op.label == "project" else op.inputs)

def odd_kind(b):
    return changed(b, kind=lambda op, b: "sum" if op.kind == "add" else op.kind)

def branches(b):
    if isinstance(b.stride, int) and b.stride == 2:
        yield from identity(b)
    else:
        yield from inverted_residual(b)

def untapped(e):
    for op in segmenter(e):
        yield replace(op, inputs=("top",) if op.label == "low classes" else op.inputs)

def many(e):
    for op in classifier(e):
        yield replace(op, c_out=op.c_out + (op.label == "classifier" and not isinstance(e.c_in, int)))

def narrow_join(e):
    for op in deeplabv3(e):
        yield replace(op, c_out=op.c_out - (op.label == "join"))

def demanding(e):
    raise SpecError("this head needs the moon")
    yield

UNTAPPED = HeadType(make=untapped, tap=Tap(stride=8))
MANY, NARROW_JOIN, DEMANDING = HeadType(make=many), HeadType(make=narrow_join), HeadType(make=demanding)
OTHER = Metric(name="another", unit="", price=madds, about="a copy")
NEGATIVE = Metric(name="negative", unit="", price=lambda op: -madds(op), about="below zero")
SINGLE = Metric(name="single", unit="", price=lambda op: int(isinstance(op.times, int)), about="counts one by one only")
"""
BLOCKS = {
    "wrong_width": "wants (channels, size)",
    "unknown_input": "which nothing before it makes",
    "odd_kind": "op kind 'sum' is none of",
    "branches": "of many at once differs from one by one",
}
HEADS = {
    "untapped": "which nothing before it makes",
    "many": "of many at once differs from one by one",
    "narrow_join": "'join' wants (channels, size)",
    "demanding": "can carry none of the heads",
}
METRICS = {"other": "calls itself 'another'", "negative": "is below 0", "single": "differs from one by one"}


@pytest.mark.parametrize("name", plugins.names("blocks"))
def test_built_in_blocks_conform(name):
    testing.check_block(name)


@pytest.mark.parametrize("name", plugins.names("heads"))
def test_built_in_heads_conform(name):
    testing.check_head(name)


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_built_in_metrics_conform(name):
    testing.check_metric(name)


def test_the_synthetic_evaluator_conforms(tmp_path):
    testing.check_evaluator(SyntheticEvaluator(), preset("mobilenet_v2_0.35_96"), tmp_path)


@pytest.mark.parametrize("name", plugins.names("samplers"))
def test_built_in_samplers_conform(name, tmp_path):
    testing.check_sampler(name, tmp_path, trials=12 if name == "gp" else 24)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_faulty_block_is_told_its_fault(name, third_party):
    third_party(MODULE, {"blocks": {name.replace("_", ""): name}})
    with pytest.raises((AssertionError, SpecError)) as caught:
        testing.check_block(name.replace("_", ""))
    assert BLOCKS[name] in str(caught.value)


@pytest.mark.parametrize("name", HEADS)
def test_a_faulty_head_is_told_its_fault(name, third_party):
    third_party(MODULE, {"heads": {name.replace("_", ""): name.upper()}})
    with pytest.raises((AssertionError, SpecError)) as caught:
        testing.check_head(name.replace("_", ""))
    assert HEADS[name] in str(caught.value)


@pytest.mark.parametrize("name", METRICS)
def test_a_faulty_metric_is_told_its_fault(name, third_party):
    third_party(MODULE, {"metrics": {name: name.upper()}})
    with pytest.raises(AssertionError) as caught:
        testing.check_metric(name)
    assert METRICS[name] in str(caught.value)


class Faulty(SyntheticEvaluator):
    """Gives what `change` makes of a result and the number of the call; tells progress or not."""

    def __init__(self, change, *, tells: bool = True) -> None:
        super().__init__()
        self._change, self._tells, self._calls = change, tells, 0

    def evaluate(self, arch, job: Job) -> Evaluation:
        self._calls += 1
        if self._tells:
            job.progress(1, 1, "")
        return self._change(super().evaluate(arch, replace(job, progress=lambda *_: None)), self._calls)


@pytest.mark.parametrize(
    ("evaluator", "told"),
    [
        (Faulty(lambda result, _: replace(result, top1=71.8)), "top1 must be a fraction, got 71.8"),
        (Faulty(lambda result, _: replace(result, top1_se=float("nan"))), "top1_se must be a fraction, got nan"),
        (Faulty(lambda result, _: replace(result, top5=0.0)), "top5 0.0 is below top1"),
        (Faulty(lambda result, call: replace(result, top1=result.top1 / call)), "top1 of the same network and seed"),
        (Faulty(lambda result, _: result, tells=False), "the last progress told was []"),
    ],
)
def test_a_faulty_evaluator_is_told_its_fault(evaluator, told, tmp_path):
    with pytest.raises(AssertionError) as caught:
        testing.check_evaluator(evaluator, preset("mobilenet_v2_0.35_96"), tmp_path)
    assert told in str(caught.value)


def test_a_sampler_that_ignores_its_seed_is_told_so(third_party, tmp_path):
    source = "import optuna\ndef careless(seed):\n    return optuna.samplers.RandomSampler()\n"
    third_party(source, {"samplers": {"careless": "careless"}})
    with pytest.raises(AssertionError, match="the same seed gives other trials"):
        testing.check_sampler("careless", tmp_path, trials=5)
