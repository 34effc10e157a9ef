"""The shared packs of real photographs, where they are."""

import pytest

from archsearch.data.load import load, peek


@pytest.mark.slow
def test_cifar10_from_parquet(shared_images):
    data = load(shared_images / "cifar10.parquet")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 45_000, "val": 5_000, "test": 10_000}
    assert (data.size, data.native, data.flip) == (32, 32, True)
    assert data.classes[:3] == ("airplane", "automobile", "bird")
    assert data.splits["val"].labels.bincount().tolist() == [500] * 10
    assert [255 * mean for mean in data.mean] == pytest.approx([125.39, 123.06, 114.03], abs=2)  # of all 50,000
    assert data.fingerprint == "8b17a31dc57bd5de"


def test_clothing_is_peeked_at_in_its_own_size(shared_images):
    told = peek(shared_images / "clothing10_sub.parquet")
    assert (told.native, told.size, told.num_classes, told.train_images) == (400, 256, 10, 1275)


@pytest.mark.slow
def test_clothing_from_parquet(shared_images):
    data = load(shared_images / "clothing10_sub.parquet", size=64)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 1275, "val": 341, "test": 372}
    assert data.notes == ()
