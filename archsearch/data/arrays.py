"""Images that are already pixels in memory."""

import numpy as np


class ArrayImages:
    """An `Images` over uint8[n, h, w] or uint8[n, h, w, 3]."""

    def __init__(self, pixels: np.ndarray, *, name: str) -> None:
        self._pixels, self._name = pixels, name

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._pixels[index]

    def where(self, index: int) -> str:
        """The image's number."""
        return f"{self._name}, image {index}"
