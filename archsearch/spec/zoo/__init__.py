"""The zoo: published networks by name, and what was printed of them.

One file a family; each has its builders, its layer tables as text forms, and its `ROWS` of published figures.
"""

from archsearch.spec.zoo import (
    detection,
    efficientnet,
    fbnet,
    mnasnet,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    mobilenext,
    proxyless,
    segmentation,
)
from archsearch.spec.zoo.published import Published
from archsearch.spec.zoo.scale import Family

FILES = (
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    mnasnet,
    proxyless,
    fbnet,
    efficientnet,
    mobilenext,
    detection,
    segmentation,
)
FAMILIES: dict[str, Family] = {name: family for file in FILES for name, family in file.NETWORKS.items()}
ROWS: tuple[Published, ...] = tuple(row for file in FILES for row in file.ROWS)
