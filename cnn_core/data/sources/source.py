"""What a data set is offered as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnn_core.data.dataset import RawImages
from cnn_core.recipe import AugmentSpec


@dataclass(frozen=True, kw_only=True)
class DatasetSource:
    """A data set as it is offered; nothing is read before `read` is called."""

    name: str
    title: str
    description: str  # one sentence
    licence: str
    homepage: str
    images: int  # training and test images together
    classes: int
    channels: int
    size: int  # side in pixels of the square images when none is chosen
    download_megabytes: int = 0  # 0: comes with the playground or its requirements
    files: tuple[str, ...] = ()  # what is downloaded, relative to the downloads folder
    augment: tuple[AugmentSpec, ...] = ()  # mild steps that leave every label true
    read: Callable[[Path], RawImages]  # given the downloads folder; raises DatasetUnavailableError
    # Given the downloads folder: the folder of this computer that has all files, so that nothing is downloaded.
    found: Callable[[Path], Path | None] = lambda downloads: None
