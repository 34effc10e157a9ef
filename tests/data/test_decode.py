"""Every kind of image becomes the right square of RGB bytes, or one clear error."""

import io

import numpy as np
import pytest
from PIL import Image

from archsearch.data.decode import decode, short_side
from archsearch.errors import DataError


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flat(image: Image.Image, kind: str = "PNG", **options: object) -> list[int]:
    """The one colour of a flat image after decoding at 4 pixels."""
    pixels = decode(saved(image, kind, **options), 4, where="here")
    assert pixels.shape == (4, 4, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == pixels[0, 0]).all()
    return pixels[0, 0].tolist()


def test_rgb_of_the_right_size_is_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (decode(saved(Image.fromarray(pixels)), 8, where="here") == pixels).all()


def test_grey_becomes_three_equal_channels():
    assert flat(Image.new("L", (8, 8), 77)) == [77, 77, 77]


def test_grey_with_alpha_is_laid_on_white():
    assert flat(Image.new("LA", (8, 8), (0, 0))) == [255, 255, 255]


def test_black_and_white_image():
    assert flat(Image.new("1", (8, 8), 1)) == [255, 255, 255]


def test_transparent_pixels_are_laid_on_white():
    assert flat(Image.new("RGBA", (8, 8), (200, 10, 20, 0))) == [255, 255, 255]
    assert flat(Image.new("RGBA", (8, 8), (200, 10, 20, 255))) == [200, 10, 20]
    assert flat(Image.new("RGBA", (8, 8), (0, 0, 0, 128))) == pytest.approx([127, 127, 127], abs=1)


def test_palette_is_looked_up():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 12, 34, 56])
    assert flat(image) == [12, 34, 56]


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
def test_transparent_palette_entry_is_laid_on_white(transparency):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 12, 34, 56])
    assert flat(image, transparency=transparency) == [255, 255, 255]


@pytest.mark.parametrize(("value", "wanted"), [(0, 0), (257 * 100, 100), (65535, 255), (200, 1)])
def test_16_bit_grey_is_scaled_to_8_bit(value, wanted):
    image = Image.fromarray(np.full((8, 8), value, dtype=np.uint16))
    assert flat(image) == [wanted] * 3
    assert flat(image, "TIFF") == [wanted] * 3


def test_cmyk_becomes_rgb():
    assert flat(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100) == pytest.approx([255, 0, 0], abs=4)


def test_floating_point_pixels_are_refused():
    with pytest.raises(DataError, match="x.tif: floating-point pixels"):
        decode(saved(Image.new("F", (8, 8), 0.5), "TIFF"), 4, where="x.tif")


def test_one_pixel_is_upscaled():
    assert flat(Image.new("RGB", (1, 1), (9, 8, 7))) == [9, 8, 7]


def test_exif_orientation_is_applied():
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8] = 255  # white above, black below
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned = decode(saved(Image.fromarray(pixels), exif=exif), 16, where="here")
    assert turned[:, 8:].min() == 255
    assert turned[:, :8].max() == 0


def test_the_centre_square_is_kept():
    pixels = np.zeros((10, 30, 3), dtype=np.uint8)
    pixels[:, 10:20] = 200
    assert (decode(saved(Image.fromarray(pixels)), 10, where="here") == 200).all()


def test_large_jpeg_keeps_its_content():
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    pixels = np.broadcast_to(ramp[None, :, None], (1024, 1024, 3))
    small = decode(saved(Image.fromarray(np.ascontiguousarray(pixels)), "JPEG", quality=95), 64, where="here")
    assert small[32, :, 0] == pytest.approx(np.linspace(2, 253, 64), abs=3)


def test_arrays_decode_like_files():
    pixels = np.random.default_rng(1).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    assert (decode(pixels, 5, where="") == decode(saved(Image.fromarray(pixels)), 5, where="")).all()
    grey = pixels[:, :, 0].copy()
    assert (decode(grey, 5, where="") == decode(saved(Image.fromarray(grey)), 5, where="")).all()


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", r"a\.jpg: the image is empty"),
        (b"hello, no image", r"a\.jpg: not an image"),
        (b"\x89PNG\r\n\x1a\n", r"a\.jpg: "),
    ],
)
def test_bytes_that_are_no_image_are_one_error_with_the_path(blob, message):
    with pytest.raises(DataError, match=message) as caught:
        decode(blob, 4, where="a.jpg")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_truncated_image_is_an_error_with_the_path(kind):
    blob = saved(Image.fromarray(np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    with pytest.raises(DataError, match=r"^cut\.x: "):
        decode(blob[: len(blob) // 2], 64, where="cut.x")


def test_short_side_reads_the_header():
    assert short_side(saved(Image.new("RGB", (30, 20))), where="") == 20
    assert short_side(np.zeros((8, 9), dtype=np.uint8), where="") == 8
    with pytest.raises(DataError, match="b.png: not an image"):
        short_side(b"junk", where="b.png")
