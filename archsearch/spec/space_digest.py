"""What tells two spaces apart in a few digits, whatever number of classes their heads tell apart."""

import hashlib
from dataclasses import asdict

from archsearch.spec.space import SearchSpace

DIGITS = 12


def space_digest(space: SearchSpace) -> str:
    """Twelve hexadecimal digits over a space's axes and template, its number of classes left out."""
    stages = [sorted((name, repr(source)) for name, source in stage.fields.items()) for stage in space.stages]
    head = sorted((name, repr(value)) for name, value in asdict(space.head).items() if name != "classes")
    told = repr((space.axes, space.width, space.resolution, space.stem, stages, head))
    return hashlib.sha256(told.encode()).hexdigest()[:DIGITS]
