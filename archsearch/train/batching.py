"""The batches of a training and of its evaluation."""

from typing import Any

from archsearch.data.augment import Augment
from archsearch.data.batches import Batches
from archsearch.errors import DataError
from archsearch.train.job import TrainData, TrainRun
from archsearch.train.recipe import Recipe


def train_batches(data: TrainData, recipe: Recipe, run: TrainRun) -> Batches:
    """Augmented batches of equal size; one batch of everything where there are fewer images than `recipe.batch`.

    raises   DataError for fewer than 2 images: batch norm cannot learn from one
    """
    images = len(data.train)
    if images < 2:
        raise DataError(f"training needs at least 2 images, got {images}")
    flip = {"auto": data.flip, "on": True, "off": False}[recipe.flip]
    augment = Augment(crop=recipe.crop, padding=recipe.padding, flip=flip, extra=recipe.extra)
    how = _how(data, recipe, run)
    return Batches(data.train, batch=min(recipe.batch, images), augment=augment, drop_last=True, **how)


def eval_batches(data: TrainData, recipe: Recipe, run: TrainRun) -> Batches:
    """Batches that hold each image of the evaluation split once, as it is."""
    return Batches(data.eval, batch=max(recipe.batch, 256), augment=None, drop_last=False, **_how(data, recipe, run))


def _how(data: TrainData, recipe: Recipe, run: TrainRun) -> dict[str, Any]:
    """What both kinds of batches share."""
    return {
        "size": run.size,
        "device": run.device,
        "seed": run.seed,
        "mean": data.mean,
        "std": data.std,
        "channels_last": recipe.channels_last,
    }
