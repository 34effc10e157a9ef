"""The evaluator of a run, made of what its command asks for."""

from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.cli.labels import check_used
from archsearch.cli.loading import made_with_bar
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.cli.request import Request
    from archsearch.evaluate.base import Evaluator, Setup

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
    text = request.given.get("supernet") or request.stored.get("supernet")
    if text and request.given["evaluator"] != "supernet":
        raise RunError(f"--supernet goes with --evaluator supernet, not with {request.given['evaluator']}")
    return Path(text) if text else None
