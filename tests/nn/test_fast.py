"""Training with fewer passes over memory: outputs, gradients and running statistics are those of torch's own layers."""

import builtins
import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from archsearch.nn.build import build
from archsearch.nn.fast import loops
from archsearch.nn.fast.expand import moments
from archsearch.nn.fast.maps import Crew
from archsearch.nn.fast.network import FastNetwork
from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.train.forward import forward_of, fused
from archsearch.train.recipe import Recipe
from tests.nn.shaken import images, shaken
from tests.strategies import archs


def small(**changes) -> Arch:
    """Two blocks, the second with a shortcut."""
    stage = Stage(**{"width": 8, "repeats": 2, "stride": 2, "expand": 6, **changes})
    return Arch(resolution=16, stem=Stem(width=8, stride=1), stages=(stage,), head=Head(classes=5))


def trained_once(model: nn.Module, call, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs, gradients and buffers after one step, in float64."""
    outputs = call(inputs)
    labels = torch.arange(len(inputs)) % outputs.shape[1]
    functional.cross_entropy(outputs, labels).backward()
    found = {"outputs": outputs, **{f"{name}.grad": value.grad for name, value in model.named_parameters()}}
    return {name: value.detach().double() for name, value in {**found, **dict(model.named_buffers())}.items()}


def distance(found: dict[str, torch.Tensor], truth: dict[str, torch.Tensor]) -> dict[str, float]:
    """Relative distances: of outputs, of all gradients, of all running statistics."""
    kinds = {"outputs": lambda name: name == "outputs", "gradients": lambda name: name.endswith(".grad"),
             "statistics": lambda name: "running" in name}  # fmt: skip
    told = {}
    for kind, of in kinds.items():
        one, other = (torch.cat([each[name].flatten() for name in truth if of(name)]) for each in (found, truth))
        told[kind] = float((one - other).norm() / other.norm().clamp(min=1e-12))
    return told


def errors(arch: Arch, batch: int, *, threads: int = 1) -> tuple[dict[str, float], dict[str, float]]:
    """How far the fast network and torch's are from float64."""
    model = shaken(build(arch)).to(memory_format=torch.channels_last).train()
    plain, exact = copy.deepcopy(model), copy.deepcopy(model).double()
    inputs = images(arch.resolution, batch).to(memory_format=torch.channels_last)
    truth = trained_once(exact, exact, inputs.double())
    fast = trained_once(model, FastNetwork(model, threads=threads, least=0), inputs)
    return distance(fast, truth), distance(trained_once(plain, plain, inputs), truth)


def assert_close(arch: Arch, batch: int, **more) -> None:
    fast, plain = errors(arch, batch, **more)
    for kind, error in fast.items():
        assert error <= max(1e-4, 10 * plain[kind]), (kind, error, plain[kind])


CHANGES = [
    {}, {"stride": 1}, {"kernel": 5}, {"kernel": 7, "stride": 2}, {"expand": 1}, {"expand": 2.3}, {"width": 3},
    {"act": "relu"}, {"act": "hard_swish"}, {"se": 0.25}, {"bottleneck": "relu6"}, {"shortcut": "none"},
    {"block": "ds"}, {"block": "cr"}, {"block": "er", "expand": 2}, {"block": "sg", "expand": 2}, {"block": "cn"},
    {"block": "uib", "start": 3},
]  # fmt: skip


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_every_kind_of_block_trains_as_in_torch(changes):
    assert_close(small(**changes), 6)


@settings(max_examples=25, deadline=None)
@given(arch=archs(), batch=st.integers(2, 5))
def test_any_network_trains_as_in_torch(arch, batch):
    assert_close(arch, batch)


def test_threads_change_nothing_but_rounding_and_repeat_bit_by_bit():
    arch = Arch(resolution=24, stem=Stem(width=16, stride=1), stages=(Stage(width=16, expand=6),),
                head=Head(classes=5))  # fmt: skip
    assert_close(arch, 8, threads=3)
    assert errors(arch, 8, threads=3)[0] == errors(arch, 8, threads=3)[0]


def test_a_map_is_split_into_whole_rows_each_once():
    flat = np.ones((5_000, 64), np.float32)
    seen = np.zeros(5_000)
    sums = Crew(3).sums(
        lambda part, sums: (seen.__setitem__(part, seen[part] + 1), loops.summed(flat[part], sums)), flat
    )
    assert (seen == 1).all()
    assert (sums == 5_000).all()


@pytest.mark.parametrize("rows", [1, 7, 256, 1_000])
def test_moments_are_the_sums_of_columns_and_of_their_products(rows):
    x = torch.randn(rows, 5)
    sums, products = moments(x)
    assert np.allclose(sums, x.double().sum(0), atol=1e-4)
    assert np.allclose(products, x.double().t() @ x.double(), atol=1e-3)


def test_a_number_that_is_not_finite_comes_out_at_the_end():
    arch = small()
    for name in ("features.0.0.weight", "features.1.conv.0.0.weight", "features.1.conv.1.1.weight"):
        model = build(arch).to(memory_format=torch.channels_last).train()
        with torch.no_grad():
            value = model.get_parameter(name)
            value[(0,) * value.dim()] = float("nan")
        outputs = FastNetwork(model, least=0)(images(arch.resolution).to(memory_format=torch.channels_last))
        assert not torch.isfinite(functional.cross_entropy(outputs, torch.zeros(2, dtype=torch.int64)))


def test_parameters_and_state_are_the_networks_own():
    model = build(small()).to(memory_format=torch.channels_last).train()
    before = {name: value.data_ptr() for name, value in model.state_dict().items()}
    fast = FastNetwork(model, least=0)
    fast(images(16).to(memory_format=torch.channels_last)).sum().backward()
    assert {name: value.data_ptr() for name, value in model.state_dict().items()} == before
    assert all(value.grad is not None for value in model.parameters())
    counts = [value for name, value in model.named_buffers() if name.endswith("num_batches_tracked")]
    assert all(count == 1 for count in counts)


def test_most_of_mobilenet_v2_is_fast_and_gates_are_not():
    links = FastNetwork(build(small())).__dict__["_links"]
    assert sum(link.expands for link in links) == 2 + 1  # and the head
    assert sum(link.after is not None for link in links) == 1 + 2 * 3 + 1
    hard = FastNetwork(build(small(act="hard_swish"))).__dict__["_links"]
    assert sum(link.expands for link in hard) == 1


def test_a_network_without_numba_or_on_another_path_runs_as_it_is(monkeypatch):
    model = build(small())
    assert isinstance(forward_of(model, Recipe(), "cpu"), FastNetwork)
    assert forward_of(nn.Sequential(), Recipe(), "cpu").__class__ is nn.Sequential
    for other in (Recipe(fused=False), Recipe(channels_last=False), Recipe(amp="bfloat16")):
        assert forward_of(model, other, "cpu") is model
    assert not fused(Recipe(), "cuda")
    real = builtins.__import__

    def without(name, *arguments, **more):
        if name in ("numba", "archsearch.nn.fast.loops"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert forward_of(model, Recipe(), "cpu") is model


def test_loops_are_compiled_where_nothing_can_be_written(monkeypatch):
    real = loops.numba.njit

    def read_only(**how):
        if how.pop("cache", False):
            return lambda loop: (_ for _ in ()).throw(RuntimeError("cannot cache function: no locator available"))
        return real(**how)

    monkeypatch.setattr(loops.numba, "njit", read_only)
    sums = np.zeros((2, 3))
    loops.compiled(loops.summed.py_func)(np.full((2, 3), 2, np.float32), sums)
    assert sums.tolist() == [[4.0] * 3, [8.0] * 3]
