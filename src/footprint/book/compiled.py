"""How the kernels of the books are compiled.

They take arrays and give numbers, so nothing that they touch can be freed under them. Counting references to those
arrays, an atomic operation at every call inside a kernel, took ten times the rest of the work; Numba leaves it out
with `_nrt=False`, as its own sorting does. A kernel must therefore not make an array, nor return one.
"""

from __future__ import annotations

from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}

kernel = njit(**_OPTIONS)

# for what every message passes through: a call would pass a dozen words on the stack
inlined = njit(**_OPTIONS, forceinline=True)
