"""The networks of a run as its surrogate sees them: codes in the run's own space, and which axes matter in each."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from archsearch.errors import SpaceError, SpecError
from archsearch.spec.arch import Arch
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import read_space
from archsearch.surrogate.domain import Networks
from archsearch.surrogate.handover import networks_of


def run_networks(
    study: optuna.Study, run: Mapping[str, Any], numbers: Sequence[int], *, minimize: Sequence[str] = ()
) -> tuple[tuple[Axis, ...], Networks]:
    """The axes of a run's space, and the networks of some of its trials, in the order of `numbers`.

    run      the resolved command
    minimize metrics for `Networks.costs`; those that a trial does not tell are left out
    raises   SpaceError where the space's file has gone or changed, or a trial cannot be placed in it
    """
    name = str(run.get("space", ""))
    try:
        space = read_space(name)
    except SpaceError as error:
        raise SpaceError(f"the run's space {PurePath(name).name!r} cannot be read: {error}") from None
    trials = study.get_trials(deepcopy=False)
    space = as_searched(space, trials[numbers[0]].distributions if numbers else {})
    codes = codes_of(study, space, numbers)
    classes = {_arch(study, number).head.classes for number in numbers[:1]}
    told = [trials[number].user_attrs.get("costs", {}) for number in numbers]
    known = [name for name in minimize if all(name in costs for costs in told)]
    columns = np.array([[costs[name] for name in known] for costs in told], dtype=float)
    columns = columns.reshape(len(numbers), len(known))
    return space.axes, networks_of(space.with_classes(*classes) if classes else space, codes, columns)


def as_searched(space: SearchSpace, kinds: Mapping[str, BaseDistribution]) -> SearchSpace:
    """The space with its axes as narrow as a run had them: resolutions above the images' own were left out.

    kinds    of the parameters of one of its trials
    """
    for axis in space.axes:
        if axis.name in kinds:
            had = _choices(kinds[axis.name])
            kept = tuple(value for value in axis.values if value in had)
            space = space.restrict(axis.name, kept) if 0 < len(kept) < len(axis.values) else space
    return space


def codes_of(study: optuna.Study, space: SearchSpace, numbers: Sequence[int]) -> Codes:
    """The codes int64[n, axes] of a run's trials.

    raises   SpaceError where a trial is no network of the space: its file has changed since, or it is another one
    """
    trials = study.get_trials(deepcopy=False)
    codes = []
    for number in numbers:
        try:
            arch = Arch.from_dict(trials[number].user_attrs.get("arch_json"))
            code = space.code(_values(space, trials[number].params, arch))
            same = space.with_classes(arch.head.classes).decode(code) == arch
        except (SpaceError, SpecError, TypeError):  # it was written by another version, or is no network of ours
            same = False
        if not same:
            raise SpaceError(
                f"trial {number} is no network of space {space.name}: the space has changed since the run, or is "
                "another one"
            )
        codes.append(code)
    return np.array(codes, dtype=np.int64).reshape(len(codes), len(space.axes))


def _choices(kind: BaseDistribution) -> Sequence[Any]:
    """The values that a parameter could have."""
    if isinstance(kind, IntDistribution):
        return range(kind.low, kind.high + 1, kind.step)
    return kind.choices if isinstance(kind, CategoricalDistribution) else ()


def _arch(study: optuna.Study, number: int) -> Arch:
    return Arch.from_dict(study.get_trials(deepcopy=False)[number].user_attrs["arch_json"])


def _values(space: SearchSpace, params: Mapping[str, Any], arch: Arch) -> dict[str, Any]:
    """Axis name -> value of a trial; a resolution that the run narrowed to one value is no parameter of it."""
    known = dict(params)
    if "resolution" in {axis.name for axis in space.axes}:
        known.setdefault("resolution", arch.resolution)
    return known
