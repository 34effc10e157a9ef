"""How much work a run is when the user does not say: sized for the machine, so that the plain command ends in time.

Counted in images: one trained image is one forward and one backward pass. One core of a shared machine trained 700
images a second of a network of 2 M MAdds and 80 of one of 36 M, so on CIFAR-10 the CPU figures meant half a minute to
four minutes a trial and two to twenty-five a retraining (results/cifar10-first).
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Amounts of work of a run."""

    trials: int  # networks trained while searching
    trial_images: int  # training images that a trial sees in each epoch
    epochs: int  # of a trial
    batch: int  # of a trial
    final_epochs: int  # of the retraining of the front, on all of train and validation
    final_batch: int
    finalists: int  # networks of the front that are retrained and tested


AMOUNTS = tuple(field.name for field in fields(Plan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a kind of device can be asked for by default."""

    trials: int
    trial_images: int
    trial_passes: int  # images trained in one trial, epochs counted
    epochs: tuple[int, int]  # least and most
    final_passes: int
    final_epochs: tuple[int, int]
    finalists: int
    batch: int


MEANS = {
    "cpu": Means(trials=16, trial_images=5_000, trial_passes=20_000, epochs=(3, 4),
                 final_passes=100_000, final_epochs=(2, 6), finalists=4, batch=128),
    "cuda": Means(trials=60, trial_images=1_000_000, trial_passes=500_000, epochs=(5, 60),
                  final_passes=3_000_000, final_epochs=(20, 100), finalists=10, batch=256),
}  # fmt: skip
STEPS = 200  # a training should take at least so many; small data sets get smaller batches
SMALLEST = 32


def plan(train_images: int, device: str) -> Plan:
    """Default amounts for a data set of `train_images` and a device kind ("cuda" or anything else)."""
    means = MEANS["cuda" if device.startswith("cuda") else "cpu"]
    seen = min(train_images, means.trial_images)
    epochs = _between(round(means.trial_passes / seen), means.epochs)
    final_epochs = _between(round(means.final_passes / train_images), means.final_epochs)
    return Plan(
        trials=means.trials,
        trial_images=seen,
        epochs=epochs,
        batch=batch_for(seen * epochs, means.batch),
        final_epochs=final_epochs,
        final_batch=batch_for(train_images * final_epochs, means.batch),
        finalists=means.finalists,
    )


def batch_for(passes: int, most: int) -> int:
    """The largest batch, halved from `most`, with which `passes` images make enough steps; at least 32."""
    batch = most
    while batch > SMALLEST and passes / batch < STEPS:
        batch //= 2
    return batch


def _between(value: int, ends: tuple[int, int]) -> int:
    return max(ends[0], min(value, ends[1]))
