"""Design spaces compared by what their networks reach: evaluate a draw of each, go on after a kill, tell the outcome.

Source: the method is that of arXiv:1905.13214 (distributions instead of best points) and arXiv:2003.13678, section 3.1.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.errors import CheckpointError, RunError, TrainingError
from archsearch.evaluate.base import Evaluation, Evaluator, Job
from archsearch.explore.draw import Drawn
from archsearch.explore.statistics import Edf, Floats, Gap, compare, edf, gap, verdicts
from archsearch.explore.store import Row, Store
from archsearch.spec.text import to_text

Progress = Callable[[int, int, str], None]  # done, of how many, what it says
FEWEST = 5  # evaluated networks of a space; with fewer nothing is said of it
ALIKE = 0.02  # medians of MAdds that differ by more are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One space in the comparison: its label, its networks."""

    label: str
    networks: Sequence[Drawn]


def labels(names: Sequence[str]) -> list[str]:
    """The names, made distinct: a, b, a (2)."""
    return [name if name not in names[:i] else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)]


def network_seed(seed: int, key: str) -> int:
    """The seed of a network's training: a function of the comparison's seed and of the network, not of its place."""
    return int(np.random.SeedSequence([seed, int(key, 16)]).generate_state(1)[0])


def evaluate_all(
    contenders: Sequence[Contender], store: Store, evaluator: Evaluator, *, seed: int, folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    """Evaluate every network that the store does not hold yet, the spaces in turn.

    A network that two spaces hold is evaluated once: its seed is its own. A training that fails is kept as a failure.
    """
    turns = [
        (contender.label, contender.networks[i])
        for i in range(max(len(each.networks) for each in contenders))
        for contender in contenders
        if i < len(contender.networks)
    ]
    for done, (label, drawn) in enumerate(turns):
        progress(done, len(turns), label)
        if (label, drawn.key) in store.rows:
            continue
        twin = store.by_key.get(drawn.key)
        show = partial(_within, progress, (done, len(turns), label))
        job = Job(number=done, seed=network_seed(seed, drawn.key), folder=folder / drawn.key, progress=show)
        result = _told(twin) if twin else _evaluated(evaluator, drawn, job)
        store.add({"space": label, "key": drawn.key, "arch": to_text(drawn.arch), "madds": drawn.madds, **result})
    progress(len(turns), len(turns), "")


def _told(row: Row) -> Row:
    """What an evaluation left in a row."""
    return {name: value for name, value in row.items() if name not in ("space", "key", "arch", "madds")}


def _within(progress: Progress, outer: tuple[int, int, str], done: int, total: int, text: str) -> None:
    """One network's progress, told as part of the whole."""
    progress(outer[0], outer[1], f"{outer[2]} {done}/{total} {text}")


def _evaluated(evaluator: Evaluator, drawn: Drawn, job: Job) -> Row:
    """One evaluation as plain values; checkpoints that cannot be trusted are thrown away once.

    What is left on the disk goes when it has ended; a kill or Ctrl-C leaves it for the next call.
    """
    try:
        try:
            told = _plain(evaluator.evaluate(drawn.arch, job))
        except CheckpointError:
            shutil.rmtree(job.folder, ignore_errors=True)
            told = _plain(evaluator.evaluate(drawn.arch, job))
    except TrainingError as error:
        told = {"failed": f"{error.reason}: {error}"}
    shutil.rmtree(job.folder, ignore_errors=True)
    return told


def _plain(result: Evaluation) -> Row:
    if not np.isfinite(result.top1):
        return {"failed": f"the evaluator gave a top-1 of {result.top1}"}
    return {"top1": result.top1, "top1_se": result.top1_se, "top5": result.top5, "seconds": result.seconds}


def errors_of(contender: Contender, rows: Mapping[tuple[str, str], Row]) -> Floats:
    """The errors (1 - top-1) of a space's networks that were evaluated, in the order of the draw.

    raises   RunError where there are too few to say anything
    """
    told = [rows[contender.label, each.key] for each in contender.networks if (contender.label, each.key) in rows]
    errors = [1 - row["top1"] for row in told if "failed" not in row]
    if len(errors) < FEWEST:
        failed = sum("failed" in row for row in told)
        raise RunError(
            f"space {contender.label} has {len(errors)} evaluated networks ({failed} failed); a comparison needs "
            f"at least {FEWEST}: give a wider budget or a larger -n"
        )
    return np.array(errors)


def curves(contenders: Sequence[Contender], rows: Mapping[tuple[str, str], Row], confidence: float) -> dict[str, Edf]:
    """Label -> distribution function of the error."""
    return {each.label: edf(errors_of(each, rows), confidence) for each in contenders}


def gaps(contenders: Sequence[Contender], rows: Mapping[tuple[str, str], Row], confidence: float) -> dict[str, Gap]:
    """Label of each space but the first -> its distribution function less the first one's."""
    first, *others = contenders
    return {each.label: gap(errors_of(first, rows), errors_of(each, rows), confidence) for each in others}


def outcome(
    contenders: Sequence[Contender], rows: Mapping[tuple[str, str], Row], rng: np.random.Generator, *, confidence: float
) -> dict[str, Any]:
    """`spaces`: each one's networks, costs and errors; `differences`: each one against the first; `warnings`."""
    errors = [errors_of(each, rows) for each in contenders]
    pairs = [compare(errors[0], each, rng, confidence=confidence) for each in errors[1:]]
    differences = [
        {"space": contender.label, "against": contenders[0].label, "median": pair.median,
         "median_low": pair.low, "median_high": pair.high, "better": pair.better, "ks": pair.ks,
         **{f"{name}_p": value for name, value in pair.p_values.items()}, **verdict}
        for contender, pair, verdict in zip(contenders[1:], pairs, verdicts(pairs, confidence), strict=True)
    ]  # fmt: skip
    spaces = [_summary(each, values, rows) for each, values in zip(contenders, errors, strict=True)]
    return {"spaces": spaces, "differences": differences, "warnings": _warnings(contenders, spaces)}


def _summary(contender: Contender, errors: Floats, rows: Mapping[tuple[str, str], Row]) -> Row:
    failed = sum("failed" in rows.get((contender.label, each.key), {}) for each in contender.networks)
    return {
        "space": contender.label,
        "networks": len(errors),
        "failed": failed,
        "madds_median": float(np.median([each.madds for each in contender.networks])),
        "error_best": float(errors.min()),
        "error_median": float(np.median(errors)),
        "error_mean": float(errors.mean()),
    }


def _warnings(contenders: Sequence[Contender], spaces: Sequence[Row]) -> list[str]:
    """What stands against reading the difference as one of the spaces."""
    told = []
    for other in spaces[1:]:
        ratio = other["madds_median"] / spaces[0]["madds_median"] - 1
        if abs(ratio) > ALIKE:
            told.append(
                f"the median MAdds of {other['space']} are {abs(100 * ratio):.1f} % "
                f"{'above' if ratio > 0 else 'below'} those of {spaces[0]['space']}: part of the difference is cost; "
                "--match or a narrower band removes it"
            )
    shared = _shared(contenders)
    if shared:
        told.append(f"{shared} networks lie in two of the draws; each was evaluated once")
    return told


def _shared(contenders: Sequence[Contender]) -> int:
    keys = [each.key for contender in contenders for each in contender.networks]
    return len(keys) - len(set(keys))
