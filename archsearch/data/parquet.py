"""A parquet file with image bytes and labels: columns image, label and, where present, class_name and split."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from archsearch.data.listing import SPLIT_NAMES, Listing
from archsearch.errors import DataError, choices

WANTED = "image (bytes, or a struct with bytes) and label (whole number or text)"
MAX_ENCODED = 8 * 2**30  # bytes of the image column that may be held in memory


class ParquetImages:
    """An `Images` over the image column; a row group is read when its first row is asked for, and kept."""

    def __init__(self, path: Path, file: pq.ParquetFile) -> None:
        self._path, self._file, self._lock = path, file, threading.Lock()
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._groups: dict[int, pa.ChunkedArray] = {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> bytes:
        group = int(np.searchsorted(self._starts, index, side="right")) - 1
        blob = self._group(group)[index - int(self._starts[group])].as_py()
        if blob is None:
            raise DataError(f"{self.where(index)}: no image bytes: every row needs them")
        return blob

    def where(self, index: int) -> str:
        """File and row, counted from 0."""
        return f"{self._path}, row {index}"

    def _group(self, group: int) -> pa.ChunkedArray:
        with self._lock:
            if group not in self._groups:
                column = readable(self._path, lambda: self._file.read_row_group(group, columns=["image"])["image"])
                self._groups[group] = pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column
            return self._groups[group]


def parquet(path: Path) -> Listing:
    """The images of a parquet file.

    raises   DataError for a file that is not parquet, no rows, missing columns, and labels that are no classes
    """
    file = readable(path, lambda: pq.ParquetFile(path))
    check_columns(path, file)
    wanted = [name for name in ("label", "class_name", "split") if name in file.schema_arrow.names]
    table = readable(path, lambda: file.read(columns=wanted))
    splits = given_splits(path, table)
    classes, labels = named_labels(path, table, file.schema_arrow)
    return Listing(
        name=path.name, classes=classes, images=ParquetImages(path, file), labels=labels, splits=splits.tolist()
    )


def readable(path: Path, read: Any) -> Any:
    """What `read()` returns; a file that pyarrow cannot read is one DataError."""
    try:
        return read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a parquet file that can be read ({str(error).splitlines()[0]})") from error


def check_columns(path: Path, file: pq.ParquetFile) -> None:
    """The file has rows, the two columns, and image bytes that fit into memory."""
    schema = file.schema_arrow
    if not {"image", "label"} <= set(schema.names):
        raise DataError(f"{path}: columns found: {', '.join(schema.names)}; wanted: {WANTED}")
    kind = schema.field("image").type
    if pa.types.is_struct(kind):
        kind = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else kind
    if kind not in (pa.binary(), pa.large_binary(), pa.binary_view()):
        raise DataError(f"{path}: column image is {kind}; wanted: {WANTED}")
    if not file.metadata.num_rows:
        raise DataError(f"{path}: no rows: at least two classes of images are needed")
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    encoded = sum(c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] == "image")
    if encoded > MAX_ENCODED:
        raise DataError(f"{path}: {encoded / 2**30:.0f} GiB of image bytes do not fit memory: use an image folder")


def given_splits(path: Path, table: pa.Table) -> np.ndarray:
    """str[n] of "train", "val", "test"; all "train" where there is no such column."""
    if "split" not in table.column_names:
        return np.full(table.num_rows, "train")
    values = table["split"].to_pylist()
    names = {value: SPLIT_NAMES.get(str(value).lower()) for value in set(values)}
    for row, value in enumerate(values):
        if names[value] is None:
            raise DataError(f"{path}, row {row}: unknown split {value!r}: {choices(str(value), SPLIT_NAMES)}")
    return np.array([names[value] for value in values])


def named_labels(path: Path, table: pa.Table, schema: pa.Schema) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names by label, and labels int64[n]; text labels are numbered alphabetically."""
    column = table["label"].combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count:
        raise DataError(f"{path}, row {first(column.is_null())}: no label: every row needs one")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        texts, numbers = np.unique(np.array(column.to_pylist(), dtype=object), return_inverse=True)
        return tuple(texts.tolist()), numbers.astype(np.int64)
    labels = whole_numbers(path, column)
    if (labels < 0).any():
        row = first(labels < 0)
        raise DataError(f"{path}, row {row}: label {labels[row]} is negative: classes are counted from 0")
    names = schema_classes(schema) or column_classes(path, table, labels)
    return names or counted_classes(path, labels), labels


def whole_numbers(path: Path, column: pa.Array) -> np.ndarray:
    """int64[n] of a column of numbers.

    raises   DataError naming the first row that is not a whole number
    """
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(f"{path}: column label is {column.type}; wanted: {WANTED}")
    values = column.to_numpy(zero_copy_only=False)
    odd = ~np.isfinite(values) | (values != np.floor(values))
    if odd.any():
        raise DataError(f"{path}, row {first(odd)}: label {values[first(odd)]} is not a whole number")
    return values.astype(np.int64)


def schema_classes(schema: pa.Schema) -> tuple[str, ...] | None:
    """Class names from the file's own metadata: `classes` (comma-separated), or Hugging Face's ClassLabel."""
    metadata = schema.metadata or {}
    if b"classes" in metadata:
        return tuple(metadata[b"classes"].decode().split(","))
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return tuple(str(name) for name in features["label"]["names"])
    except (ValueError, KeyError, TypeError):
        return None


def column_classes(path: Path, table: pa.Table, labels: np.ndarray) -> tuple[str, ...] | None:
    """Class names from column class_name, one for each label; None without that column."""
    if "class_name" not in table.column_names:
        return None
    names: dict[int, str] = {}
    for row, (label, name) in enumerate(zip(labels.tolist(), table["class_name"].to_pylist(), strict=True)):
        if names.setdefault(label, name) != name:
            raise DataError(f"{path}, row {row}: label {label} is {name!r} here and {names[label]!r} before")
    counted_classes(path, labels)
    return tuple(str(names[label]) for label in sorted(names))


def counted_classes(path: Path, labels: np.ndarray) -> tuple[str, ...]:
    """Numbers as names; refuses labels with gaps."""
    count = len(np.unique(labels))
    if labels.max() >= count:
        row = first(labels >= count)
        raise DataError(
            f"{path}, row {row}: label {labels[row]} is out of range: {count} different labels must be 0 to {count - 1}"
        )
    return tuple(str(label) for label in range(count))


def first(mask: Any) -> int:
    """The position of the first True."""
    return int(np.flatnonzero(np.asarray(mask))[0])
