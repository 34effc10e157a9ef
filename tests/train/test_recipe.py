import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import RecipeError
from archsearch.train.recipe import RECIPES, Recipe, recipe


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_survives_the_way_through_a_dictionary(name):
    assert Recipe.from_dict(recipe(name).to_dict()) == RECIPES[name]


@given(epochs=st.integers(1, 500), lr=st.floats(1e-4, 5), extra=st.lists(st.sampled_from(["RandAugment", "AugMix"])))
def test_overrides_change_the_named_fields_only(epochs, lr, extra):
    changed = recipe("full", epochs=epochs, lr=lr, extra=tuple(extra))
    assert changed.to_dict() == {**recipe("full").to_dict(), "epochs": epochs, "lr": lr, "extra": extra}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", True),
        ("batch", 1),
        ("lr", 0),
        ("lr", float("nan")),
        ("lr", "0.1"),
        ("momentum", 1.0),
        ("momentum", 0),  # nesterov is on
        ("warmup", -0.1),
        ("ema", 1.0),
        ("amp", "float16"),
        ("flip", True),
        ("crop", "centre"),
        ("compile", "yes"),
        ("extra", "RandAugment"),
        ("extra", None),
        ("padding", -1),
    ],
)
def test_a_field_that_cannot_be_is_named_with_its_value(field, value):
    with pytest.raises(RecipeError, match=rf"{field}.*{value}"):
        recipe("quick", **{field: value})


def test_unknown_recipes_and_fields_name_the_nearest_known():
    with pytest.raises(RecipeError, match="unknown recipe 'fulll': did you mean 'full'"):
        recipe("fulll")
    with pytest.raises(RecipeError, match="unknown recipe field 'epoch': did you mean 'epochs'"):
        recipe("quick", epoch=3)


def test_a_recipe_is_read_without_torch():
    code = "import sys, archsearch.train.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
