"""Sub-networks of a supernet are the stand-alone networks that carry their inherited weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from archsearch.data.batches import Batches
from archsearch.data.dataset import Split
from archsearch.errors import RecipeError, SpaceError
from archsearch.nn.build import build
from archsearch.nn.roles import members, sizes
from archsearch.nn.shared import SharedWeights
from archsearch.spec.fields import Fixed
from archsearch.spec.presets import read_arch
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import read_space
from archsearch.train.norms import recalibrate
from tests.nn.shaken import shaken

SIDE = 32  # pixels at which networks for large images are run
SPACES = {"nas_bench_macro": 14, "mobilenet_v2_small": 14, "ofa_mobilenet_v3": 8, "mobilenet_v4": 6, "proxyless": 5,
          "mobilenext": 5}  # fmt: skip
NO_CONTEXT = torch.autocast("cpu", enabled=False)


def small(name: str) -> SearchSpace:
    """A space of few classes, at a small resolution."""
    space = read_space(name).with_classes(7)
    return replace(space, resolution=Fixed(SIDE)) if isinstance(space.resolution, Fixed) else space


def images(n: int = 4) -> torch.Tensor:
    return torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


def shaken_weights(space: SearchSpace, share: str) -> SharedWeights:
    """Shared weights in which nothing is 0 or 1 by chance."""
    weights = SharedWeights(space, share=share)
    with torch.no_grad():
        for name, parameter in weights.named_parameters():
            if parameter.dim() == 1:
                parameter.uniform_(0.5, 1.5) if name.endswith("norm.weight") else parameter.uniform_(-0.3, 0.3)
    return weights


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return bool((found - wanted).abs().max() <= 1e-5 * max(1.0, float(wanted.abs().max())))


@pytest.mark.parametrize("name", SPACES)
def test_sub_networks_answer_like_stand_alone_networks_with_inherited_weights(name):
    space = small(name)
    weights, x = shaken_weights(space, "choices" if name == "proxyless" else "slices"), images()
    for code in space.sample(SPACES[name], np.random.default_rng(1)):
        arch = space.decode(code)
        alone = build(arch)
        alone.load_state_dict(weights.inherit(arch), strict=False)
        with torch.no_grad():
            assert close(weights(space.encode(arch), x), alone.train()(x))


def test_that_makes_fifty():
    assert sum(SPACES.values()) >= 50


@pytest.mark.parametrize("name", ["nas_bench_macro", "mobilenet_v2_small"])
def test_they_agree_in_evaluation_mode_once_batch_norm_is_measured(name):
    space = small(name)
    weights = shaken_weights(space, "slices")
    pixels = torch.randint(0, 256, (64, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).byte()
    split = Split(images=pixels, labels=torch.zeros(64, dtype=torch.int64))
    batches = list(Batches(split, batch=32, size=SIDE).epoch(0))
    for code in space.sample(3, np.random.default_rng(2)):
        arch = space.decode(code)
        alone = weights.network(arch)
        recalibrate(alone, batches, 64, NO_CONTEXT)
        tensors = {piece.path: piece.cut() for piece in weights.pieces(space.encode(arch))}
        bare = build(arch).eval()
        statistics = {name: value for name, value in alone.named_buffers()}
        with torch.no_grad():
            found = torch.func.functional_call(bare, {**tensors, **statistics}, images())
            assert close(found, alone(images()))
            assert not close(found, shaken(build(arch))(images()))


@pytest.mark.parametrize("share", ["slices", "choices"])
def test_every_tensor_is_as_large_as_the_largest_network_asks_and_no_larger(share):
    space = read_space("mobilenet_v2_small")
    found: dict[str, list[tuple[int, int, int]]] = {}
    for code in space.sample(1200 if share == "slices" else 200, np.random.default_rng(0)):
        for op, role in members(space, code, share):
            if role:
                seen = op.c_in if op.kind == "linear" else op.per_group
                found.setdefault(role, []).append((op.c_out, seen, op.kernel))
    made = sizes(space, share)
    assert set(found) <= set(made)
    for role, shapes in found.items():
        most = tuple(np.max(shapes, axis=0).tolist())
        whole = (made[role].c_out, made[role].c_in, made[role].kernel)
        assert all(part <= all_ for part, all_ in zip(most, whole, strict=True))
        if share == "slices" and len(shapes) >= 1200:
            assert most == whole, role


def test_the_largest_network_of_a_plain_space_is_the_whole_of_its_weights():
    space = read_space("nas_bench_macro").restrict("stage1.op", ("ir_k5_e6",))
    for number in range(2, 9):
        space = space.restrict(f"stage{number}.op", ("ir_k5_e6",))
    [code] = next(space.enumerate())
    alone = build(space.decode(code))
    assert sum(p.numel() for p in SharedWeights(space).parameters()) == sum(p.numel() for p in alone.parameters())


def test_gradients_reach_the_slices_that_were_used_and_nothing_else():
    space = read_space("nas_bench_macro")
    weights = SharedWeights(space)
    code = space.code({f"stage{number}.op": "ir_k3_e3" for number in range(1, 9)})
    weights(code, images(4)).sum().backward()
    depthwise = weights.roles["stage2 1 ir depthwise"].layer.weight.grad  # 5x5, ratio 6: 384 channels
    assert depthwise.shape == (384, 1, 5, 5)
    assert depthwise[:192, :, 1:4, 1:4].abs().min() > 0
    depthwise[:192, :, 1:4, 1:4] = 0
    assert depthwise.abs().max() == 0
    assert weights.roles["stage2 1 ir expand"].layer.weight.grad[192:].abs().max() == 0


def test_choices_with_weights_of_their_own_share_nothing():
    space = read_space("nas_bench_macro")
    weights = SharedWeights(space, share="choices")
    weights(space.code({f"stage{number}.op": "ir_k3_e3" for number in range(1, 9)}), images(4)).sum().backward()
    used = {role for role, holder in weights.roles.items() if holder.layer.weight.grad is not None}
    assert any("k3 e3" in role for role in used)
    assert not any("k5 e6" in role for role in used)


def test_another_spelling_of_a_network_inherits_too():
    space = read_space("mobilenet_v2_small").with_classes(7)
    arch = space.decode(space.sample(1, np.random.default_rng(5))[0])
    last = arch.stages[-1]
    if last.repeats == 1:
        last = replace(last, repeats=2)
        arch = replace(arch, stages=(*arch.stages[:-1], last))
    told = replace(arch, stages=(*arch.stages[:-1], replace(last, repeats=1),
                                 replace(last, repeats=1, stride=1)))  # fmt: skip
    weights = SharedWeights(space)
    one, other = weights.inherit(arch), weights.inherit(told)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_network_outside_the_space_is_told_why():
    weights = SharedWeights(read_space("nas_bench_macro"))
    with pytest.raises(SpaceError, match="not in space nas_bench_macro"):
        weights.network(read_arch("mobilenet_v2_0.5_32"))


def test_an_unknown_way_of_sharing_is_refused():
    with pytest.raises(RecipeError, match="share 'slice' is unknown: did you mean 'slices'"):
        SharedWeights(read_space("nas_bench_macro"), share="slice")
