import pytest
import torch

from archsearch.errors import RecipeError
from archsearch.train.seed import seeded


def draw(*numbers: int) -> list[float]:
    with seeded(*numbers):
        return torch.rand(4).tolist()


def test_the_same_numbers_give_the_same_draws_and_others_do_not():
    assert draw(3, 1) == draw(3, 1)
    assert len({tuple(draw(*numbers)) for numbers in [(3,), (3, 1), (1, 3), (4, 1)]}) == 4


def test_the_generator_outside_goes_on_as_if_nothing_had_happened():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    draw(3, 1)
    assert torch.equal(torch.rand(3), expected)


def fail() -> None:
    torch.rand(1)
    raise ZeroDivisionError


def test_it_is_restored_after_an_error_too():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded(1):
        fail()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_negative_seed_is_refused():
    with pytest.raises(RecipeError, match="seed must be 0 or more"), seeded(-1):
        pass
