"""Image folders: class sub-folders, splits above them, and everything that can be wrong with them."""

import re

import pytest

from archsearch.data.folder import folder
from archsearch.data.load import load
from archsearch.errors import DataError

SPLIT = {"train/cat": 4, "train/dog": 4, "test/cat": 2, "test/dog": 2}


def refused(root, message):
    with pytest.raises(DataError, match=message) as caught:
        load(root)
    assert "\n" not in str(caught.value)


def test_class_folders_become_classes_in_alphabetical_order(make_folder):
    data = load(make_folder({"dog": 5, "cat": 6}))
    assert data.classes == ("cat", "dog")
    assert data.name == "photos"
    assert data.flip
    assert sum(map(len, data.splits.values())) == 11
    assert len(data.notes) == 2


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_given_splits_are_kept(make_folder, val):
    data = load(make_folder({**SPLIT, f"{val}/cat": 3, f"{val}/dog": 3}))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 8, "val": 6, "test": 4}
    assert data.notes == ()


def test_missing_validation_is_cut_from_train_and_never_from_test(make_folder):
    data = load(make_folder(SPLIT))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 6, "val": 2, "test": 4}


def test_missing_test_is_cut_from_train(make_folder):
    data = load(make_folder({"train/cat": 10, "train/dog": 10, "val/cat": 2, "val/dog": 2}))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 16, "val": 4, "test": 4}
    assert len(data.notes) == 1


def test_a_class_may_be_called_train(make_folder):
    assert folder(make_folder({"car": 3, "train": 3})).classes == ("car", "train")


def test_litter_of_file_managers_is_ignored(make_folder):
    root = make_folder({"cat": 4, "dog": 4})
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (root / "cat" / name).write_bytes(b"x")
    (root / "README.txt").write_text("about")
    (root / ".git").mkdir()
    assert len(folder(root).images) == 8


def test_renaming_a_file_moves_no_image(make_folder):
    root = make_folder({"cat": 9, "dog": 9})
    before = load(root).fingerprint
    (root / "cat" / "0.png").rename(root / "cat" / "zzz.png")
    assert load(root).fingerprint == before


def test_empty_folder(tmp_path):
    refused(tmp_path, "no class folders found")


def test_one_class_only(make_folder):
    refused(make_folder({"cat": 5}), "photos has one class only, 'cat'")


def test_empty_class_folder(make_folder):
    root = make_folder({"cat": 5, "dog": 0})
    refused(root, re.escape(f"{root / 'dog'}: the class folder holds no images"))


def test_file_that_is_no_image(make_folder):
    root = make_folder({"cat": 5, "dog": 5})
    (root / "cat" / "notes.txt").write_text("hello")
    refused(root, re.escape(f"{root / 'cat' / 'notes.txt'}: not an image"))


def test_text_that_is_named_like_an_image(make_folder):
    root = make_folder({"cat": 5, "dog": 5})
    (root / "cat" / "notes.jpg").write_text("hello")
    refused(root, re.escape(f"{root / 'cat' / 'notes.jpg'}: not an image that can be read"))


def test_empty_file(make_folder):
    root = make_folder({"cat": 5, "dog": 5})
    (root / "cat" / "0.png").write_bytes(b"")
    refused(root, re.escape(f"{root / 'cat' / '0.png'}: the image is empty"))


def test_image_outside_any_class(make_folder):
    root = make_folder({"cat": 5, "dog": 5})
    (root / "stray.png").write_bytes((root / "cat" / "0.png").read_bytes())
    refused(root, re.escape(f"{root / 'stray.png'}: an image outside any class folder"))


def test_folder_inside_a_class_folder(make_folder):
    root = make_folder({"cat/young": 5, "dog": 5})
    refused(root, re.escape(f"{root / 'cat' / 'young'}: a folder inside a class folder"))


def test_classes_of_train_and_test_that_differ(make_folder):
    root = make_folder({**SPLIT, "test/fox": 2})
    refused(root, re.escape(f"{root / 'test'}: class 'fox' is not in both train and test"))


def test_splits_and_classes_side_by_side(make_folder):
    refused(make_folder({**SPLIT, "extra/cat": 2}), "'extra' stands beside splits")


def test_two_folders_for_one_split(make_folder):
    more = {f"{name}/{kind}": 2 for name in ("val", "valid") for kind in ("cat", "dog")}
    refused(make_folder({**SPLIT, **more}), "two folders name one split")


def test_splits_without_train(make_folder):
    refused(make_folder({"val/cat": 3, "val/dog": 3, "test/cat": 3, "test/dog": 3}), "test, val but no train")


def test_too_few_images(make_folder):
    refused(make_folder({"cat": 5, "dog": 2}), "class 'dog' has 2 training images: at least 3 are needed")
