"""The rungs of a run as the command line has them: which are asked for, how many networks, what they saved."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archsearch.errors import RunError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from archsearch.search.rungs import Rule

RUNGS = (
    "Train networks a little, then only the better ones on: how many rungs (3), their epochs (1,3,9) or auto "
    "(docs/rungs.md)."
)
SHARE = (
    "Of the networks at a rung one in so many is trained on; 1: all, the rungs only judge them. [default: 3, 9 with "
    "auto, or as begun]"
)


def rule_of(given: Mapping[str, Any], stored: Mapping[str, Any], *, epochs: int | None, repeats: bool) -> "Rule | None":
    """The rule as given, else as the folder's run began; None where neither has rungs.

    epochs   of a whole training; None where the evaluator cannot halt one
    raises   RunError where there is no such rule
    """
    from archsearch.search.rungs import AUTO_ETA, ETA, Rule, read_rungs

    text, begun = given.get("rungs"), stored.get("rungs")
    if text is None and begun is None:
        if given.get("eta") is not None:
            raise RunError("--eta goes with --rungs")
        return None
    if epochs is None:
        raise RunError(
            f"--rungs needs an evaluator that can halt a training, or a table with learning curves: "
            f"{given['evaluator']} has none"
        )
    if repeats:
        raise RunError("--rungs and --repeats do not go together: a training that halts is judged again as it goes on")
    eta = int(given.get("eta") or stored.get("eta") or (AUTO_ETA if text == "auto" else ETA))
    return Rule(rungs=tuple(begun or ()) if text is None else read_rungs(text, epochs, eta), eta=eta)


def config_of(rule: "Rule | None", *, trials: int, chosen: bool) -> dict[str, Any]:
    """What run.toml says of the rule; where nobody chose their number, as many networks as cost the same epochs.

    raises   RunError for so few networks that none of them would be trained to its end
    """
    if rule is None:
        return {"rungs": None, "eta": None}
    least = rule.eta ** (len(rule.rungs) - 1)
    if chosen and trials < least:
        raise RunError(
            f"of {trials} networks none would be trained to its end with {len(rule.rungs)} rungs and eta {rule.eta}: "
            f"give --trials {least} or more, or fewer rungs"
        )
    more = {} if chosen else {"trials": max(trials, round(trials * rule.whole / rule.mean_epochs))}
    return {"rungs": rule.rungs, "eta": rule.eta, **more}


def saved(trials: "Sequence[FrozenTrial]", whole: int) -> dict[str, int]:
    """Epochs that were trained, and those that whole trainings of the same networks would have taken more."""
    from archsearch.search.halving import epochs_of

    done = list(epochs_of(trials))
    return {"networks": len(done), "spent": sum(done), "saved": whole * len(done) - sum(done)}


def saved_line(told: Mapping[str, int]) -> str:
    """The same for people."""
    whole = told["spent"] + told["saved"]
    share = f" ({100 * told['saved'] / whole:.0f} %)" if whole else ""
    return (f"epochs: {told['spent']:,} trained of {told['networks']} networks; whole trainings would have taken "
            f"{told['saved']:,} more{share}")  # fmt: skip
