"""Copies in a data set: images that are the same, and images that look the same.

Exact copies share a hash of their pixels. Near ones are found by a perceptual hash (pHash: the signs of the lowest
frequencies of a small grey version; Zauner 2010, "Implementation and benchmarking of perceptual image hash functions",
as in the imagehash package) and then compared pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.chunks import chunks
from cnn_core.data.explore.near_pairs import near_pairs
from cnn_core.data.explore.statistics import split_names

Kind = Literal["exact", "near"]
KEPT_FIRST = ("test", "validation", "train")  # the final exam stays as it is


@dataclass(frozen=True)
class Group:
    """Images that are copies of one another. The order is that of keeping: test, validation, train."""

    kind: Kind
    positions: tuple[int, ...]  # in the data set
    splits: tuple[str, ...]  # of each image
    labels: tuple[int, ...]

    @property
    def leaks(self) -> bool:
        """Whether one split holds what another does: a network is then tested on what it learned by heart."""
        return len(set(self.splits)) > 1

    @property
    def contradicts(self) -> bool:
        """Whether the same image has two labels."""
        return len(set(self.labels)) > 1


def find_copies(dataset: ImageDataset) -> list[Group]:
    """Groups of copies: leaks first, then those with two labels, then the largest. Reads every image about once."""
    exact = _exact_groups(dataset)
    first = np.ones(len(dataset.labels), bool)
    for group in exact:
        first[group[1:]] = False
    stand_ins = np.flatnonzero(first)  # one of each exact group: thousands of equal images would hide the others
    pairs = np.concatenate([stand_ins[near_pairs(dataset, stand_ins)], *map(_chain, exact)])
    same = {position: number for number, group in enumerate(exact) for position in group.tolist()}
    splits = split_names(dataset)
    groups = [_group(dataset, members, splits, same) for members in _connected(pairs, len(dataset.labels))]
    return sorted(groups, key=lambda group: (-group.leaks, -group.contradicts, -len(group.positions), group.positions))


def copies_to_remove(groups: Iterable[Group], leaks_only: bool = False) -> list[int]:
    """Positions to remove so that one of each group stays, of the test images where there is one.

    `leaks_only`: so that no image is in two splits; copies within a split stay.
    """
    gone: list[int] = []
    for group in groups:
        for place, position in enumerate(group.positions):
            if place and not (leaks_only and group.splits[place] == group.splits[0]):
                gone.append(position)
    return sorted(gone)


def _exact_groups(dataset: ImageDataset) -> list[NDArray[np.int64]]:
    """Sorted positions of each set of equal images, two or more."""
    digests = np.empty(len(dataset.labels), "S32")
    for part, images in chunks(dataset.images, np.arange(len(digests))):
        digests[part] = [blake2b(image.tobytes(), digest_size=16).hexdigest() for image in images]
    _, which, counts = np.unique(digests, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    sets = np.split(order, np.cumsum(counts)[:-1])
    return [members for members in sets if len(members) > 1]


def _chain(members: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n - 1, 2): pairs that connect the members."""
    return np.stack([members[:-1], members[1:]], axis=1)


def _connected(pairs: NDArray[np.int64], count: int) -> list[list[int]]:
    """The positions of each connected component of two or more."""
    from scipy.sparse import coo_array  # 0.2 s that no other view needs
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    inside = np.unique(pairs)
    order = inside[np.argsort(component[inside], kind="stable")]
    borders = np.flatnonzero(np.diff(component[order])) + 1
    return [members.tolist() for members in np.split(order, borders) if len(members)]


def _group(dataset: ImageDataset, members: list[int], splits: NDArray[np.str_], same: dict[int, int]) -> Group:
    """`same`: which exact group a position is in."""
    order = sorted(members, key=lambda position: (KEPT_FIRST.index(str(splits[position])), position))
    sets = {same.get(position, -position - 1) for position in members}
    return Group(
        kind="exact" if len(sets) == 1 else "near",
        positions=tuple(order),
        splits=tuple(splits[order].tolist()),
        labels=tuple(dataset.labels[order].tolist()),
    )
