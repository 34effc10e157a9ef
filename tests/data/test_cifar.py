"""CIFAR through torchvision's own class: files on disk, a download that cannot be, the folder it is kept in."""

import hashlib
import pickle

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from archsearch.data.cifar import cache_folder, cifar
from archsearch.errors import DataError


@pytest.fixture
def small_cifar(tmp_path):
    """torchvision's class over generated files of the real layout: 2 batches of 20 and a test batch of 10."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()

    def write(name, content):
        blob = pickle.dumps(content)
        (folder / name).write_bytes(blob)
        return hashlib.md5(blob).hexdigest()

    def batch(seed, count):
        rng = np.random.default_rng(seed)
        data = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        return {"data": data, "labels": [i % 2 for i in range(count)]}

    class Small(CIFAR10):
        url = "http://127.0.0.1:9/cifar.tar.gz"  # nothing listens there
        train_list = [[f"data_batch_{i}", write(f"data_batch_{i}", batch(i, 20))] for i in (1, 2)]
        test_list = [["test_batch", write("test_batch", batch(9, 10))]]
        meta = {
            "filename": "batches.meta",
            "key": "label_names",
            "md5": write("batches.meta", {"label_names": ["cat", "dog"]}),
        }

    return Small


def test_files_on_disk_are_read_without_a_network(small_cifar, tmp_path):
    listing = cifar("cifar10", small_cifar, root=tmp_path)
    assert listing.classes == ("cat", "dog")
    assert list(listing.splits) == ["train"] * 40 + ["test"] * 10
    raw = pickle.loads((tmp_path / CIFAR10.base_folder / "test_batch").read_bytes())["data"]
    assert (listing.images[40].transpose(2, 0, 1).ravel() == raw[0]).all()
    assert listing.labels.tolist() == [i % 2 for i in range(50)]


def test_no_network_is_one_error_with_the_local_alternatives(small_cifar, tmp_path):
    with pytest.raises(
        DataError, match=r"cifar10 is not in .*empty.*cannot be downloaded.*folder/.*parquet.*digits"
    ) as e:
        cifar("cifar10", small_cifar, root=tmp_path / "empty")
    assert "\n" not in str(e.value)
    assert not (tmp_path / "empty").exists()


def test_damaged_file_is_not_used(small_cifar, tmp_path):
    path = tmp_path / CIFAR10.base_folder / "test_batch"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="cannot be downloaded"):
        cifar("cifar10", small_cifar, root=tmp_path)


def test_downloads_are_kept_in_the_user_s_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "archsearch"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "archsearch"
