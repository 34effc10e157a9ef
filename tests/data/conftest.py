"""Images and files for the tests of data: generated, small, every one different."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

SHARED = Path("../shared/data/images")


def noise(seed: int, *, size: int = 12) -> np.ndarray:
    """uint8[size, size, 3]"""
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def png(pixels: np.ndarray | Image.Image) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def encode() -> Callable[..., bytes]:
    return png


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """make_folder({"train/cat": 5, "train/dog": 5}, size=12) writes so many images below a folder called photos."""

    def make(counts: dict[str, int], *, size: int = 12) -> Path:
        root, seed = tmp_path / "photos", 0
        for name, count in counts.items():
            (root / name).mkdir(parents=True)
            for i in range(count):
                (root / name / f"{i}.png").write_bytes(png(noise(seed, size=size)))
                seed += 1
        return root

    return make


@pytest.fixture
def make_parquet(tmp_path: Path) -> Callable[..., Path]:
    """make_parquet(label=[...], split=[...]) writes one noise image a row unless image is given."""

    def make(*, metadata: dict[str, str] | None = None, row_group_size: int = 7, **columns: list | pa.Array) -> Path:
        if "image" not in columns and "label" in columns:
            columns["image"] = [png(noise(i)) for i in range(len(columns["label"]))]
        table = pa.table({name: values for name, values in columns.items() if values is not None})
        path = tmp_path / "pack.parquet"
        pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=row_group_size)
        return path

    return make


@pytest.fixture
def shared_images() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there: the shared packs of real images are no part of the project")
    return SHARED
