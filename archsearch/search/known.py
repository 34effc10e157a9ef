"""Accuracies that earlier runs measured, as labels for evaluators that learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archsearch import plugins
from archsearch.errors import SpaceError
from archsearch.evaluate.base import Known
from archsearch.search.config import RunConfig
from archsearch.search.given import Earlier, results
from archsearch.search.propose import Problem
from archsearch.search.wanted import with_classes
from archsearch.spec.arch import Arch

LEARNT = ("predictor", "ensemble")  # evaluators whose values are no measurements; nor are those of proxies
TRAINING = ("evaluator", "recipe", "epochs", "batch", "trial_images")  # what makes the levels of two runs comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What evaluators may learn from, and where it comes from."""

    known: tuple[Known, ...]
    told: tuple[str, ...]  # for people, one line a run


def labels(earlier: Sequence[Earlier], problem: Problem, data_hash: str) -> Labels:
    """The measured networks of runs on the same images that this run's space has.

    Runs that trained in different ways have different levels of accuracy: those trained like the most networks count.
    data_hash  of this run's images
    """
    told, taken = list[str](), list[tuple[tuple[object, ...], list[Known], Earlier]]()
    for run in earlier:
        if why := _unfit(run.config, data_hash):
            told.append(f"{run.name}: nothing to learn from, {why}")
            continue
        taken.append((_training(run.config), _rows(run, problem), run))
    sizes = Counter[tuple[object, ...]]()
    for training, rows, _ in taken:
        sizes[training] += len(rows)
    known: list[Known] = []
    for training, rows, run in taken:
        if training != sizes.most_common(1)[0][0]:
            told.append(f"{run.name}: nothing to learn from, its networks were trained otherwise than most")
            continue
        known += rows
        told.append(f"{run.name}: {len(rows)} measured networks to learn from")
    return Labels(known=tuple(known), told=tuple(told))


def _unfit(config: RunConfig, data_hash: str) -> str | None:
    """Why a run measured nothing that counts here; None where it did."""
    if config.evaluator in (*LEARNT, *plugins.names("proxies")):
        return f"its values are those of evaluator {config.evaluator}"
    if not data_hash or config.data_hash != data_hash:
        return "it was made on other images, or on none"
    return None


def _training(config: RunConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name) for name in TRAINING)


def _rows(run: Earlier, problem: Problem) -> list[Known]:
    """Its measured networks that the space has, one row a training, as they were trained."""
    rows = []
    for trial in results(run):
        if not trial.user_attrs.get("equal", True):
            continue  # given to it by a run that trained otherwise
        arch = with_classes(Arch.from_dict(trial.user_attrs["arch_json"]), problem)
        try:
            problem.space.encode(arch)
        except SpaceError:
            continue
        rows.append(Known(arch=arch, top1=float(trial.user_attrs["top1"]),
                          top1_se=float(trial.user_attrs.get("top1_se") or 0.0)))  # fmt: skip
    return rows
