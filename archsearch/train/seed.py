"""Random numbers of torch from a seed, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from archsearch.errors import RecipeError


@contextmanager
def seeded(seed: int, *more: int) -> Iterator[None]:
    """Inside, torch's generators start from these numbers; afterwards they go on from where they were.

    seeded(run_seed) for a model's first weights, seeded(run_seed, epoch) for one epoch: another epoch, other numbers.
    raises   RecipeError for a negative number
    """
    if min(seed, *more, seed) < 0:
        raise RecipeError(f"a seed must be 0 or more, got {(seed, *more)}")
    start = int(np.random.SeedSequence((seed, *more)).generate_state(1, np.uint64)[0] >> 1)
    cuda = torch.cuda.is_initialized()
    before, before_cuda = torch.get_rng_state(), torch.cuda.get_rng_state_all() if cuda else []
    torch.default_generator.manual_seed(start)
    if cuda:
        torch.cuda.manual_seed_all(start)
    try:
        yield
    finally:
        torch.set_rng_state(before)
        if cuda:
            torch.cuda.set_rng_state_all(before_cuda)
