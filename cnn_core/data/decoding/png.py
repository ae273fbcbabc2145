"""A PNG without the chunks that only describe it."""

from __future__ import annotations

import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DROPPED = (b"iCCP", b"tEXt", b"zTXt", b"iTXt")


def without_notes(data: bytes) -> bytes:
    """The file without colour profile and texts; everything else, damage included, stays as it is.

    Pillow refuses a whole image for a profile of more than 1 MB, and turns an image by an orientation that only a
    text states, which browsers do not.
    """
    if not data.startswith(SIGNATURE):
        return data
    view, kept, at = memoryview(data), [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if name not in DROPPED:
            kept.append(bytes(view[at:end]))
        at = end
    return b"".join([*kept, bytes(view[at:])])
