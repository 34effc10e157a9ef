"""Splits follow the images' bytes: fixed, stratified, never overlapping."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.data.arrays import ArrayImages
from archsearch.data.cache import content_keys
from archsearch.data.dataset import stratified
from archsearch.data.listing import Listing
from archsearch.data.splits import assign, content_key, fingerprint, train_count
from archsearch.errors import DataError


def listing(labels, *, splits=None, pixels=None):
    labels = np.asarray(labels, dtype=np.int64)
    pixels = (
        np.random.default_rng(0).integers(0, 256, (len(labels), 3, 3), dtype=np.uint8) if pixels is None else pixels
    )
    classes = tuple(f"class {i}" for i in range(labels.max() + 1))
    images = ArrayImages(pixels, name="noise")
    return Listing(
        name="noise", classes=classes, images=images, labels=labels, splits=splits or ["train"] * len(labels)
    )


def test_shares_are_a_fifth_and_a_tenth_of_each_class():
    labels = np.repeat([0, 1], [100, 50])
    noise = listing(labels)
    splits, notes = assign(noise, content_keys(noise.images))
    assert [int(((splits == s) & (labels == 0)).sum()) for s in ("test", "val", "train")] == [20, 8, 72]
    assert [int(((splits == s) & (labels == 1)).sum()) for s in ("test", "val", "train")] == [10, 4, 36]
    assert train_count(noise) == 108
    assert "no test split given: 20 % of train" in notes[0]
    assert "no val split given: 10 % of train" in notes[1]


@given(st.lists(st.integers(3, 30), min_size=2, max_size=5), st.randoms())
@settings(max_examples=30)
def test_splits_do_not_depend_on_the_order_of_rows(counts, random):
    noise = listing(np.repeat(np.arange(len(counts)), counts))
    keys = content_keys(noise.images)
    splits, _ = assign(noise, keys)
    order = list(range(len(keys)))
    random.shuffle(order)
    shuffled = listing(noise.labels[order])
    assert (assign(shuffled, keys[order])[0] == splits[order]).all()
    for name in ("train", "val", "test"):
        assert set(noise.labels[splits == name]) == set(range(len(counts)))


def test_the_hash_is_fixed_for_ever():
    assert content_key(b"archsearch") == 9_074_031_530_896_155_609
    assert content_key(np.arange(4, dtype=np.uint8).reshape(2, 2)) != content_key(np.arange(4, dtype=np.uint8))


def test_given_splits_are_kept():
    noise = listing([0, 1] * 5, splits=["train"] * 6 + ["val", "val", "test", "test"])
    splits, notes = assign(noise, content_keys(noise.images))
    assert splits.tolist() == list(noise.splits)
    assert notes == ()


def test_images_that_test_shares_with_train_are_left_out_of_train():
    pixels = np.random.default_rng(3).integers(0, 256, (10, 3, 3), dtype=np.uint8)
    pixels[8] = pixels[0]
    noise = listing([0, 1] * 5, splits=["train"] * 6 + ["val", "val", "test", "test"], pixels=pixels)
    splits, notes = assign(noise, content_keys(noise.images))
    assert splits[0] == ""
    assert splits[8] == "test"
    assert notes == ("left out of train: 1 with the same bytes as images of test",)


def test_equal_images_stay_in_one_split():
    pixels = np.random.default_rng(3).integers(0, 256, (40, 3, 3), dtype=np.uint8)
    pixels[20:] = pixels[:20]  # each image twice, under the same label
    noise = listing(([0] * 10 + [1] * 10) * 2, pixels=pixels)
    splits, _ = assign(noise, content_keys(noise.images))
    assert (splits[:20] == splits[20:]).all()


def test_equal_images_under_two_labels_never_sit_in_two_splits():
    pixels = np.random.default_rng(3).integers(0, 256, (60, 3, 3), dtype=np.uint8)
    pixels[30:35] = pixels[:5]
    noise = listing([0] * 30 + [1] * 30, pixels=pixels)
    keys = content_keys(noise.images)
    splits, _ = assign(noise, keys)
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not set(keys[splits == a]) & set(keys[splits == b])


def test_a_class_of_equal_images_cannot_be_split():
    pixels = np.random.default_rng(3).integers(0, 256, (20, 3, 3), dtype=np.uint8)
    pixels[:10] = 7
    noise = listing([0] * 10 + [1] * 10, pixels=pixels)
    with pytest.raises(DataError, match="'class 0' has too few different images"):
        assign(noise, content_keys(noise.images))


@pytest.mark.parametrize(
    ("labels", "splits", "needed"),
    [([0, 0, 0, 1, 1], None, 3), ([0, 0, 1, 0, 1], ["train"] * 3 + ["test"] * 2, 2)],
)
def test_too_few_images_of_a_class_are_named(labels, splits, needed):
    noise = listing(labels, splits=splits)
    with pytest.raises(DataError, match=f"class 'class 1' has . training images: at least {needed}"):
        assign(noise, content_keys(noise.images))


def test_one_image_per_split_is_enough():
    noise = listing([0, 0, 0, 1, 1, 1])
    splits, _ = assign(noise, content_keys(noise.images))
    assert sorted(splits) == ["test", "test", "train", "train", "val", "val"]


def test_fingerprint_changes_with_names_bytes_and_labels():
    keys, labels = np.arange(4, dtype=np.uint64), np.array([0, 1, 0, 1])
    same = fingerprint(("a", "b"), [(keys, labels)])
    others = [
        fingerprint(("a", "c"), [(keys, labels)]),
        fingerprint(("a", "b"), [(keys + 1, labels)]),
        fingerprint(("a", "b"), [(keys, 1 - labels)]),
        fingerprint(("a", "b"), [(keys[:2], labels[:2]), (keys[2:], labels[2:])]),
    ]
    assert len({same, *others}) == 5
    assert fingerprint(("a", "b"), [(keys, labels)]) == same
    assert len(same) == 16


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.data())
def test_a_stratified_subset_keeps_the_shares(counts, data):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    n = data.draw(st.integers(len(counts), len(labels)))
    chosen = stratified(labels, n)
    got = np.bincount(labels[chosen], minlength=len(counts))
    assert len(set(chosen.tolist())) == n
    assert (got >= 1).all()
    assert (got <= np.array(counts)).all()
    fair = n * np.array(counts) / len(labels)
    assert (got <= np.maximum(1, np.ceil(fair))).all()


def test_what_a_listing_must_be():
    with pytest.raises(DataError, match="one class only"):
        listing([0, 0, 0])
    with pytest.raises(DataError, match="noise, image 1: label -1 is out of range: 2 classes are 0 to 1"):
        listing([0, -1, 1])
    with pytest.raises(DataError, match="no training images"):
        listing([0, 1], splits=["test", "test"])
    with pytest.raises(DataError, match="split 'test' has no image of class 'class 1'"):
        listing([0, 1, 0], splits=["train", "train", "test"])
