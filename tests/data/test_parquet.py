"""Parquet files with image bytes and labels, and everything that can be wrong with them."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
import torch

from archsearch.data.load import load, peek
from archsearch.errors import DataError

LABELS = [0, 1] * 12


def refused(path, message):
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


def test_image_and_label_are_enough(make_parquet):
    data = load(make_parquet(label=LABELS))
    assert data.name == "pack.parquet"
    assert data.classes == ("0", "1")
    assert sum(sizes(data).values()) == 24
    assert len(data.notes) == 2


def test_peek_counts_without_decoding(make_parquet):
    path = make_parquet(label=LABELS)
    assert peek(path).train_images == len(load(path).splits["train"])


def test_names_come_from_class_name(make_parquet):
    assert load(make_parquet(label=LABELS, class_name=["cat", "dog"] * 12)).classes == ("cat", "dog")


def test_names_come_from_the_file_s_metadata(make_parquet):
    assert load(make_parquet(label=LABELS, metadata={"classes": "cat,dog"})).classes == ("cat", "dog")
    features = {"info": {"features": {"label": {"names": ["fox", "owl"], "_type": "ClassLabel"}}}}
    assert load(make_parquet(label=LABELS, metadata={"huggingface": json.dumps(features)})).classes == ("fox", "owl")


def test_text_labels_are_numbered_alphabetically(make_parquet):
    data = load(make_parquet(label=["dog", "cat"] * 12))
    assert data.classes == ("cat", "dog")
    assert data.splits["test"].labels.dtype == torch.int64


def test_dictionary_labels(make_parquet):
    data = load(make_parquet(label=pa.array(["dog", "cat"] * 12).dictionary_encode()))
    assert data.classes == ("cat", "dog")


def test_hugging_face_structs_read_like_plain_bytes(make_parquet, encode):
    plain = load(make_parquet(label=LABELS))
    blobs = [encode(np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8)) for i in range(24)]
    structs = load(make_parquet(label=LABELS, image=[{"bytes": blob, "path": "x.png"} for blob in blobs]))
    assert structs.fingerprint == plain.fingerprint
    assert torch.equal(structs.splits["train"].images, plain.splits["train"].images)


def test_split_column(make_parquet):
    splits = ["train"] * 12 + ["validation"] * 6 + ["test"] * 6
    data = load(make_parquet(label=LABELS, split=splits))
    assert sizes(data) == {"train": 12, "val": 6, "test": 6}
    assert data.notes == ()


def test_order_of_rows_changes_nothing(make_parquet, encode):
    order = np.random.default_rng(0).permutation(24)
    blobs = [encode(np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8)) for i in range(24)]
    one = load(make_parquet(label=LABELS, image=blobs))
    two = load(make_parquet(label=[LABELS[i] for i in order], image=[blobs[i] for i in order], row_group_size=5))
    assert one.fingerprint == two.fingerprint
    for name in one.splits:
        assert torch.equal(one.splits[name].images, two.splits[name].images)
        assert torch.equal(one.splits[name].labels, two.splits[name].labels)


def test_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"no parquet at all")
    refused(path, re.escape(f"{path}: not a parquet file that can be read"))


def test_truncated_parquet(make_parquet):
    path = make_parquet(label=LABELS)
    path.write_bytes(path.read_bytes()[:-50])
    refused(path, re.escape(f"{path}: not a parquet file that can be read"))


def test_damaged_row_group(make_parquet):
    path = make_parquet(label=LABELS, row_group_size=24)
    blob = bytearray(path.read_bytes())
    blob[4:60] = bytes(56)
    path.write_bytes(blob)
    refused(path, re.escape(str(path)))


def test_missing_columns_are_told_with_those_found(make_parquet):
    refused(make_parquet(img=[b"x"], labels=[1]), "columns found: img, labels; wanted: image .* and label")


def test_image_column_of_another_type(make_parquet):
    refused(make_parquet(image=["a.png", "b.png"], label=[0, 1]), "column image is string; wanted")
    refused(make_parquet(image=[{"path": "a"}, {"path": "b"}], label=[0, 1]), "column image is struct<path: string>")


def test_no_rows(make_parquet):
    refused(make_parquet(image=pa.array([], pa.binary()), label=pa.array([], pa.int64())), "no rows")


def test_row_without_an_image(make_parquet, encode):
    blobs = [encode(np.full((4, 4, 3), i, dtype=np.uint8)) for i in range(24)]
    blobs[5] = None
    refused(make_parquet(label=LABELS, image=blobs), "row 5: no image bytes")


def test_row_with_a_damaged_image(make_parquet, encode):
    blobs = [encode(np.full((4, 4, 3), i, dtype=np.uint8)) for i in range(24)]
    blobs[20] = b"nonsense"
    refused(make_parquet(label=LABELS, image=blobs), "row 20: not an image")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (-1, "row 3: label -1 is negative"),
        (7, "row 3: label 7 is out of range: 3 different labels must be 0 to 2"),
        (float("nan"), "row 3: label nan is not a whole number"),
        (0.5, "row 3: label 0.5 is not a whole number"),
        (None, "row 3: no label"),
    ],
)
def test_bad_label_names_its_row(make_parquet, bad, message):
    labels = [*LABELS[:3], bad, *LABELS[4:]]
    kind = pa.float64() if isinstance(bad, float) else pa.int64()
    refused(make_parquet(label=pa.array(labels, kind, from_pandas=False)), message)


def test_label_beyond_the_named_classes(make_parquet):
    refused(make_parquet(label=[*LABELS[:-1], 2], metadata={"classes": "cat,dog"}), "row 23: label 2 is out of range")


def test_named_class_without_images(make_parquet):
    refused(make_parquet(label=LABELS, metadata={"classes": "cat,dog,fox"}), "no image of class 'fox'")


def test_label_with_two_names(make_parquet):
    names = ["cat", "dog"] * 11 + ["dog", "dog"]
    refused(make_parquet(label=LABELS, class_name=names), "row 22: label 0 is 'dog' here and 'cat' before")


def test_labels_of_another_type(make_parquet):
    refused(make_parquet(label=[[0], [1]], image=[b"x", b"y"]), "column label is list<.*>; wanted")


def test_unknown_split(make_parquet):
    refused(make_parquet(label=LABELS, split=["train"] * 23 + ["tset"]), "row 23: unknown split 'tset': did you mean")


def test_test_labels_that_train_lacks(make_parquet):
    splits = ["train"] * 22 + ["test"] * 2
    refused(make_parquet(label=[*LABELS[:-2], 1, 2], split=splits), "split 'train' has no image of class '2'")


def test_one_class_only(make_parquet):
    refused(make_parquet(label=[0] * 12), "one class only, '0'")
