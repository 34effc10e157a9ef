"""Learning curves of real trainings, as a table to replay searches on.

They come from a run whose rungs judge and stop nobody: `archsearch run --rungs 1,3,9 --eta 1`.
"""

from pathlib import PurePath

import numpy as np
import pandas as pd

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
    raises   RunError for a run without rungs, or whose space cannot be read or is another one now
    """
    frame = run.frame[run.frame["status"] == TRAINED].drop_duplicates("key").reset_index(drop=True)
    judged = _judged(frame, int(run.run["epochs"]))
    if len(frame) < 2 or not judged:
        raise RunError(f"{run.folder} has no learning curves: make it with --rungs and --eta 1")
    archs = [from_text(text) for text in frame["arch"]]
    name = str(run.run["space"])
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


def _judged(frame: pd.DataFrame, whole: int) -> list[int]:
    """The epochs after which all networks were judged, the end among them; none where there is nothing before it."""
    names = [str(name) for name in frame.columns if str(name).startswith(AFTER) and frame[name].notna().all()]
    epochs = sorted({int(name.removeprefix(AFTER)) for name in names} | {whole})
    return epochs if len(epochs) > 1 else []


def _curves(frame: pd.DataFrame, judged: list[int]) -> Floats:
    curves = np.full((len(frame), judged[-1]), np.nan)
    for epoch in judged[:-1]:
        curves[:, epoch - 1] = frame[f"{AFTER}{epoch}"]
    curves[:, -1] = frame["top1"]
    return curves
