"""How much work a run is when the user does not say: sized for the machine, so that the plain command ends in time.

Counted in images: one trained image is one forward and one backward pass. On two CPU cores a MobileNetV2 of 10 M MAdds
trains some 500 images a second, so the CPU figures mean about 20 s a trial and 1 to 5 min a retraining.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Amounts of work of a run."""

    trials: int  # networks trained while searching
    trial_images: int  # training images that a trial sees in each epoch
    epochs: int  # of a trial
    final_epochs: int  # of the retraining of the front, on all of train and validation
    finalists: int  # networks of the front that are retrained and tested


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a kind of device can be asked for by default."""

    trials: int
    trial_images: int
    trial_passes: int
    final_passes: int
    finalists: int


MEANS = {
    "cpu": Means(trials=20, trial_images=4_000, trial_passes=12_000, final_passes=40_000, finalists=5),
    "cuda": Means(trials=60, trial_images=1_000_000, trial_passes=500_000, final_passes=3_000_000, finalists=10),
}
EPOCHS = (3, 60)  # least and most by default
FINAL_EPOCHS = (2, 100)


def plan(train_images: int, device: str) -> Plan:
    """Default amounts for a data set of `train_images` and a device kind ("cuda" or anything else)."""
    means = MEANS["cuda" if device.startswith("cuda") else "cpu"]
    seen = min(train_images, means.trial_images)
    return Plan(
        trials=means.trials,
        trial_images=seen,
        epochs=_between(round(means.trial_passes / seen), EPOCHS),
        final_epochs=_between(round(means.final_passes / train_images), FINAL_EPOCHS),
        finalists=means.finalists,
    )


def _between(value: int, ends: tuple[int, int]) -> int:
    return max(ends[0], min(value, ends[1]))
