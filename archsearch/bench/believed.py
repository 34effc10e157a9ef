"""What all runs together say of each network: a surrogate learns from every training of every run.

One training's accuracy is noisy, and the front of noisy accuracies is made of networks that were lucky. The surrogate's
posterior mean is the same for all samplers, and nearer to the truth.
"""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.count import BUILT_IN as COSTS
from archsearch.errors import RunError, SpaceError, SpecError
from archsearch.report.kept import Kept
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text
from archsearch.surrogate import belief as surrogate
from archsearch.surrogate.front import moments
from archsearch.surrogate.space_domain import SpaceDomain


def believed(runs: Sequence[Kept]) -> dict[str, float]:
    """Key -> the accuracy to expect of the network, for all that the runs trained; always the same for the same runs.

    raises   RunError where the runs' space cannot be read, or has changed since
    """
    told = [row for run in runs for row in run.frame[run.frame["top1"].notna()].to_dict("records")]
    space = _space(runs[0])
    codes = {row["key"]: _code(space, str(row["arch"])) for row in told}
    counted = tuple(name for name in runs[0].objectives[1:] if name in COSTS)
    domain = SpaceDomain(space=space, budget=Budget(), minimize=counted)
    networks = domain.look(np.stack(list(codes.values())))
    place = {key: i for i, key in enumerate(codes)}
    top1, error = (np.array([row[name] for row in told], dtype=float) for name in ("top1", "top1_se"))
    trained = networks.take([place[row["key"]] for row in told])
    model = surrogate.learn(trained, space.axes, top1, np.nan_to_num(error))
    mean, _ = moments(*model.predict(networks), surrogate.accuracy)
    return dict(zip(codes, mean.tolist(), strict=True))


def _space(run: Kept) -> SearchSpace:
    name = str(run.run.get("space", ""))
    try:
        return read_space(name)
    except SpaceError as error:
        raise RunError(f"the runs' space {PurePath(name).name!r} cannot be read: {error}") from None


def _code(space: SearchSpace, text: str) -> np.ndarray:
    try:
        arch = from_text(text)
        return space.with_classes(arch.head.classes).encode(arch)
    except (SpaceError, SpecError) as error:
        raise RunError(f"the runs' space {space.name} has changed since: {error}") from None
