"""From a name or path to a data set: what is found, what is told, what is refused."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from archsearch import plugins
from archsearch.data import arrays
from archsearch.data.load import load, peek
from archsearch.errors import DataError

DIGITS_FINGERPRINT = "e4202594f907e030"


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_digits_are_embedded_and_say_how_to_use_ones_own(digits):
    assert digits.name == "digits"
    assert digits.classes == tuple("0123456789")
    assert (digits.size, digits.native, digits.flip) == (32, 24, False)
    assert {name: len(split) for name, split in digits.splits.items()} == {"train": 1295, "val": 143, "test": 359}
    assert "--data cifar10" in digits.notes[0]
    assert "no test split given" in digits.notes[1]


def test_splits_hold_uint8_images_and_int64_labels(digits):
    for split in digits.splits.values():
        assert split.images.dtype == torch.uint8
        assert split.images.shape == (len(split), 3, 32, 32)
        assert split.labels.dtype == torch.int64
        assert set(split.labels.tolist()) == set(range(10))


def test_no_image_is_in_two_splits(digits):
    seen = [{x.numpy().tobytes() for x in split.images} for split in digits.splits.values()]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_mean_and_std_are_those_of_the_training_images(digits):
    pixels = digits.splits["train"].images.double() / 255
    assert digits.mean == pytest.approx(pixels.mean(dim=(0, 2, 3)).tolist(), abs=1e-6)
    assert digits.std == pytest.approx(pixels.std(dim=(0, 2, 3)).tolist(), abs=1e-3)


def test_another_process_finds_the_same_splits(digits):
    assert digits.fingerprint == DIGITS_FINGERPRINT
    told = "d.fingerprint, d.splits['val'].labels.tolist()"
    code = f"from archsearch.data.load import load; d = load('digits'); print({told})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"{DIGITS_FINGERPRINT} {digits.splits['val'].labels.tolist()}"


def test_peek_tells_what_load_finds(digits):
    told = peek("digits")
    assert (told.name, told.classes, told.native, told.size) == ("digits", digits.classes, 24, 32)
    assert told.train_images == len(digits.splits["train"])
    assert told.num_classes == 10


def test_size_is_the_cached_side():
    assert load("digits", size=20).splits["val"].images.shape[1:] == (3, 20, 20)
    with pytest.raises(DataError, match="size must be at least 1 pixel, got 0"):
        load("digits", size=0)


def test_progress_ends_at_the_number_of_images():
    calls = []
    load("digits", progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (1797, 1797)
    assert calls == sorted(calls)


@pytest.mark.parametrize("source", ["digit", "no/such/folder", "folder", "parquet", "no.parquet", ""])
def test_unknown_source_names_the_known_ones(source):
    message = f"{source!r} is no known data set and no path that exists: .*cifar10, cifar100, digits, or a path"
    for read in (load, peek):
        with pytest.raises(DataError, match=message):
            read(source)


@pytest.mark.parametrize("source", ["x" * 5000, "nul\0byte"])
def test_path_that_cannot_exist_is_refused(source):
    with pytest.raises(DataError, match="cannot be opened"):
        load(source)


def test_nearest_name_is_suggested():
    with pytest.raises(DataError, match="did you mean 'digits'"):
        load("digit")


def test_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "images.zip"
    path.write_bytes(b"PK")
    with pytest.raises(DataError, match=re.escape(f"'{path}' is a file of another kind")):
        load(path)


def test_images_that_do_not_fit_are_decoded_batch_by_batch(make_folder):
    root = make_folder({"cat": 20, "dog": 30}, size=30)
    cached, lazy = load(root), load(root, memory_limit=1000)
    assert "decoded batch by batch" in lazy.notes[-1]
    assert not any("batch by batch" in note for note in cached.notes)
    assert lazy.fingerprint == cached.fingerprint
    assert lazy.mean == cached.mean
    for name, split in cached.splits.items():
        other = lazy.splits[name]
        assert other.images.shape == split.images.shape
        assert torch.equal(other.images[torch.arange(len(split))], split.images)
        assert torch.equal(other.labels, split.labels)
        assert torch.equal(torch.stack(list(other.images)), split.images)
    every = torch.arange(len(cached.trainval()))
    assert torch.equal(lazy.trainval().images[every], cached.trainval().images)
    assert torch.equal(lazy.subset(9).images[torch.arange(9)], cached.subset(9).images)


def test_damaged_image_is_found_before_training_also_when_nothing_is_cached(make_folder):
    root = make_folder({"train/cat": 20, "train/dog": 30, "test/cat": 9, "test/dog": 9})
    bad = root / "test" / "dog" / "7.png"
    bad.write_bytes(bad.read_bytes()[:100])
    for limit in (2**30, 10):
        with pytest.raises(DataError, match=re.escape(f"{bad}: damaged image")):
            load(root, memory_limit=limit)


def test_small_images_are_cached_as_they_are_and_large_ones_at_256(make_folder):
    data = load(make_folder({"cat": 4, "dog": 4}, size=40))
    assert (data.native, data.size) == (40, 40)
    told = peek(make_folder({"big/cat": 4, "big/dog": 4}, size=100) / "big")
    assert (told.native, told.size) == (100, 256)


def test_images_below_24_pixels_are_upscaled(make_folder):
    data = load(make_folder({"cat": 4, "dog": 4}, size=1))
    assert (data.native, data.size) == (24, 24)
    assert data.splits["train"].images.shape[1:] == (3, 24, 24)


def test_a_third_party_adds_a_data_set_by_name(monkeypatch):
    monkeypatch.setitem(plugins.table("datasets"), "noise", f"{__name__}:noise_listing")
    data = load("noise")
    assert data.name == "noise"
    assert sum(map(len, data.splits.values())) == 20


def noise_listing():
    from archsearch.data.listing import Listing

    pixels = np.random.default_rng(5).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    labels = np.arange(20, dtype=np.int64) % 2
    images = arrays.ArrayImages(pixels, name="noise")
    return Listing(name="noise", classes=("a", "b"), images=images, labels=labels, splits=["train"] * 20)


def test_every_listed_data_set_can_be_imported():
    assert all(callable(plugins.load("datasets", name)) for name in plugins.names("datasets"))
