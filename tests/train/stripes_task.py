"""A small task with an answer, and a small network that has everything a checkpoint must keep."""

import torch
from torch import nn

from archsearch.data.dataset import Split
from archsearch.train.job import TrainData
from archsearch.train.recipe import Recipe
from archsearch.train.seed import seeded

CLASSES, SIZE = 4, 8


def stripes(n: int, *, seed: int) -> Split:
    """Noise with one bright quarter; the label says which quarter."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % CLASSES
    images = torch.randint(0, 120, (n, 3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    half = SIZE // 2
    for index, label in enumerate(labels.tolist()):
        row, column = divmod(label, 2)
        images[index, :, row * half : (row + 1) * half, column * half : (column + 1) * half] += 100
    return Split(images=images, labels=labels)


def small_data(train: int = 200, judged: int = 50) -> TrainData:
    """`train` and `judged` images of the stripes task."""
    half = (0.5, 0.5, 0.5)
    return TrainData(train=stripes(train, seed=1), eval=stripes(judged, seed=2), mean=half, std=half, flip=False)


def small_model(seed: int = 0) -> nn.Module:
    """Convolution, batch norm, depthwise convolution, dropout, classifier."""
    with seeded(seed):
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU6(inplace=True),
            nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU6(inplace=True),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(16 * (SIZE // 2) ** 2, CLASSES),
        )


def small_recipe(**changes) -> Recipe:
    """Four short epochs, dropout on; no step lasts long."""
    return Recipe(**{"epochs": 4, "batch": 32, "lr": 0.4, "dropout": 0.1, "padding": 1, **changes})
