"""How training images are varied, as plain data. `crops.py` holds the arithmetic; nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsearch.errors import RecipeError, choices

CROPS = ("auto", "none", "pad", "resized")

# torchvision.transforms.v2 classes that change images and never labels, and what each is made with
EXTRA: Mapping[str, Mapping[str, Any]] = {
    "AugMix": {},
    "AutoAugment": {},
    "ColorJitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4},
    "GaussianBlur": {"kernel_size": 3},
    "RandAugment": {},
    "RandomAdjustSharpness": {"sharpness_factor": 2.0},
    "RandomAffine": {"degrees": 10.0, "translate": (0.1, 0.1), "scale": (0.9, 1.1)},
    "RandomAutocontrast": {},
    "RandomErasing": {},
    "RandomGrayscale": {},
    "RandomPerspective": {"distortion_scale": 0.2},
    "RandomRotation": {"degrees": 10.0},
    "RandomVerticalFlip": {},
    "TrivialAugmentWide": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """Variation of training images; every image draws its own crop and flip.

    raises   RecipeError for an unknown crop or transform, or a number out of range
    """

    crop: str = "auto"  # "pad", "resized", "none"; "auto": pad up to 64 cached pixels, resized above
    padding: int = 4  # black border that a "pad" crop moves in [pixels of the network's input]
    flip: bool = False  # mirror every second image: pass the data set's own `flip`
    scale: tuple[float, float] = (0.35, 1.0)  # share of the area that a "resized" crop keeps
    ratio: tuple[float, float] = (3 / 4, 4 / 3)  # width over height of a "resized" crop
    extra: tuple[str, ...] = ()  # names in EXTRA, applied in order
    group: int = 16  # images that share one draw of each extra transform

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise RecipeError(f"unknown crop {self.crop!r}: {choices(self.crop, CROPS)}")
        for name in self.extra:
            if name not in EXTRA:
                raise RecipeError(f"unknown transform {name!r}: {choices(name, EXTRA)}")
        if self.padding < 0:
            raise RecipeError(f"padding must be 0 or more pixels, got {self.padding}")
        if self.group < 1:
            raise RecipeError(f"group must be at least 1 image, got {self.group}")
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise RecipeError(f"scale must rise within 0 to 1, got {self.scale}")
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise RecipeError(f"ratio must rise above 0, got {self.ratio}")
