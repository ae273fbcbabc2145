"""Errors written for the person who caused them: what was wrong, where, and what to do next.

Pages and the command line show the text of these, and only these, to the user.
"""

from __future__ import annotations

from collections.abc import Sequence


class PlaygroundError(Exception):
    """A sentence for the user. Everything the core raises on purpose derives from it."""


class SettingError(PlaygroundError):
    """An environment variable that cannot be used; the message names it, its value and what is valid."""


class UnknownNameError(PlaygroundError):
    """A name that is not in its registry or store; the message lists the known ones."""


class TakenNameError(PlaygroundError):
    """A name that something else has already; `taken_by` is its id, 0 where that is not known."""

    def __init__(self, message: str, taken_by: int):
        super().__init__(message)
        self.taken_by = taken_by


class RecipeError(PlaygroundError):
    """A recipe that cannot be read or run; the message names the field and what would be valid."""


class ShapeError(PlaygroundError):
    """A layer that cannot take the shape that reaches it."""

    def __init__(self, message: str, layer: int):
        super().__init__(message)
        self.layer = layer  # 0-based position in the network


class ImageError(PlaygroundError):
    """An image that could not be decoded safely; the message names the file and the cause."""

    def __init__(self, message: str, reason: str = "It cannot be read."):
        super().__init__(message)
        self.reason = reason  # without the file's name: images with the same reason are counted together


class ArchiveError(PlaygroundError):
    """An archive or folder of images that is refused as a whole; the message gives the reason and the name it met."""


class LayoutError(PlaygroundError):
    """Files whose folders or label table do not say what the classes are; the message shows what is expected."""


class LabelColumnError(LayoutError):
    """A table of labels with several columns that may be the label; `columns` are their names."""

    def __init__(self, message: str, columns: Sequence[str]):
        shown = ", ".join(columns[:12]) + (" …" if len(columns) > 12 else "")
        super().__init__(f"{message} Choose the column that is the label: {shown}.")
        self.columns = tuple(columns)


class DatasetUnavailableError(PlaygroundError):
    """A data set whose files are not here and could not be fetched."""


class DamagedDatasetError(DatasetUnavailableError):
    """An imported data set whose files are damaged; the message says what is left of it."""

    def __init__(self, message: str, recoverable: int):
        super().__init__(message)
        self.recoverable = recoverable  # images that a new version can be made of


class DivergedError(PlaygroundError):
    """Training produced a loss that is not a number; the message says why and what to try."""


class RunFilesError(PlaygroundError):
    """A file of a run that is damaged or does not fit; the message says what is left and what to do."""
