"""Which way a training step runs, and how large its images are."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import CheckpointError
from archsearch.nn.build import build
from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.train.forward import shrunk, side_at
from archsearch.train.loop import TrainRun, train
from archsearch.train.recipe import Recipe
from archsearch.train.seed import seeded
from tests.train.stripes_task import CLASSES, small_data, small_recipe

ARCH = Arch(resolution=16, stem=Stem(width=8, stride=1), stages=(Stage(width=8, repeats=2, stride=2, expand=4),),
            head=Head(classes=CLASSES, width=16))  # fmt: skip


class Stop(Exception):
    pass


def trained(folder: Path | None = None, stop: int = 0, **changes):
    """Figures and weights of a training of ARCH, halted after epoch `stop` where that is not 0."""

    def on_epoch(log):
        if log.epoch == stop:
            raise Stop

    with seeded(3):
        model = build(ARCH)
    recipe = small_recipe(dropout=0.0, **changes)
    result = train(model, small_data(), recipe, run=TrainRun(size=16, folder=folder), on_epoch=on_epoch)
    return [(log.train_loss, log.top1) for log in result.history], model.state_dict()


@given(epochs=st.integers(1, 100), size=st.integers(1, 256), share=st.floats(0.25, 1))
def test_images_grow_to_the_full_side_and_stay_there(epochs, size, share):
    recipe = Recipe(epochs=epochs, progressive=share)
    sides = [side_at(epoch, recipe, size) for epoch in range(epochs)]
    assert sides == sorted(sides)
    assert all(1 <= side <= size and (side == size or side % 8 == 0) for side in sides)
    assert all(side == size for epoch, side in enumerate(sides) if epoch >= 0.75 * epochs)
    assert share < 1 or set(sides) == {size}


def test_sides_of_cifar_images_over_twelve_epochs():
    assert [side_at(epoch, Recipe(epochs=12, progressive=0.5), 32) for epoch in range(12)] == (
        [16] * 3 + [24] * 4 + [32] * 5)  # fmt: skip


def test_shrinking_keeps_order_in_memory_and_the_mean():
    images = torch.rand(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    smaller = shrunk(images, 16)
    assert smaller.shape == (2, 3, 16, 16)
    assert smaller.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(smaller.mean(), images.mean(), atol=0.02)
    assert shrunk(images, 32) is images


@pytest.mark.parametrize("changes", [{}, {"fused": False}, {"progressive": 0.5, "epochs": 5}], ids=str)
def test_a_network_that_is_stopped_ends_with_the_same_bits(tmp_path, changes):
    with pytest.raises(Stop):
        trained(tmp_path, 2, **changes)
    figures, weights = trained(tmp_path, **changes)
    undisturbed, same = trained(None, **changes)
    assert figures == undisturbed
    assert [name for name in weights if not torch.equal(weights[name], same[name])] == []


def test_the_fast_way_learns_what_the_plain_way_learns():
    fast, plain = trained(epochs=12)[0], trained(epochs=12, fused=False)[0]
    assert [loss for loss, _ in fast[:4]] == pytest.approx([loss for loss, _ in plain[:4]], rel=0.02)
    assert fast != plain  # else it was not the fast way
    assert fast[-1][1] > 0.9


def test_progressive_images_change_the_training_and_its_checkpoints(tmp_path):
    figures = trained(progressive=0.5, epochs=16)[0]
    assert figures != trained(epochs=16)[0]
    assert figures[-1][1] > 0.9
    with pytest.raises(Stop):
        trained(tmp_path, 1)
    with pytest.raises(CheckpointError, match="recipe.progressive is None there and 0.5 here"):
        trained(tmp_path, progressive=0.5)


def test_a_recipe_tells_later_fields_only_where_they_are_not_at_their_defaults():
    assert {"fused", "progressive"}.isdisjoint(Recipe().to_dict())
    changed = Recipe(fused=False, progressive=0.5)
    assert Recipe.from_dict(changed.to_dict()) == changed
