"""Machine instructions that Python has no word for: the highest bit of a set, and a hint to fetch memory early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_BIT, _BYTE, _INT = ir.IntType(1), ir.IntType(8), ir.IntType(32)


@intrinsic
def _highest_bit(typing_context: Any, word: types.Type) -> tuple[Any, Callable]:
    """Position of the highest set bit of a uint64, 0 to 63; -1 when no bit is set."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], _BIT(0))
        return builder.sub(zeros.type(63), zeros)

    return types.int64(types.uint64), codegen


highest_bit = cast("Callable[[np.uint64], int]", _highest_bit)


@intrinsic
def _prefetch(typing_context: Any, array: types.Type, index: types.Type) -> tuple[Any, Callable]:
    """Ask for the cache line of `array[index]`; nothing else happens, whatever lies there.

    The array has one dimension and is contiguous; a negative index is not counted from the end.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        line = builder.bitcast(builder.gep(data, [arguments[1]]), _BYTE.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [line.type, _INT, _INT, _INT])
        hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(hint, [line, _INT(0), _INT(3), _INT(1)])  # to read, keep in every cache, data
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


prefetch = cast("Callable[[np.ndarray, int], None]", _prefetch)
