import pytest
import torch
from torch import nn

from archsearch.errors import TrainingError
from archsearch.train.precision import autocast
from archsearch.train.recipe import Recipe
from archsearch.train.score import score

PLAIN = autocast(Recipe(), "cpu")


def batches(logits: torch.Tensor, labels: torch.Tensor, size: int):
    return zip(logits.split(size), labels.split(size), strict=True)


@pytest.mark.parametrize("classes", [2, 5, 30])
@pytest.mark.parametrize("size", [1, 7, 50])
def test_every_image_counts_once_whatever_the_batch(classes, size):
    generator = torch.Generator().manual_seed(classes)
    logits = torch.randn(50, classes, generator=generator)
    labels = torch.randint(0, classes, (50,), generator=generator)
    found = score(nn.Identity(), batches(logits, labels, size), PLAIN)
    order = logits.argsort(dim=1, descending=True)
    place = (order == labels[:, None]).int().argmax(dim=1)
    assert found.images == 50
    assert found.top1 == (place < 1).sum().item() / 50
    assert found.top5 == (place < 5).sum().item() / 50


def test_an_output_that_is_no_number_is_a_failure_not_a_guess():
    logits = torch.zeros(4, 3)
    logits[2, 1] = float("nan")
    with pytest.raises(TrainingError, match="1 of 4") as caught:
        score(nn.Identity(), batches(logits, torch.zeros(4, dtype=torch.long), 2), PLAIN)
    assert caught.value.reason == "nan"


def test_the_model_is_judged_in_eval_mode_and_left_as_it_came():
    model = nn.Dropout(0.9).train()
    logits, labels = torch.eye(4) + 1, torch.arange(4)
    assert score(model, batches(logits, labels, 2), PLAIN).top1 == 1.0
    assert model.training


def test_no_images_is_a_bug_of_ours():
    with pytest.raises(ValueError, match="no images"):
        score(nn.Identity(), [], PLAIN)
