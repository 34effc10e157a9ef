"""The embedded data set: scikit-learn's handwritten digits. 1,797 real images of 8x8 pixels, no network needed."""

import numpy as np

from archsearch.data.arrays import ArrayImages
from archsearch.data.listing import Listing

NOTES = (
    "embedded handwritten digits (1,797 images of 8x8 pixels, upscaled); "
    "your own: --data cifar10, --data folder/ or --data file.parquet",
)


def digits() -> Listing:
    """1,797 handwritten digits, grey, never mirrored: a mirrored digit is another thing.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI; as shipped by scikit-learn.
    """
    from sklearn.datasets import load_digits  # a slow import, needed here only

    bunch = load_digits()
    pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)  # grey levels 0 .. 16
    return Listing(
        name="digits",
        classes=tuple(str(name) for name in bunch.target_names),
        images=ArrayImages(pixels, name="digits"),
        labels=bunch.target.astype(np.int64),
        splits=["train"] * len(pixels),
        flip=False,
        size=32,
        notes=NOTES,
    )
