"""Top-1 and top-5 of a model on a split, each image counted once."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from archsearch.errors import TrainingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Right guesses as fractions of `images`."""

    top1: float
    top5: float  # within the first min(5, classes) guesses
    images: int


@torch.no_grad()
def score(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], context: torch.autocast) -> Score:
    """How often the model is right; it is left in the mode (train or eval) it came in.

    batches   images float[b, 3, r, r] and labels int64[b], on the model's device
    raises    TrainingError (reason "nan") where an output is not a finite number, ValueError for no images
    """
    mode = model.training
    model.eval()
    totals: Tensor | None = None
    images = 0
    for inputs, labels in batches:
        with context:
            logits = model(inputs)
        found = _hits(logits.float(), labels)
        totals = found if totals is None else totals + found
        images += len(labels)
    model.train(mode)
    if totals is None:
        raise ValueError("no images to evaluate on")
    top1, top5, broken = totals.tolist()
    if broken:
        raise TrainingError(f"the network's output is not finite on {broken} of {images} images", reason="nan")
    return Score(top1=top1 / images, top5=top5 / images, images=images)


def _hits(logits: Tensor, labels: Tensor) -> Tensor:
    """int64[3]: right at once, right within the first five, rows that are not finite."""
    right = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
    return torch.stack([right[:, 0].sum(), right.sum(), (~logits.isfinite().all(dim=1)).sum()])
