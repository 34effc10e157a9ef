"""Accuracies that somebody measured, as labels for evaluators that learn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsearch import plugins
from archsearch.evaluate.base import Known
from archsearch.search.given import Earlier, results
from archsearch.search.propose import Problem
from archsearch.search.wanted import with_classes
from archsearch.spec.arch import Arch

LEARNT = ("predictor", "ensemble")  # evaluators whose values are no measurements; nor are those of proxies
SHARING = "supernet"  # evaluator whose values are those of shared weights
TRAINING = (  # what makes the levels of two runs comparable; of a run
    "recipe", "epochs", "batch", "trial_images", "init_hash", "supernet_hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Networks that were all measured in one way, and what that way was."""

    name: str  # of the folder, for people
    data_hash: str  # of the images; "" = of none
    evaluator: str
    training: tuple[object, ...]  # the values of TRAINING
    known: tuple[Known, ...]  # one row a training, or the mean of some


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What evaluators may learn from, and where it comes from."""

    known: tuple[Known, ...]
    told: tuple[str, ...]  # for people, one line a source


def labels(sources: Sequence[Measured], problem: Problem, data_hash: str) -> Labels:
    """The measured networks on the same images that this run's space has.

    Networks trained in different ways have different levels of accuracy: those trained like the most of them count.
    A training that two of them tell of, such as a run and its copy, is one label.
    data_hash  of this run's images
    """
    told, taken = list[str](), list[tuple[Measured, list[Known]]]()
    for source in sources:
        if why := _unfit(source, data_hash):
            told.append(f"{source.name}: nothing to learn from, {why}")
            continue
        taken.append((source, list(_rows(source, problem))))
    sizes = Counter[tuple[object, ...]]()
    for source, rows in taken:
        sizes[_way(source)] += len(rows)
    known: list[Known] = []
    for source, rows in taken:
        if _way(source) != sizes.most_common(1)[0][0]:
            told.append(f"{source.name}: nothing to learn from, its networks were trained otherwise than most")
            continue
        known += rows
        told.append(f"{source.name}: {len(rows)} measured networks to learn from")
    return Labels(known=tuple(dict.fromkeys(known)), told=tuple(told))


def measured(run: Earlier) -> Measured:
    """What an earlier run measured itself, and what it was given that counts as its own; one row a training."""
    rows = tuple(
        Known(arch=Arch.from_dict(trial.user_attrs["arch_json"]), top1=float(trial.user_attrs["top1"]),
              top1_se=float(trial.user_attrs.get("top1_se") or 0.0))
        for trial in results(run)
        if trial.user_attrs.get("equal", True)  # else given to it by a run that trained otherwise
    )  # fmt: skip
    return Measured(name=run.name, data_hash=run.config.data_hash, evaluator=run.config.evaluator,
                    training=_training(run), known=rows)  # fmt: skip


def _unfit(source: Measured, data_hash: str) -> str | None:
    """Why nothing was measured that counts here; None where something was."""
    if source.evaluator in (*LEARNT, *plugins.names("proxies")):
        return f"its values are those of evaluator {source.evaluator}"
    if not data_hash or source.data_hash != data_hash:
        return "it was made on other images, or on none"
    return None


def _training(run: Earlier) -> tuple[object, ...]:
    told = {name: getattr(run.config, name) for name in TRAINING}
    if run.config.evaluator == SHARING:
        told["supernet_hash"] = told["supernet_hash"] or run.name  # a supernet of its own, like no other
    return tuple(told.values())


def _way(source: Measured) -> tuple[object, ...]:
    return source.evaluator, *source.training


def _rows(source: Measured, problem: Problem) -> Iterator[Known]:
    """Its networks that the space has."""
    for each in source.known:
        arch = with_classes(each.arch, problem)
        if problem.space.contains(arch) is None:
            yield Known(arch=arch, top1=each.top1, top1_se=each.top1_se)
