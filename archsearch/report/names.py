"""Where the names of points go in a figure, so that none lies on another one or on a point."""

from collections.abc import Sequence

WIDE, HIGH = 7.0, 15.0  # of a letter; of a line [pixels]
RINGS = (1, 2, 3, 4, 5, 6)  # how far from its point a name may go, in lines
Box = tuple[float, float, float, float]  # left, bottom, right, top


def offsets(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[tuple[float, float]]:
    """Of each name, where its middle is, seen from its point [pixels, right and up].

    points   on the figure [pixels, right and up]
    Names are placed one after the other, each at the nearest free place of some; where none is free, at the first.
    """
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    found = []
    for (x, y), name in zip(points, names, strict=True):
        places = [_place(name, ring, right, up) for ring in RINGS for right in (1, -1) for up in (1, -1)]
        boxes = [_box(x + right, y + up, name) for right, up in places]
        best = next((i for i, box in enumerate(boxes) if not any(_meet(box, other) for other in taken)), 0)
        taken.append(boxes[best])
        found.append(places[best])
    return found


def _place(name: str, ring: int, right: int, up: int) -> tuple[float, float]:
    """The middle of a name beside its point, so many lines above or below it."""
    return right * (WIDE * len(name) / 2 + 8), up * ring * HIGH * 0.8


def _box(x: float, y: float, name: str) -> Box:
    return x - WIDE * len(name) / 2, y - HIGH / 2, x + WIDE * len(name) / 2, y + HIGH / 2


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
