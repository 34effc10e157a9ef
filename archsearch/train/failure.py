"""What a training can die of without ending the run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from archsearch.errors import TrainingError

CPU_PHRASES = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


@contextmanager
def out_of_memory_told() -> Iterator[None]:
    """Turns the ways in which memory runs out into one TrainingError (reason "out of memory")."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _too_big(error) from error
    except RuntimeError as error:
        if not any(phrase in str(error) for phrase in CPU_PHRASES):
            raise
        raise _too_big(error) from error


def check_finite(loss_sum: torch.Tensor, epoch: int) -> None:
    """Waits for the device and looks at the sum of losses so far: one bad step spoils it for good.

    raises   TrainingError (reason "nan")
    """
    if not torch.isfinite(loss_sum).item():
        raise TrainingError(f"the loss is not finite in epoch {epoch}: lower the recipe's lr", reason="nan")


def check_time(spent_s: float, limit_s: float | None, epoch: int) -> None:
    """Raises TrainingError (reason "time limit") once more than the limit is spent."""
    if limit_s is not None and spent_s > limit_s:
        raise TrainingError(
            f"training stopped in epoch {epoch}: over its time limit of {limit_s:g} s", reason="time limit"
        )


def _too_big(error: BaseException) -> TrainingError:
    first = (str(error).strip().splitlines() or ["no more said"])[0]
    return TrainingError(f"out of memory while training, try a smaller batch: {first}", reason="out of memory")
