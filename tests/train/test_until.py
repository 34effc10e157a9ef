"""A training that halts and goes on is the training that did neither."""

import pytest
import torch

from archsearch.errors import RecipeError
from archsearch.train.loop import TrainRun, train
from tests.train.stripes_task import SIZE, small_model, small_recipe


@pytest.mark.parametrize("ema", [0, 0.9])
def test_halting_twice_ends_with_the_same_bits(data, tmp_path, ema):
    recipe, told = small_recipe(ema=ema), []
    whole = small_model()
    straight = train(whole, data, recipe, run=TrainRun(size=SIZE))
    for until in (1, 3, None):
        parts = small_model()
        run = TrainRun(size=SIZE, folder=tmp_path, until=until)
        told.append(train(parts, data, recipe, run=run))
    assert [each.epochs for each in told] == [1, 3, 4]
    assert [each.resumed_from for each in told] == [0, 1, 3]
    assert told[-1].top1 == straight.top1
    assert [log.train_loss for log in told[-1].history] == [log.train_loss for log in straight.history]
    assert [log.lr for log in told[-1].history] == [log.lr for log in straight.history]
    assert torch.equal(whole[0].weight, parts[0].weight)


def test_asked_again_for_the_same_epoch_nothing_is_trained(data, tmp_path):
    run = TrainRun(size=SIZE, folder=tmp_path, until=2)
    first = train(small_model(), data, small_recipe(), run=run)
    again = train(small_model(), data, small_recipe(), run=run)
    assert again.resumed_from == 2
    assert (again.top1, again.images) == (first.top1, first.images)


def test_no_epoch_is_no_place_to_halt():
    with pytest.raises(RecipeError, match="until"):
        TrainRun(until=0)
