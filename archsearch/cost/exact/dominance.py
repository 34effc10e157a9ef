"""Counting pairs in two dimensions: which points lie below and to the left of which corners.

A wavelet matrix in which points and corners travel together: at every bit of the rank along x, a corner in the upper
half of a node collects the points of its lower half that come before it along y, and such a point the corners.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
HALF = 2**31  # two running totals below this share one int64
UPPER = ~(2 * HALF - 1)  # the corners' half


def dominance(points: tuple[Ints, Ints, Ints], corners: tuple[Ints, Ints, Ints]) -> tuple[Ints, Ints]:
    """For each point the weight of corners not below it, for each corner the weight of points not above it.

    points, corners   (x, y, weight), int64[n] and int64[m]; a point counts for a corner when x and y are both at most
                      the corner's; total weights below 2^62
    returns           int64[n], int64[m]
    cost              O((n + m) log(n + m)) time
    """
    xs, ys, mine = (np.concatenate(pair) for pair in zip(points, corners, strict=True))
    n = len(points[0])
    rank = np.empty(len(xs), dtype=np.int32)
    rank[np.argsort(xs, kind="stable")] = np.arange(len(xs), dtype=np.int32)  # points first where they are equal
    by_y = np.argsort(ys, kind="stable")
    ranks, corner = rank[by_y], by_y >= n
    if int(points[2].sum()) < HALF and int(corners[2].sum()) < HALF:
        mine[n:] <<= 32
        total = _sweep(ranks, corner, mine[by_y], UPPER)[rank]
        return total[:n] >> 32, total[n:] & ~UPPER
    alone = [np.where(corner == side, mine[by_y], 0) for side in (True, False)]
    from_corners, from_points = (_sweep(ranks, corner, weight, -1)[rank] for weight in alone)
    return from_corners[:n], from_points[n:]


def _sweep(ranks: NDArray[np.int32], corner: NDArray[np.bool_], weight: Ints, keep: int) -> Ints:
    """Weight that each item collects, by its rank along x.

    ranks, corner, weight   of all items, in order of y
    keep                    the bits of a running total that are the corners' weight
    """
    size = len(ranks)
    total = np.zeros(size, dtype=np.int64)
    running = np.zeros(size + 1, dtype=np.int64)
    nodes = np.zeros(1, dtype=np.int64)  # upper bits of the ranks, in the order in which the nodes lie
    for bit in range(max(size - 1, 0).bit_length() - 1, -1, -1):
        start, end = _bounds(nodes, bit + 1, size)
        upper = (ranks & (1 << bit)) != 0
        lower = ~upper
        np.cumsum(weight * (upper == corner), out=running[1:])
        place = np.flatnonzero(upper & corner)
        total[place] += running[place] - running[start[ranks[place] >> (bit + 1)]]
        place = np.flatnonzero(lower & ~corner)
        total[place] += (running[end[ranks[place] >> (bit + 1)]] - running[place]) & keep  # its own weight falls away
        order = np.concatenate([np.flatnonzero(lower), np.flatnonzero(upper)])
        ranks, corner, weight, total = ranks[order], corner[order], weight[order], total[order]
        nodes = np.concatenate([2 * nodes, 2 * nodes + 1])
        nodes = nodes[nodes << bit < size]
    found = np.empty_like(total)
    found[ranks] = total
    return found


def _bounds(nodes: Ints, bits: int, size: int) -> tuple[Ints, Ints]:
    """Where each node starts and ends, by its number; a node holds 2^bits ranks, the last one perhaps fewer."""
    ends = np.cumsum(np.minimum((nodes + 1) << bits, size) - (nodes << bits))
    start, end = np.empty((2, len(nodes)), dtype=np.int64)
    end[nodes] = ends
    start[nodes[1:]] = ends[:-1]
    start[nodes[0]] = 0
    return start, end
