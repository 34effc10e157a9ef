"""How a supernet is trained, as plain data: the recipe of an ordinary training, and which networks take a step."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from archsearch.errors import RecipeError, choices
from archsearch.train.recipe import Recipe

SAMPLINGS = ("sandwich", "fair", "uniform")
SHARES = ("slices", "choices")
BASE = Recipe(epochs=8, batch=64, lr=0.2, ema=0.0, warmup=0.05, label_smoothing=0.1, weight_decay=5e-5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupernetRecipe:
    """One optimizer step takes one batch through some networks of the space and averages their gradients.

    sampling   sandwich: the largest, the smallest, the others at random (arXiv:1903.05134); fair: every choice of every
               axis equally often (arXiv:1907.01845); uniform: at random (arXiv:1904.00420)
    raises     RecipeError naming the field, its value and what would be right
    """

    base: Recipe = field(default_factory=lambda: BASE)  # epochs, batch, learning rate, augmentation
    sampling: str = "sandwich"
    networks: int = 3  # of one step
    distill: bool = True  # sandwich: all but the largest learn from its answers
    share: str = "slices"  # of weights; see nn/shared.py
    images: int = 0  # training images of the data set that are used; 0 = all
    clip: float = 1.0  # longest gradient of a step; 0 = any. Without it the first steps diverge at lr 0.2
    half: float = 0.8  # share of the steps, the first ones, on images of half the side

    def __post_init__(self) -> None:
        for name, known in (("sampling", SAMPLINGS), ("share", SHARES)):
            if getattr(self, name) not in known:
                raise RecipeError(f"supernet {name} {getattr(self, name)!r}: {choices(getattr(self, name), known)}")
        least = 2 if self.sampling == "sandwich" else 1
        for name, low in (("networks", least), ("images", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise RecipeError(f"supernet {name} must be a whole number, at least {low}, got {value!r}")
        for name, high in (("half", 1), ("clip", 1e9)):
            if not 0 <= getattr(self, name) <= high:
                raise RecipeError(f"supernet {name} must be a number from 0 to {high:g}, got {getattr(self, name)!r}")
        if not isinstance(self.distill, bool):
            raise RecipeError(f"supernet distill must be true or false, got {self.distill!r}")
        if self.base.dropout:
            raise RecipeError(f"a supernet is trained without dropout, got {self.base.dropout}")

    def to_dict(self) -> dict[str, Any]:
        """Every field, those of the base among them; fit for JSON and for `from_dict`."""
        own = {name: value for name, value in asdict(self).items() if name != "base"}
        return {**self.base.to_dict(), **own}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SupernetRecipe":
        """The recipe with these fields, the others at their defaults.

        raises   RecipeError for an unknown field
        """
        own = {f.name for f in fields(cls)} - {"base"}
        known = own | {f.name for f in fields(Recipe)}
        for name in values:
            if name not in known:
                raise RecipeError(f"unknown supernet recipe field {name!r}: {choices(name, known)}")
        base = Recipe.from_dict(BASE.to_dict() | {name: value for name, value in values.items() if name not in own})
        return cls(base=base, **{name: value for name, value in values.items() if name in own})
