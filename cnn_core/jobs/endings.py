"""What becomes of a run whose training raised an error. What may pass is interrupted, so that it can be resumed."""

from __future__ import annotations

import logging

from cnn_core.errors import PlaygroundError
from cnn_core.runs.events import Ended
from cnn_core.runs.tables import OUT_OF_MEMORY

NO_MEMORY = (
    f"{OUT_OF_MEMORY} Everything up to the last checkpoint is kept. Close other programs, or train again with "
    "smaller batches, smaller images or a smaller network."
)
NOT_WRITTEN = (
    "The files of this run could not be read or written ({cause}). What was reached is kept up to the last "
    "checkpoint. Make room, or bring the disk back."
)


def ending(error: Exception, begun: bool) -> Ended:
    """The last event of a run that raised `error`, with a sentence for its owner. `begun`: it has a state to resume."""
    if isinstance(error, PlaygroundError):
        return Ended(status="interrupted" if begun else "failed", message=str(error))
    logging.getLogger(__name__).error("A run ended with an error", exc_info=error)
    if _is_memory(error):
        return Ended(status="interrupted", message=NO_MEMORY)
    if _is_disk(error):
        return Ended(status="interrupted", message=NOT_WRITTEN.format(cause=_cause(error)))
    return Ended(
        status="failed",
        message=f"Something unexpected went wrong in the worker: {_cause(error)}. Its log file has the details.",
    )


def _is_memory(error: Exception) -> bool:
    """MemoryError, torch.OutOfMemoryError, and the plain RuntimeErrors of the CPU, cuBLAS and MPS."""
    phrases = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _contains(error, *phrases))


def _is_disk(error: Exception) -> bool:
    """OSError, and what torch.save and safetensors make of one."""
    return isinstance(error, OSError) or _contains(error, "pytorchstreamwriter", "unexpected pos", "i/o error")


def _contains(error: Exception, *parts: str) -> bool:
    return any(part in str(error).lower() for part in parts)


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
