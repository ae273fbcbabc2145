"""Names and versions in the catalogue, given out to several at once."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.drafts import drafted
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.errors import PlaygroundError


def digits_again(name: str) -> versions.About:
    """A first version in the catalogue."""
    return versions.derive(open_dataset("digits"), name, removed=[0])


def test_versions_that_are_made_at_the_same_time_get_different_numbers(home: Path) -> None:
    first = digits_again("Numbers")
    source = open_dataset(first.id)
    ready = threading.Barrier(4)

    def derive(position: int) -> versions.About:
        ready.wait()
        return versions.derive(source, "", removed=[position])

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(derive, range(4)))
    assert sorted(known.version for known in made) == [2, 3, 4, 5]


def test_a_name_is_held_from_the_check_to_the_shelf(home: Path) -> None:
    known = digits_again("Numbers")
    with versions.reserved(" Letters ") as name:
        assert name == "Letters"
        for taken in ("Letters", "  Letters"):
            with pytest.raises(PlaygroundError, match=r"Letters is being made at this moment\. Choose another name"):
                versions.rename(known.id, taken)
    versions.rename(known.id, "Letters")
    assert versions.about(known.id).name == "Letters"
    with pytest.raises(PlaygroundError, match="Letters already"), versions.reserved("Letters"):
        pass


def test_a_version_of_a_set_that_was_renamed_meanwhile_has_its_new_name(home: Path) -> None:
    known = digits_again("Numbers")
    with drafted() as folder:
        shutil.copytree(versions.folder_of(known), folder, ignore=lambda *_: {"about.json"}, dirs_exist_ok=True)
        versions.rename(known.id, "Letters")
        later = versions.add(folder, "Numbers", "", parent=known.id)
    assert (later.name, later.version) == ("Letters", 2)
