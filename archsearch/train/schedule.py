"""The learning rate of every step: linear warm-up, then a cosine to zero."""

from math import cos, pi

from archsearch.train.recipe import LR_IMAGES, Recipe


def peak_lr(recipe: Recipe, batch: int) -> float:
    """The highest learning rate for steps of `batch` images: linear scaling, arXiv:1706.02677."""
    return recipe.lr * batch / LR_IMAGES


def lr_factor(step: int, steps: int, warmup: float) -> float:
    """What step `step` of `steps` multiplies the peak learning rate by.

    step     0 .. steps - 1
    warmup   fraction of the steps that climb; the last of them reaches 1
    returns  above 0 and at most 1; the step after the last would be 0
    """
    rise = round(warmup * steps)
    if step < rise:
        return (step + 1) / rise
    return (1 + cos(pi * (step - rise) / (steps - rise))) / 2
