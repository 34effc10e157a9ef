"""Vector instructions spelled out for Numba: 16 channels of one pixel at a time.

Left to itself, the compiler reads a neighbour again for each of the pixels that it belongs to, and never writes past
the caches.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

LANES = 16
BYTES = 4 * LANES  # of a vector
VECTOR = ir.VectorType(ir.FloatType(), LANES)
OFFSET = ir.IntType(64)
ONCE = ("contract",)  # a product and a sum may be rounded once


class Code:
    """Instructions at one place. Addresses and distances are in bytes, 64 bits each."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.builder, self._context = builder, context

    def arguments(self, kinds: Any, values: Any) -> list[Any]:
        """Whole numbers as 64 bits, tuples of them as lists."""
        told = []
        for kind, value in zip(kinds, values, strict=True):
            if isinstance(kind, types.BaseTuple):
                told.append(self.arguments(kind, cgutils.unpack_tuple(self.builder, value)))
            else:
                told.append(self._context.cast(self.builder, value, kind, types.int64))
        return told

    def _place(self, address: Any) -> Any:
        return self.builder.inttoptr(address, VECTOR.as_pointer())

    def read(self, address: Any) -> Any:
        return self.builder.load(self._place(address), align=4)

    def write(self, address: Any, value: Any, *, past: bool = False) -> None:
        """`past`: past the caches, into memory, without reading there first; the address a multiple of 64."""
        stored = self.builder.store(value, self._place(address), align=BYTES if past else 4)
        if past:
            stored.set_metadata("nontemporal", self.builder.module.add_metadata([ir.IntType(32)(1)]))

    def soon(self, address: Any) -> None:
        """Has the line fetched; an address outside of memory does nothing."""
        word, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        fetch = self.builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        self.builder.call(fetch, [self.builder.inttoptr(address, byte), word(0), word(2), word(1)])

    def variable(self, value: Any) -> Any:
        """A place that the compiler keeps in a register."""
        place = cgutils.alloca_once(self.builder, VECTOR)
        self.builder.store(value, place)
        return place

    def moved(self, at: Any, steps: Any, size: Any = BYTES) -> Any:
        """at + steps * size"""
        steps, size = (OFFSET(each) if isinstance(each, int) else each for each in (steps, size))
        return self.builder.add(at, self.builder.mul(steps, size))

    def added(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c, or a * b where c is None."""
        product = self.builder.fmul(a, b, flags=ONCE)
        return product if c is None else self.builder.fadd(product, c, flags=ONCE)

    def total(self, values: list[Any]) -> Any:
        """Their sum, in pairs: no long chain of additions that wait for each other."""
        while len(values) > 1:
            pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
            values = [self.builder.fadd(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return values[0]

    def inside(self, value: Any, bounds: Any, kept: Any) -> Any:
        """`kept` where value is between the bounds, else 0; value NaN is not."""
        above = self.builder.fcmp_ordered(">", value, bounds[0])
        below = self.builder.fcmp_ordered("<", value, bounds[1])
        return self.builder.select(self.builder.and_(above, below), kept, ir.Constant(VECTOR, None))


def typed(emit: Callable[..., None], *kinds: Any) -> Any:
    """What an intrinsic returns whose instructions `emit(code, *arguments)` writes."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = Code(context, builder)
        emit(made, *made.arguments(signature.args, values))
        return context.get_dummy_value()

    return types.void(*kinds), code
