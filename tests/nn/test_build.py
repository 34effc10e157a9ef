"""Built networks: torchvision's names and outputs, every switch, every way that a module is used."""

import copy
import weakref

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archsearch.nn.build import build, example_input
from archsearch.spec.arch import Arch, Head, Stage
from archsearch.spec.canon import canonical
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2
from archsearch.spec.text import from_text
from tests.strategies import archs, stages


def _shaken(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Random weights and batch-norm statistics, so that nothing is 0 or 1 by chance."""
    draw = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            noise = torch.rand(value.shape, generator=draw)
            value.copy_(noise + 0.5 if "running_var" in name or value.ndim == 1 else (noise - 0.5) * 0.2)
    return model.eval()


def _images(size: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("width", [0.5, 1.0, 1.4])
def test_torchvision_weights_load_strictly_and_give_the_same_outputs(width):
    models = pytest.importorskip("torchvision.models")
    theirs = _shaken(models.mobilenet_v2(weights=None, width_mult=width))
    size = 224 if width == 1.0 else 96
    ours = build(mobilenet_v2(width, size)).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), strict=True)
    with torch.no_grad():
        images = _images(size)
        wanted = theirs(images)
        assert wanted.abs().max() > 1e-3
        assert (ours(images) - wanted).abs().max() < 1e-5


def test_our_weights_load_into_torchvision():
    models = pytest.importorskip("torchvision.models")
    ours, theirs = _shaken(build(mobilenet_v2(0.35, 32)), seed=3), models.mobilenet_v2(weights=None, width_mult=0.35)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(_images(32)), ours(_images(32)), rtol=1e-5, atol=1e-5)


@given(archs())
def test_any_network_runs_and_gives_each_parameter_a_gradient(arch):
    model = build(arch)
    out = model(torch.randn(3, 3, max(arch.resolution, 1), arch.resolution))
    assert out.shape == (3, arch.head.classes)
    out.sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def _program(arch: Arch) -> list[object]:
    """What a model does, read off its modules and its wiring; nothing of its names."""
    with torch.device("meta"):
        model = build(arch)
    number = {"input": -1}
    rows: list[object] = [arch.resolution]
    for index, (chain, inputs, name, _) in enumerate(model._steps):
        number[name] = index
        rows.append([[repr(module) for module in chain], [number[each] for each in inputs]])
    return rows


@given(archs(most_stages=2), archs(most_stages=2))
def test_networks_have_one_key_exactly_when_their_models_do_the_same(one, other):
    assert (canonical(one) == canonical(other)) == (_program(one) == _program(other))


@given(stages(), stages(), st.booleans())
def test_stages_have_one_key_exactly_when_their_models_do_the_same(one, other, same_shape):
    if same_shape:  # most likely to be the same network in two spellings
        other = Stage(**{name: getattr(one if name in ("width", "repeats", "stride", "kernel") else other, name)
                         for name in Stage.__dataclass_fields__})  # fmt: skip
    first, second = (Arch(resolution=8, stages=(stage,), head=Head(width=0, classes=2)) for stage in (one, other))
    same = _program(first) == _program(second)
    assert (canonical(first) == canonical(second)) == same
    if same:
        shapes = [[p.shape for p in build(arch).state_dict().values()] for arch in (first, second)]
        assert shapes[0] == shapes[1]


SMALL = Arch(
    resolution=12,
    stages=(
        Stage(width=16, repeats=2, stride=2),
        Stage(width=16, repeats=2, shortcut="expansion", bottleneck="relu6"),
        Stage(width=24, repeats=2, block="ds", act="hard_swish", shortcut="bottleneck"),
        Stage(width=24, repeats=2, block="cr", expand=2, act="silu"),
        Stage(width=32, repeats=2, block="cr", expand=2, shortcut="bottleneck", kernel=5),
        Stage(width=32, repeats=2, block="id", stride=2),
    ),
    head=Head(width=40, classes=7),
)


def test_a_copy_is_equal_and_stands_alone():
    model = _shaken(build(SMALL))
    twin = copy.deepcopy(model)
    before = model(_images(12))
    torch.testing.assert_close(twin(_images(12)), before, rtol=0, atol=0)
    _shaken(twin, seed=9)
    assert not torch.equal(twin(_images(12)), before)
    torch.testing.assert_close(model(_images(12)), before, rtol=0, atol=0)


def test_a_state_dict_goes_into_a_second_model():
    model, second = _shaken(build(SMALL)), build(SMALL).eval()
    second.load_state_dict(model.state_dict(), strict=True)
    torch.testing.assert_close(second(_images(12)), model(_images(12)), rtol=0, atol=0)


def test_a_model_saved_whole_comes_back(tmp_path):
    model = _shaken(build(SMALL))
    torch.save(model, tmp_path / "model.pt")
    back = torch.load(tmp_path / "model.pt", weights_only=False)
    torch.testing.assert_close(back(_images(12)), model(_images(12)), rtol=0, atol=0)


def test_channels_last_gives_the_same_outputs():
    model = _shaken(build(SMALL))
    wanted = model(_images(12))
    fast = copy.deepcopy(model).to(memory_format=torch.channels_last)
    got = fast(_images(12).to(memory_format=torch.channels_last))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_a_tensor_is_let_go_after_its_last_use():
    model, outputs, alive = build(SMALL).eval(), [], []
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(lambda _, __, out: outputs.append(weakref.ref(out)))
    last = model.get_submodule("classifier.1")
    last.register_forward_hook(lambda *_: alive.append(sum(each() is not None for each in outputs)))
    with torch.no_grad():
        model(_images(12))
    assert len(outputs) > 20
    assert alive == [0]


def test_the_input_is_left_as_it_was():
    images = _images(12)
    for arch in (SMALL, Arch(resolution=12, stages=(), head=Head(width=0, classes=2))):
        given_images = images.clone()
        build(arch).eval()(given_images)
        assert torch.equal(given_images, images)


def test_two_builds_of_one_seed_are_equal_and_of_two_seeds_are_not():
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(build(SMALL).state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert any(not torch.equal(value, states[2][name]) for name, value in states[0].items())


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    model = build(SMALL, dropout=0.9)
    assert torch.equal(model.eval()(_images(12)), model(_images(12)))
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == [0.9]
    assert list(build(SMALL).state_dict()) == list(model.state_dict())


def test_a_model_is_exported_by_torch():
    model = _shaken(build(SMALL))
    program = torch.export.export(model, (example_input(SMALL, 2),))
    torch.testing.assert_close(program.module()(_images(12)), model(_images(12)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arch", [mobilenet_v1(0.25, 32), mobilenet_v2(0.35, 32)])
def test_initial_outputs_are_finite(arch):
    assert torch.isfinite(build(arch)(_images(32))).all()


@pytest.mark.gpu
def test_a_model_gives_the_same_on_cuda():
    model = _shaken(build(SMALL))
    wanted = model(_images(12))
    with torch.backends.cudnn.flags(allow_tf32=False):
        torch.testing.assert_close(copy.deepcopy(model).cuda()(_images(12).cuda()).cpu(), wanted, rtol=1e-3, atol=1e-4)


def test_a_module_that_is_replaced_in_the_tree_is_the_one_that_runs():
    model = build(from_text("r16 stem_c8_k3_s1 ir_r2_e2_c8 head_c0_n3")).eval()
    image = torch.randn(1, 3, 16, 16)
    before = model(image)
    parent = model.get_submodule("features.1.conv.0")
    parent.add_module("1", torch.nn.Identity())  # in the place of a batch norm
    parent.get_submodule("0").weight.data.mul_(2)
    assert not torch.equal(model(image), before)
    synced = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    ran = []
    for module in synced.modules():
        if isinstance(module, torch.nn.SyncBatchNorm):
            module.register_forward_hook(lambda *_: ran.append(1))
    synced(image)
    assert len(ran) == sum(isinstance(module, torch.nn.SyncBatchNorm) for module in synced.modules()) > 0
