"""Rows in any order, made into a table: rows that are one network become one row."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import DataError
from archsearch.evaluate.table import Table
from archsearch.spec.content import fingerprints
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Floats


def merged(rows: Table, *, average: bool = False) -> Table:
    """The same table in ascending order of codes, each network once.

    Rows of one network under different codes are averaged, seed by seed and epoch by epoch. Rows of one code must
    agree, unless `average` is set.
    raises   DataError naming two rows (counted from 1) of one code that differ
    """
    order = np.lexsort(rows.codes.T[::-1]) if len(rows.axes) else np.arange(len(rows))
    rows_of, first = networks(rows, order)
    if not average:
        _check_alike(rows, order)
    codes = rows.codes[order]
    spelled = np.append(True, (codes[1:] != codes[:-1]).any(axis=1))
    groups = np.argsort(rows_of, kind="stable")

    def mean(values: Floats) -> Floats:
        return averaged(values[order][groups], rows_of[groups])

    return replace(
        rows, codes=codes[first], top1=mean(rows.top1), costs={name: mean(each) for name, each in rows.costs.items()},
        seconds=None if rows.seconds is None else mean(rows.seconds),
        curves=None if rows.curves is None else mean(rows.curves),
        spellings=codes[spelled], rows_of=rows_of[spelled],
    )  # fmt: skip


def networks(rows: Table, order: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which network each row is, taken in an order: its number int64[rows], and where each network stands first.

    Networks are numbered by their first appearance; they are told apart by what they compute where there is a space.
    """
    codes = rows.codes[order]
    names: Any = codes if rows.space is None else fingerprints(rows.space, codes)
    if not names.shape[1]:
        return np.zeros(len(codes), dtype=np.int64), np.zeros(1, dtype=np.int64)
    _, first, number = np.unique(names, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number.reshape(-1)], np.sort(first)


def averaged(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """The mean over each group, known values only; groups int64[n] ascend from 0; equal values keep every digit."""
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    count = np.add.reduceat((~np.isnan(values)).astype(float), starts)
    total = np.add.reduceat(np.nan_to_num(values), starts)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return np.asarray(np.clip(mean, np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)))


def _check_alike(rows: Table, order: NDArray[np.int64]) -> None:
    """Rows of one code say the same."""
    codes: Codes = rows.codes[order]
    same = np.flatnonzero((codes[1:] == codes[:-1]).all(axis=1))
    known = {"top1": rows.top1, **rows.costs, "seconds": rows.seconds, "curves": rows.curves}
    for name, values in known.items():
        if values is None or not len(same):
            continue
        one, other = values[order[same]], values[order[same + 1]]
        differ = ~((one == other) | (np.isnan(one) & np.isnan(other))).reshape(len(same), -1).all(axis=1)
        if differ.any():
            at = same[np.flatnonzero(differ)[0]]
            first, second = sorted((int(order[at]) + 1, int(order[at + 1]) + 1))
            raise DataError(
                f"table {rows.name}: rows {first} and {second} are the same code with different {name}; "
                'leave one out, or let the mapping say duplicates = "average"'
            )
