import itertools

import pytest
import torch
from torch import nn

from archsearch.errors import DataError, RecipeError, TrainingError
from archsearch.train.loop import TrainRun, train
from tests.train.stripes_task import SIZE, small_data, small_model, small_recipe

RUN = TrainRun(size=SIZE)


@pytest.mark.parametrize(
    "changes", [{}, {"ema": 0}, {"norm_images": 0}, {"amp": "bfloat16"}, {"channels_last": False, "nesterov": False}]
)
def test_a_simple_task_is_learnt(model, data, changes):
    result = train(model, data, small_recipe(**changes), run=RUN)
    assert result.top1 > 0.9
    assert result.top5 == 1.0  # of four classes
    assert (result.images, result.epochs, result.resumed_from) == (50, 4, 0)
    assert result.train_loss < result.history[0].train_loss


def test_the_model_ends_with_the_weights_that_were_judged(model, data):
    result = train(model, data, small_recipe(), run=RUN)
    normalised = (data.eval.images.float() / 255 - 0.5) / 0.5
    with torch.no_grad():
        right = model.eval()(normalised).argmax(dim=1) == data.eval.labels
    assert right.float().mean().item() == pytest.approx(result.top1)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(data):
    runs = [TrainRun(size=SIZE, seed=seed) for seed in (7, 7, 8)]
    models = [small_model() for _ in runs]
    losses = [train(m, data, small_recipe(epochs=1), run=run).train_loss for m, run in zip(models, runs, strict=True)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(models[0][0].weight, models[1][0].weight)


def test_torch_random_numbers_outside_are_left_alone(model, data):
    before = torch.get_rng_state()
    train(model, data, small_recipe(epochs=1), run=RUN)
    assert torch.equal(torch.get_rng_state(), before)


def test_each_epoch_is_told_and_judged_where_asked(model, data):
    told = []
    result = train(model, data, small_recipe(), run=TrainRun(size=SIZE, eval_every=2), on_epoch=told.append)
    assert tuple(told) == result.history
    assert [log.epoch for log in told] == [1, 2, 3, 4]
    assert [log.top1 is not None for log in told] == [False, True, False, True]
    assert told[0].lr > told[-1].lr


@pytest.mark.parametrize("ema", [0, 0.99])
def test_judging_more_often_changes_nothing(data, ema):
    often, once = small_model(), small_model()
    train(often, data, small_recipe(ema=ema), run=TrainRun(size=SIZE, eval_every=1))
    train(once, data, small_recipe(ema=ema), run=RUN)
    assert all(torch.equal(a, b) for a, b in zip(often.state_dict().values(), once.state_dict().values(), strict=True))


@pytest.mark.parametrize("images", [2, 31, 33])
def test_fewer_images_than_a_batch_or_one_more_still_train(model, images):
    assert train(model, small_data(images, 3), small_recipe(epochs=1), run=RUN).images == 3


def test_one_training_image_is_refused(model):
    with pytest.raises(DataError, match="at least 2 images, got 1"):
        train(model, small_data(1, 3), small_recipe(), run=RUN)


def test_a_loss_that_explodes_is_a_failed_trial(model, data):
    with pytest.raises(TrainingError, match="loss is not finite in epoch .: lower") as caught:
        train(model, data, small_recipe(lr=1e9), run=RUN)
    assert caught.value.reason == "nan"


def test_weights_that_are_no_numbers_are_never_kept(model, data, tmp_path):
    nn.init.constant_(model[8].bias, float("inf"))
    with pytest.raises(TrainingError, match="epoch 1") as caught:
        train(model, data, small_recipe(), run=TrainRun(size=SIZE, folder=tmp_path))
    assert caught.value.reason == "nan"
    assert list(tmp_path.iterdir()) == []  # nothing broken is kept


class Greedy(nn.Module):
    """Wants 2^50 bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return torch.empty(2**48, dtype=torch.float32)


def test_memory_that_runs_out_is_a_failed_trial(data):
    with pytest.raises(TrainingError, match="out of memory") as caught:
        train(Greedy(), data, small_recipe(dropout=0.0), run=RUN)
    assert caught.value.reason == "out of memory"
    assert "\n" not in str(caught.value)


def test_other_errors_of_a_model_are_not_swallowed(data):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(nn.Sequential(nn.Flatten(), nn.Linear(5, 4)), data, small_recipe(dropout=0.0), run=RUN)


def test_a_time_limit_ends_the_training_and_a_longer_one_goes_on(data, tmp_path):
    def limited(seconds):
        return TrainRun(size=SIZE, folder=tmp_path, time_limit_s=seconds, clock=itertools.count().__next__)

    with pytest.raises(TrainingError, match="time limit of 10 s") as caught:
        train(small_model(), data, small_recipe(), run=limited(10))  # one tick a step, six steps an epoch
    assert caught.value.reason == "time limit"
    with pytest.raises(TrainingError, match="time limit of 10 s"):
        train(small_model(), data, small_recipe(), run=limited(10))
    assert train(small_model(), data, small_recipe(), run=limited(1000)).resumed_from == 1


def test_dropout_without_a_layer_for_it_is_refused(data):
    with pytest.raises(RecipeError, match="dropout is 0.1 but"):
        train(nn.Sequential(nn.Flatten(), nn.Linear(192, 4)), data, small_recipe(), run=RUN)


@pytest.mark.parametrize(("field", "value"), [("size", 0), ("seed", -1), ("time_limit_s", 0.0), ("eval_every", -1)])
def test_circumstances_that_cannot_be_are_refused(field, value):
    with pytest.raises(RecipeError, match=f"{field.split('_')[0]}.*{value}"):
        TrainRun(**{field: value})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_simple_task_is_learnt_on_cuda_and_resumed(data, tmp_path):
    run = TrainRun(size=SIZE, device="cuda", folder=tmp_path)
    assert train(small_model(), data, small_recipe(), run=run).top1 > 0.9
    assert train(small_model(), data, small_recipe(), run=run).resumed_from == 4
