"""Recipes as plain data: how a network is trained, without torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite
from typing import Any

from archsearch.errors import RecipeError, choices

AMP = ("auto", "bfloat16", "float32")
CROP = ("auto", "none", "pad", "resized")
FLIP = ("auto", "on", "off")
LR_IMAGES = 256  # `lr` is stated for a batch of this many images


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """SGD with momentum, linear warm-up and a cosine to zero, one learning rate per step.

    `lr` is stated per 256 images and scaled linearly: a batch of 128 trains with half of it (arXiv:1706.02677).
    `weight_decay` is 5e-4 because small data sets over-fit; MobileNetV2's own 4e-5 (arXiv:1801.04381, section 6.1)
    is for ImageNet's 1.28 million images and is in the recipe "paper".
    raises   RecipeError naming the field, its value and what would be right
    """

    epochs: int = 10
    batch: int = 128  # images per step, at least 2 (batch norm)
    lr: float = 0.1  # peak, per 256 images
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4  # of convolution and linear weights only
    warmup: float = 0.1  # fraction of all steps
    label_smoothing: float = 0.1
    ema: float = 0.999  # decay per step once warmed up; 0 = off
    norm_images: int = 2048  # for batch-norm statistics measured anew before each evaluation; 0 = off, see norms.py
    dropout: float = 0.0  # of the model's dropout layers
    amp: str = "auto"  # auto: bfloat16 on CUDA, float32 on CPU, where bfloat16 was no faster
    channels_last: bool = True
    compile: bool = False
    fused: bool = True  # on a CPU in float32: batch norm and clamps in fewer passes over memory, see nn/fast
    progressive: float = 1.0  # side of the first images as a share of the full one, which they grow to; 1 = off
    crop: str = (
        "auto"  # auto: moved by up to `padding` pixels for small images, resized for large ones; see data/augment
    )
    padding: int = 4  # pixels around small images before the random crop
    flip: str = "auto"  # auto: what the data set says (a mirrored digit is another sign)
    extra: tuple[str, ...] = ()  # names of torchvision.transforms.v2

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", _names(self.extra))
        for field, low, high in _INTS:
            _check(field, getattr(self, field), int, f"a whole number from {low} to {high}", low, high)
        for field, low, high in _FLOATS:
            _check(field, getattr(self, field), (int, float), f"a number from {low} to {high}", low, high)
        for field, known in (("amp", AMP), ("crop", CROP), ("flip", FLIP)):
            if getattr(self, field) not in known:
                raise RecipeError(
                    f"recipe {field} {getattr(self, field)!r}: {choices(str(getattr(self, field)), known)}"
                )
        for field in ("nesterov", "channels_last", "compile", "fused"):
            if not isinstance(getattr(self, field), bool):
                raise RecipeError(f"recipe {field} must be true or false, got {getattr(self, field)!r}")
        if self.nesterov and self.momentum == 0:
            raise RecipeError("recipe nesterov needs momentum above 0, got momentum 0")

    def to_dict(self) -> dict[str, Any]:
        """Every field; fit for JSON and for `from_dict`.

        Fields that recipes did not always have are left out at their defaults: checkpoints from before stay good.
        """
        told = {**asdict(self), "extra": list(self.extra)}
        return {name: value for name, value in told.items() if name not in _LATER or value != _LATER[name]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe with these fields, the others at their defaults.

        raises   RecipeError for an unknown field
        """
        return _override(cls(), values)


_INTS = (("epochs", 1, 10_000), ("batch", 2, 65_536), ("padding", 0, 1_024), ("norm_images", 0, 10**9))
_FLOATS = (
    ("lr", 1e-9, 1e9),
    ("momentum", 0, 0.9999),
    ("weight_decay", 0, 1),
    ("warmup", 0, 0.9),
    ("label_smoothing", 0, 0.9),
    ("ema", 0, 0.999999),
    ("dropout", 0, 0.9),
    ("progressive", 0.25, 1),
)
_LATER = {"fused": True, "progressive": 1.0}


def recipe(name: str, **overrides: Any) -> Recipe:
    """A recipe by name, with some fields replaced.

    raises   RecipeError naming the known recipes or fields
    """
    if name not in RECIPES:
        raise RecipeError(f"unknown recipe {name!r}: {choices(name, RECIPES)}")
    return _override(RECIPES[name], overrides)


def _override(base: Recipe, values: Mapping[str, Any]) -> Recipe:
    known = [field.name for field in fields(Recipe)]
    for field in values:
        if field not in known:
            raise RecipeError(f"unknown recipe field {field!r}: {choices(field, known)}")
    return replace(base, **values)


def _check(field: str, value: Any, kind: Any, right: str, low: float, high: float) -> None:
    if not isinstance(value, kind) or isinstance(value, bool) or not isfinite(value) or not low <= value <= high:
        raise RecipeError(f"recipe {field} must be {right}, got {value!r}")


def _names(extra: Any) -> tuple[str, ...]:
    if not isinstance(extra, list | tuple) or not all(isinstance(name, str) for name in extra):
        raise RecipeError(f"recipe extra must be a list of transform names, got {extra!r}")
    return tuple(extra)


RECIPES: dict[str, Recipe] = {
    "quick": Recipe(epochs=10),  # search trials
    "full": Recipe(epochs=60, ema=0.9995, dropout=0.1, warmup=0.05),  # retraining of winners
    # arXiv:1801.04381, section 6.1 (momentum 0.9, weight decay 4e-5), with SGD and a cosine in place of RMSProp:
    # 150 epochs from 0.05 per 256 images are the settings of d-li14/mobilenetv2.pytorch, 72.2 % on ImageNet.
    "paper": Recipe(epochs=150, batch=256, lr=0.05, weight_decay=4e-5, warmup=0.03, ema=0.9999, dropout=0.2),
}
