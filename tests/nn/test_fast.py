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
from archsearch.nn.fast import depthwise, loops
from archsearch.nn.fast.depthwise import Depthwise, Site
from archsearch.nn.fast.expand import moments
from archsearch.nn.fast.maps import Crew
from archsearch.nn.fast.network import FastNetwork
from archsearch.nn.fast.norm import After
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


SHAPES = [(16, 8, 8, 1), (24, 7, 9, 1), (17, 8, 10, 2), (40, 9, 11, 2), (33, 2, 2, 1), (16, 1, 1, 2), (48, 5, 13, 1),
          (64, 8, 8, 2), (32, 3, 6, 1)]  # channels, height, width, stride  # fmt: skip


def layer(channels: int, height: int, width: int, stride: int, *, before: bool, threads: int = 1):
    """Weight, gamma, beta; a map cut to 0..6, as behind an expansion; the site of a depthwise convolution."""
    draw = torch.Generator().manual_seed(0)
    x = (3 * torch.randn(3, channels, height, width, generator=draw)).clamp(0, 6)
    values = [torch.randn(channels, 1, 3, 3, generator=draw), *torch.randn(2, channels, generator=draw)]
    norm = nn.BatchNorm2d(channels)
    norm.weight.data, norm.bias.data = values[1:]
    after, first = (After(norm=norm, bounds=(np.float32(0), np.float32(6)), owned=True, crew=Crew(threads))
                    for _ in range(2))  # fmt: skip
    site = Site(stride=stride, after=after, before=first if before else None)
    return [x.contiguous(memory_format=torch.channels_last), *values], site


def stepped(call, values, dtype) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """What a layer makes, and the gradients of all it reads."""
    leaves = [value.detach().clone().to(dtype).requires_grad_() for value in values]
    made = call(*leaves)
    made.backward(torch.sin(torch.arange(made.numel(), dtype=dtype)).view_as(made))
    return made.detach().double(), [leaf.grad.double() for leaf in leaves]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("past", [0, 2**60])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_depthwise_convolution_is_torchs_at_any_size(shape, past, before, monkeypatch):
    monkeypatch.setattr(depthwise, "PAST", past)
    values, site = layer(*shape, before=before)

    def plain(x, weight, gamma, beta):
        made = functional.conv2d(x, weight, None, site.stride, 1, 1, len(weight))
        return functional.relu6(functional.batch_norm(made, None, None, gamma, beta, training=True))

    if shape[1] * shape[2] == 1:  # of 3 images, of one pixel each: close to no variance magnifies rounding
        values[0] = values[0] * torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1)
    made, found = stepped(lambda *leaves: Depthwise.apply(*leaves, site), values, torch.float32)
    right, truth = stepped(plain, values, torch.float64)
    assert (made - right).abs().max() < 1e-4
    if before:
        x = values[0]
        truth[0] = truth[0] * ((x > 0) & (x < 6))
        (sums,) = site.before.cut.values()
        assert np.allclose(sums, truth[0].sum((0, 2, 3)), atol=1e-3)
    for one, other in zip(found, truth, strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm().clamp(min=1)


def test_a_depthwise_convolution_repeats_bit_by_bit_on_threads(monkeypatch):
    monkeypatch.setattr("archsearch.nn.fast.maps.SPLIT", 0)
    values, site = layer(24, 9, 9, 1, before=True, threads=2)
    (one, first), (other, second) = (
        stepped(lambda *leaves: Depthwise.apply(*leaves, site), values, torch.float32) for _ in range(2)
    )
    assert torch.equal(one, other)
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_a_gradient_that_is_not_finite_reaches_maps_and_weights():
    values, site = layer(24, 9, 9, 1, before=True)
    leaves = [value.clone().requires_grad_() for value in values]
    made = Depthwise.apply(*leaves, site)
    gradient = torch.ones_like(made)
    gradient[0, 5] = float("nan")
    made.backward(gradient)
    for leaf in leaves[1:]:
        assert leaf.grad[5].isnan().any()
        assert leaf.grad[:5].isfinite().all()
        assert leaf.grad[6:].isfinite().all()
    assert leaves[0].grad[:, 5].isnan().any()


@pytest.mark.parametrize(("changes", "fits"), [
    ({}, True), ({"stride": 2}, True), ({"stride": 3}, False), ({"stride": (1, 2)}, False), ({"dilation": 2}, False),
    ({"padding": 0}, False), ({"kernel_size": 5, "padding": 2}, False), ({"groups": 8}, False), ({"bias": True}, False),
    ({"padding_mode": "circular"}, False), ({"in_channels": 8, "out_channels": 8, "groups": 8}, False),
    ({"out_channels": 32}, False),
])  # fmt: skip
def test_only_what_the_sweeps_compute_goes_through_them(changes, fits):
    how = {"in_channels": 16, "out_channels": 16, "kernel_size": 3, "padding": 1, "groups": 16, "bias": False}
    assert depthwise.fits(nn.Conv2d(**{**how, **changes})) is fits


def test_an_expansion_is_told_of_a_gradient_that_is_cut_already():
    arch = small(stride=1)
    model = build(arch).to(memory_format=torch.channels_last).train()
    fast = FastNetwork(model, least=0)
    expanding = [link.after for link in fast.__dict__["_links"] if link.expands]
    outputs = fast(images(arch.resolution).to(memory_format=torch.channels_last))
    outputs.sum().backward()
    assert [link.site.before for link in fast.__dict__["_links"] if link.site] == expanding[:2]
    assert not any(after.cut for after in expanding)


def test_a_number_that_is_not_finite_comes_out_at_the_end():
    arch = small()
    for name in ("features.0.0.weight", "features.1.conv.0.0.weight", "features.1.conv.1.0.weight",
                 "features.1.conv.1.1.weight"):  # fmt: skip
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
