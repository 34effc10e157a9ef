"""One image file to one square of RGB bytes, whatever its format.

Grey becomes three equal channels; 16 bits become 8 by division by 257; transparent pixels are laid on white; EXIF
orientation is applied; of an animation the first frame counts. The square is the centre, resized (bicubic).
"""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from archsearch.errors import DataError

ORIENTATION = 0x0112  # EXIF tag; 1 is upright
ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")


def decode(blob: bytes | np.ndarray, size: int, *, where: str) -> np.ndarray:
    """One image as uint8[size, size, 3].

    blob     the bytes of an image file, or uint8[h, w] grey, or uint8[h, w, 3] RGB
    where    path or row, for the message
    raises   DataError for bytes that are not an image, or a damaged one
    """
    if isinstance(blob, np.ndarray) and blob.shape == (size, size, 3):
        return blob
    try:
        image = Image.fromarray(blob) if isinstance(blob, np.ndarray) else Image.open(io.BytesIO(blob))
        image.draft(None, (size, size))  # jpeg: decode at 1/2, 1/4 or 1/8 where that is still large enough
        return np.asarray(square(rgb(upright(image)), size))
    except Exception as error:  # a damaged file can raise anything out of a decoder
        raise DataError(f"{where}: {reason(blob, error)}") from error


def reason(blob: bytes | np.ndarray, error: Exception) -> str:
    """What is wrong with bytes that do not decode."""
    if isinstance(error, DataError):
        return str(error)
    if not len(blob):
        return "the image is empty (0 bytes): remove it or fetch it again"
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read: remove it, or store it as JPEG or PNG"
    return f"damaged image ({str(error).splitlines()[0] if str(error) else type(error).__name__}): replace or remove it"


def upright(image: Image.Image) -> Image.Image:
    """The image as its camera was held."""
    if image.getexif().get(ORIENTATION, 1) == 1:
        return image
    return ImageOps.exif_transpose(image)


def rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB.

    raises   DataError for floating-point pixels and for integers above 16 bits: their range is nowhere agreed
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F":
        raise DataError("floating-point pixels have no agreed range: store the image with 8 or 16 bits")
    if image.mode.startswith("I"):
        return from_16_bits(np.asarray(image)).convert("RGB")
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def from_16_bits(pixels: np.ndarray) -> Image.Image:
    """Grey 0 .. 65535, [h, w], as 8-bit grey."""
    if pixels.min() < 0 or pixels.max() > 65535:
        raise DataError(f"grey values up to {pixels.max()} have no agreed range: store the image with 8 or 16 bits")
    return Image.fromarray(np.round(pixels / 257).astype(np.uint8))


def square(image: Image.Image, size: int) -> Image.Image:
    """The centre square, `size` pixels wide."""
    width, height = image.size
    if (width, height) == (size, size):
        return image
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


def short_side(blob: bytes | np.ndarray, *, where: str) -> int:
    """Pixels of the shorter side, from the file's header only."""
    if isinstance(blob, np.ndarray):
        return min(blob.shape[:2])
    try:
        with Image.open(io.BytesIO(blob)) as image:
            return min(image.size)
    except Exception as error:  # as in `decode`
        raise DataError(f"{where}: {reason(blob, error)}") from error
