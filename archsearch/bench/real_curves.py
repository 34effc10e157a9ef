"""Learning curves of real trainings, as a table to replay searches on.

They come from a run whose rungs judge and stop nobody: `archsearch run --rungs 1,3,9 --eta 1`.
"""

from pathlib import PurePath
from typing import Any

import numpy as np

from archsearch.errors import RunError, SpaceError
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_merge import merged
from archsearch.records import TRAINED
from archsearch.report.frame import AFTER
from archsearch.report.kept import Kept
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text
from archsearch.surrogate.domain import Floats


def curves_table(run: Kept) -> Table:
    """The networks that a run trained to their end: top-1, costs, and top-1 after each epoch at which all were judged.

    returns  curves float64[n, epochs], NaN where nobody was judged
    raises   RunError for a run without rungs or that stopped networks at them, with a ladder of budgets, with fewer
             than two networks trained to their end, or whose space does not have its networks
    """
    if not run.run.get("rungs") or run.run.get("eta") != 1:
        raise RunError(f"{run.folder} has no learning curves of all its networks: make it with --rungs and --eta 1")
    if any("," in str(limit) for limit in run.run.get("budgets", {}).values()):
        raise RunError(f"{run.folder} has a ladder of budgets, which is not replayed: make it with one limit")
    frame = run.frame[run.frame["status"] == TRAINED].drop_duplicates("key").reset_index(drop=True)
    if len(frame) < 2:
        raise RunError(f"{run.folder} has trained {len(frame)} networks to their end: it takes at least 2")
    judged = _judged(frame, int(run.run["rungs"][-1]))
    if not judged:
        raise RunError(f"{run.folder} does not tell top-1 at its rungs: archsearch report writes its trials.csv anew")
    archs = [from_text(text) for text in frame["arch"]]
    name = str(run.run.get("space", ""))
    try:
        space = read_space(name).with_classes(archs[0].head.classes)
        codes = np.stack([space.encode(arch) for arch in archs])
    except SpaceError as error:
        raise RunError(f"{run.folder}: its space {PurePath(name).name!r} does not tell its networks: {error}") from None
    rows = Table(
        name=PurePath(run.folder).name, axes=space.axes, codes=codes, space=space, curves=_curves(frame, judged),
        top1=frame[["top1"]].to_numpy(dtype=float),
        costs={metric: frame[metric].to_numpy(dtype=float) for metric in run.objectives[1:]},
    )  # fmt: skip
    return merged(rows)


def _judged(frame: Any, whole: int) -> list[int]:
    """The epochs after which all networks were judged, the end among them; none where there is nothing before it."""
    names = [str(name) for name in frame.columns if str(name).startswith(AFTER) and frame[name].notna().all()]
    known = [name.removeprefix(AFTER) for name in names]
    epochs = sorted({int(epoch) for epoch in known if epoch.isdecimal() and int(epoch) < whole} | {whole})
    return epochs if len(epochs) > 1 else []


def _curves(frame: Any, judged: list[int]) -> Floats:
    curves = np.full((len(frame), judged[-1]), np.nan)
    for epoch in judged[:-1]:
        curves[:, epoch - 1] = frame[f"{AFTER}{epoch}"]
    curves[:, -1] = frame["top1"]
    return curves
