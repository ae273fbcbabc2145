"""Folders that stand for a split and not for a class: their names, and where the classes lie inside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

Parts = tuple[str, ...]  # of a path

WORDS = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
NEUTRAL = {"set", "data", "dataset", "images", "image", "imgs", "img", "folder", "split"}
UNLABELLED = {"pred", "predict", "prediction", "predictions", "unlabelled", "unlabeled", "submission", "holdout"}
TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")  # "TestData" and "test_data" have the same two


def split_of(folder: str) -> str | None:
    """The split that a folder's name holds as a word ("seg_train", "training_set", "val2017", "testset"), else None."""
    splits = {WORDS[word] for word in _words(folder) if word in WORDS}
    return splits.pop() if len(splits) == 1 else None


def names_only_a_split(folder: str) -> bool:
    """Whether nothing else is in the name: "train_images" is so, "train station" may be a class."""
    return split_of(folder) is not None and all(word in WORDS or word in NEUTRAL for word in _words(folder))


def split_folders(groups: Mapping[str, Sequence[Parts]]) -> dict[str, str]:
    """Which of the folders beside each other are splits; none where they are classes.

    `groups` holds the paths below each folder. Either all of them have a split's name, or a training and another split
    have classes in common, or the others hold what is to be predicted; then those others are no splits and no classes.
    """
    named = {folder: split for folder in groups if (split := split_of(folder))}
    others = [folder for folder in groups if folder not in named]
    classes = {folder: set(first_folders(groups[folder], wrappers(groups[folder]))) for folder in named}
    if len(groups) < 2 or not named:
        return {}
    if not others:
        return named if any(classes.values()) or all(map(names_only_a_split, named)) else {}
    trained = set().union(*(classes[folder] for folder, split in named.items() if split == "train"))
    shared = any(trained & classes[folder] for folder, split in named.items() if split != "train")
    unlabelled = all(_holds_unlabelled(folder, groups[folder]) for folder in others)
    return named if len(trained) > 1 and (shared or unlabelled) else {}


def wrappers(paths: Sequence[Parts]) -> int:
    """How many folders wrap all others: a single folder that has folders with images in it."""
    depth = 0
    while True:
        inside = [parts for parts in paths if len(parts) > depth + 1]
        if len({parts[depth] for parts in inside}) != 1 or all(len(parts) == depth + 2 for parts in inside):
            return depth
        depth += 1


def wrappers_of_classes(paths: Sequence[Parts], known: Collection[str]) -> int:
    """How many folders of a split wrap its classes: those that are `known` from training, else two or more."""
    depths = range(wrappers(paths) + 1)
    if known:
        return max(depths, key=lambda depth: len(first_folders(paths, depth) & set(known)))
    return depths[-1] if len(first_folders(paths, depths[-1])) > 1 else 0


def first_folders(paths: Sequence[Parts], depth: int) -> set[str]:
    return {parts[depth] for parts in paths if len(parts) > depth + 1}


def _words(folder: str) -> list[str]:
    """The words of a name in small letters; "trainset" is two."""
    found = []
    for token in TOKEN.findall(folder):
        word = token.lower()
        ending = next((end for end in NEUTRAL if word.endswith(end) and word.removesuffix(end) in WORDS), "")
        found += [word.removesuffix(ending), ending] if ending else [word]
    return found


def _holds_unlabelled(folder: str, paths: Sequence[Parts]) -> bool:
    return not UNLABELLED.isdisjoint(_words(folder)) and not first_folders(paths, wrappers(paths))
