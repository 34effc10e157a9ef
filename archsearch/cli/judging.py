"""The evaluator of a run, made of what its command asks for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.cli.labels import check_used
from archsearch.cli.loading import made_with_bar
from archsearch.errors import RunError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from archsearch.cli.request import Request
    from archsearch.evaluate.base import Evaluator, Setup

KINDS = ("ranks", "predicted")  # what evaluators that learn note with their values
MADE_UP = ("synthetic", "additive", "deceptive")  # evaluators


def evaluator_of(request: "Request") -> "Evaluator":
    """The evaluator; what there is to know of it is told. Its images are decoded here where it needs them."""
    name = request.given["evaluator"]
    made = made_with_bar(name, setup_of(request), request.log)
    check_used(request)
    for text in getattr(made, "notes", ()):
        request.log.print(text, markup=False, style="yellow", soft_wrap=True)
    if name in MADE_UP:
        request.log.print(f"accuracies are made up (--evaluator {name}): nothing is trained", style="yellow")
    return made


def setup_of(request: "Request") -> "Setup":
    """What an evaluator may ask for."""
    from archsearch.evaluate.base import Setup
    from archsearch.train.recipe import recipe

    amounts, given, first = request.amounts, request.given, request.first_weights
    return Setup(
        dataset=lambda: request.dataset,
        recipe=recipe(given["recipe"], epochs=amounts["epochs"], batch=amounts["batch"]),
        final_recipe=recipe(given["final_recipe"], epochs=amounts["final_epochs"], batch=amounts["final_batch"]),
        images=amounts["trial_images"],
        device=request.device,
        space=request.problem.space,
        table=request.table,
        init=first.name if first else None,
        seed=given["seed"],
        folder=request.folder,
        supernet=supernet_of(request),
        known=lambda: request.labels.known,
    )


def supernet_of(request: "Request") -> Path | None:
    """The supernet that judges: as given, else as the folder's run began; None = the run's own.

    raises   RunError for an evaluator that asks none
    """
    text, evaluator = request.given.get("supernet"), request.given["evaluator"]
    if evaluator != "supernet":
        if text:
            raise RunError(f"--supernet goes with --evaluator supernet, not with {evaluator}")
        return None
    text = text or request.stored.get("supernet")
    return Path(text) if text else None


def told_of(supernet: Path | None) -> dict[str, str]:
    """What the config says of a supernet that was named; nothing of a run's own.

    raises   RunError where the folder holds no finished one
    """
    from archsearch.train.supernet_folder import digest

    return {} if supernet is None else {"supernet": str(supernet), "supernet_hash": digest(supernet)}


def check_alike(evaluator: "Evaluator", trials: "Sequence[FrozenTrial]") -> None:
    """Raise RunError where an evaluator that learns would mix two kinds of values in one run: ranks, and accuracies.

    trials   those of the run so far
    """
    now = getattr(evaluator, "kind", None)
    there = {kind for trial in trials for kind in KINDS if kind in trial.user_attrs}
    if now is None or not there - {now}:
        return
    if now == "ranks":
        raise RunError("the values in this run were foretold from measured networks; give the same --from RUN again")
    raise RunError(
        "the values in this run are ranks, foretold from no network; leave --from out, or give another --out"
    )
