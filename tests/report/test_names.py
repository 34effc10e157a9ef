"""Names beside points: none lies on another one or on a point, as far as there is room."""

from itertools import combinations

import numpy as np

from archsearch.report.names import HIGH, WIDE, offsets


def boxes(points, names):
    found = []
    for (x, y), name, (right, up) in zip(points, names, offsets(points, names), strict=True):
        half = WIDE * len(name) / 2
        found.append((x + right - half, y + up - HIGH / 2, x + right + half, y + up + HIGH / 2))
    return found


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_a_name_alone_stands_right_above_its_point():
    ((right, up),) = offsets([(100.0, 100.0)], ["synflow"])
    assert right > WIDE * 3.5
    assert 0 < up < HIGH


def test_names_of_a_cluster_do_not_meet():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = [(float(x), float(y)) for x, y in rng.uniform([300, 150], [420, 260], (9, 2))]
        placed = boxes(points, ["naswot", "snip", "jacov", "fisher", "zico", "zen", "madds", "synflow", "grad_norm"])
        assert not any(meet(a, b) for a, b in combinations(placed, 2))
        for box in placed:
            assert not any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)


def test_where_nothing_is_free_a_name_still_has_a_place():
    assert len(offsets([(0.0, 0.0)] * 60, ["a long name of a point"] * 60)) == 60
    assert offsets([], []) == []
