"""Reading what `cnn_core.inspection.stage.packing` has packed, by its description."""

import json
import struct
from typing import Any

import numpy as np


def unpack(packed: bytes) -> dict[str, Any]:
    """The mapping, arrays as numpy arrays."""
    length, _ = struct.unpack_from("<II", packed)

    def revived(value: Any) -> Any:
        if isinstance(value, list):
            return [revived(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "@" in value:
            offset, shape, dtype = value["@"]
            return np.frombuffer(packed, dtype, int(np.prod(shape)), 8 + length + offset).reshape(shape)
        return {key: revived(item) for key, item in value.items()}

    found: dict[str, Any] = revived(json.loads(packed[8 : 8 + length]))
    return found


def unpack_frame(packed: bytes) -> dict[str, Any]:
    """A payload of the stage, its frame read too."""
    payload = unpack(packed)
    return payload | {"frame": unpack(payload["frame"].tobytes())}
