"""A folder of images: one sub-folder a class, with or without train/val/test above them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archsearch.data.listing import SPLIT_NAMES, Listing
from archsearch.errors import DataError

SUFFIXES = frozenset(".bmp .gif .jfif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split())
LITTER = frozenset(("thumbs.db", "desktop.ini"))  # what file managers leave behind; names with a leading dot too


class FileImages:
    """An `Images` over files on disk, read when asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> bytes:
        try:
            return self._paths[index].read_bytes()
        except OSError as error:
            raise DataError(f"{self._paths[index]}: cannot be read ({error.strerror})") from error

    def where(self, index: int) -> str:
        """The path."""
        return str(self._paths[index])


def folder(path: Path) -> Listing:
    """The images below a folder.

    raises   DataError for no class folders, an empty one, a file that is not an image, splits whose classes differ
    """
    tops = visible(path)
    folders = [top for top in tops if top.is_dir()]
    if not folders:
        raise DataError(f"{path}: no class folders found: put the images of each class into a folder of its own")
    refuse_images(tops)
    parts = split_folders(path, folders) or {"train": path}
    classes = class_names(parts)
    rows = [
        (file, label, split)
        for split, top in parts.items()
        for label, name in enumerate(classes)
        for file in image_files(top / name)
    ]
    return Listing(
        name=path.resolve().name,
        classes=classes,
        images=FileImages([row[0] for row in rows]),
        labels=np.array([row[1] for row in rows], dtype=np.int64),
        splits=[row[2] for row in rows],
    )


def visible(path: Path) -> list[Path]:
    """What lies in a folder, sorted by name, without hidden files and file managers' litter."""
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in LITTER]


def refuse_images(entries: list[Path]) -> None:
    """Images beside the class folders belong to no class."""
    for entry in entries:
        if entry.is_file() and entry.suffix.lower() in SUFFIXES:
            raise DataError(f"{entry}: an image outside any class folder: move it into the folder of its class")


def split_folders(path: Path, folders: list[Path]) -> dict[str, Path]:
    """Split name -> folder, or {} where the folders are classes.

    raises   DataError where splits and classes stand side by side, or two folders name one split
    """
    named = {entry: SPLIT_NAMES.get(entry.name.lower()) for entry in folders}
    found = [name for name in named.values() if name]
    others = [entry.name for entry, name in named.items() if name is None]
    if not found or (others and len(found) == 1):
        return {}  # one class may well be called "train"
    if others:
        raise DataError(f"{path}: {others[0]!r} stands beside splits ({', '.join(sorted(found))}): move it elsewhere")
    if len(set(found)) < len(found):
        names = ", ".join(entry.name for entry in folders)
        raise DataError(f"{path}: two folders name one split ({names}): keep one of them")
    if "train" not in found:
        raise DataError(f"{path}: splits {', '.join(found)} but no train: add a folder 'train'")
    return {name: entry for entry, name in named.items() if name}


def class_names(parts: dict[str, Path]) -> tuple[str, ...]:
    """The class folders, which must be the same in every split."""
    names: dict[str, list[str]] = {}
    for split, top in parts.items():
        entries = visible(top)
        refuse_images(entries)
        names[split] = [entry.name for entry in entries if entry.is_dir()]
    wanted = names["train"]
    if not wanted:
        raise DataError(f"{parts['train']}: no class folders found: put the images of each class into a folder")
    for split, got in names.items():
        odd = sorted(set(got) ^ set(wanted))
        if odd:
            raise DataError(f"{parts[split]}: class {odd[0]!r} is not in both train and {split}: classes must be equal")
    return tuple(wanted)


def image_files(path: Path) -> list[Path]:
    """The images of one class folder, sorted by name.

    raises   DataError for an empty folder, or naming the first entry that is not an image
    """
    entries = visible(path)
    for entry in entries:
        if entry.is_dir():
            raise DataError(f"{entry}: a folder inside a class folder: only images may lie there")
        if entry.suffix.lower() not in SUFFIXES:
            raise DataError(f"{entry}: not an image: only files such as .jpg or .png may lie in a class folder")
    if not entries:
        raise DataError(f"{path}: the class folder holds no images: fill or remove it")
    return entries
