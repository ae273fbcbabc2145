"""Numbers and arrays as one run of bytes that a browser reads without copying."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

ALIGNED = 8  # bytes: a typed array of a browser begins at a multiple of its item's size
ARRAY = "@"  # key of [offset behind the header, shape, dtype]
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")


def pack(content: Mapping[str, Any]) -> bytes:
    """A mapping of JSON values and numpy arrays, nested as one likes, as bytes.

    Layout: uint32 length of the header, uint32 0, the header in JSON and UTF-8 filled up with spaces, then the arrays,
    each at a multiple of 8 bytes; in the header an array is {"@": [offset, shape, dtype]}, the offset counted from the
    end of the header. What is not a finite number is null. Raises TypeError for an array of another dtype.
    """
    blobs: list[bytes] = []
    header = json.dumps(_described(content, blobs, [0]), separators=(",", ":"), allow_nan=False).encode()
    header += b" " * (-len(header) % ALIGNED)
    return len(header).to_bytes(4, "little") + bytes(4) + header + b"".join(blobs)


def _described(value: Any, blobs: list[bytes], end: list[int]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"an array of {value.dtype} cannot be packed; known are {', '.join(DTYPES)}")
        data = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        place = end[0]
        blobs.append(data + bytes(-len(data) % ALIGNED))
        end[0] += len(blobs[-1])
        return {ARRAY: [place, list(value.shape), value.dtype.name]}
    if isinstance(value, Mapping):
        return {str(key): _described(item, blobs, end) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_described(item, blobs, end) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
