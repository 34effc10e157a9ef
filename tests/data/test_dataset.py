"""Splits and data sets hold what they promise."""

import pytest
import torch

from archsearch.data.dataset import Dataset, Split, joined
from archsearch.errors import DataError


def split(n: int, *, start: int = 0, classes: int = 2) -> Split:
    images = torch.arange(start, start + n, dtype=torch.uint8).view(-1, 1, 1, 1).expand(n, 3, 4, 4).contiguous()
    return Split(images=images, labels=torch.arange(n) % classes)


def dataset() -> Dataset:
    splits = {"train": split(20), "val": split(6, start=50), "test": split(4, start=100)}
    return Dataset(name="toy", classes=("a", "b"), size=4, native=24, fingerprint="0" * 16, splits=splits)


def test_trainval_is_train_and_then_val():
    both = dataset().trainval()
    assert both.images[:, 0, 0, 0].tolist() == [*range(20), *range(50, 56)]
    assert len(both) == 26


def test_subset_is_fixed_stratified_and_of_the_size_asked_for():
    first, again = dataset().subset(7), dataset().subset(7)
    assert torch.equal(first.images, again.images)
    assert len(first) == 7
    assert first.labels.bincount().tolist() in ([4, 3], [3, 4])


def test_subset_of_everything_is_the_split():
    data = dataset()
    assert data.subset(1000) is data.splits["train"]
    assert len(data.subset(4, split="val")) == 4


def test_subset_refuses_what_it_cannot_do():
    with pytest.raises(DataError, match="unknown split 'tset'.*did you mean 'test'"):
        dataset().subset(4, split="tset")
    with pytest.raises(DataError, match="a subset of 1 images cannot hold 2 classes"):
        dataset().subset(1)


def test_splits_must_be_the_three():
    with pytest.raises(DataError, match="exactly train, val and test"):
        Dataset(name="toy", classes=("a", "b"), size=4, native=24, fingerprint="", splits={"train": split(4)})


def test_images_and_labels_must_be_equally_many():
    with pytest.raises(DataError, match="2 images and 3 labels"):
        Split(images=torch.zeros(2, 3, 4, 4, dtype=torch.uint8), labels=torch.zeros(3, dtype=torch.int64))


def test_joined_keeps_labels_beside_their_images():
    both = joined(split(3), split(4, start=9, classes=3))
    assert both.labels.tolist() == [0, 1, 0, 0, 1, 2, 0]
