"""The registry of data sets: those everybody has, and those that people imported."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from cnn_core.data.catalogue.versions import is_known, is_own, own_datasets, own_source, source_of
from cnn_core.data.sources.included import INCLUDED_SOURCES
from cnn_core.data.sources.source import DatasetSource
from cnn_core.data.sources.torchvision_sources import TORCHVISION_SOURCES
from cnn_core.registry import Registry


class Sources(Registry[DatasetSource]):
    """The data sets everybody has, and after them those that people imported, as they are at the moment of asking."""

    def get(self, name: str) -> DatasetSource:
        return own_source(name) if is_own(name) else super().get(name)

    def names(self) -> list[str]:
        return [*super().names(), *(known.id for known in own_datasets())]

    def __iter__(self) -> Iterator[DatasetSource]:
        return chain(super().__iter__(), map(source_of, own_datasets()))

    def __contains__(self, name: str) -> bool:
        return is_known(name) if is_own(name) else super().__contains__(name)


BUILT_IN = (*INCLUDED_SOURCES, *TORCHVISION_SOURCES)
dataset_sources = Sources("data set")
for source in BUILT_IN:
    dataset_sources.add(source.name, source)
