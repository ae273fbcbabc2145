"""From files to a data set: what is kept, what is told, and that nothing half done stays."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import SPLITS
from cnn_core.data.decode import decode, fit
from cnn_core.data.incoming.archives.archive import open_archive, open_folder
from cnn_core.data.incoming.import_spec import ImportReport, ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.labels.layout import read_layout
from cnn_core.data.incoming.zipped import write_zip as export_zip
from cnn_core.errors import PlaygroundError
from tests.data.images import image_file, of_class, two_classes, write_zip

SMALL = ImportSpec(size=28)


@pytest.fixture
def bring(home: Path, tmp_path: Path):
    """Imports files by name: bytes."""

    def bring(files: dict[str, bytes], spec: ImportSpec = SMALL, name: str = "Mine", **more: object) -> ImportReport:
        opened = open_archive(write_zip(tmp_path / "pictures.zip", files))
        layout = read_layout([entry.path for entry in opened.entries()])
        return import_images(opened, layout, spec, name, **more)  # type: ignore[arg-type]

    return bring


def test_every_image_is_there_as_the_one_way_of_decoding_makes_it(bring) -> None:
    files = two_classes()
    dataset = open_dataset(bring(files).dataset)
    assert dataset.classes == ("boots", "trousers")
    assert dataset.shape == (3, 28, 28)
    told = versions.items(dataset.folder)
    assert sorted(told["file"]) == sorted(files)
    for position, path in enumerate(told["file"]):
        assert np.array_equal(dataset.images[position], fit(decode(files[path], path), 3, 28))
        assert dataset.classes[dataset.labels[position]] == path.split("/")[0]
        assert (told["width"][position], told["height"][position]) == (60, 45)


@pytest.mark.parametrize("way", ["crop", "pad", "squash"])
def test_the_chosen_fit_is_used_and_kept_for_images_to_come(bring, way: str) -> None:
    files = two_classes(6)
    dataset = open_dataset(bring(files, ImportSpec(size=32, fit=way)).dataset)
    path = versions.items(dataset.folder)["file"][0]
    assert np.array_equal(dataset.images[0], fit(decode(files[path], path), 3, 32, way))  # type: ignore[arg-type]
    assert dataset.fit == way
    assert open_dataset(dataset.name, 28).fit == way


def test_images_without_colours_become_greyscale_unless_otherwise_chosen(bring) -> None:
    grey = two_classes(6, colour=False)
    report = bring(grey)
    assert report.shape == [1, 28, 28]
    assert "not one image has colours" in report.colour
    path = versions.items(open_dataset(report.dataset).folder)["file"][3]
    assert np.array_equal(open_dataset(report.dataset).images[3], fit(decode(grey[path], path), 1, 28))
    assert bring(grey, ImportSpec(size=28, colour="rgb"), "As RGB").shape == [3, 28, 28]
    coloured = grey | {"boots/one.jpg": image_file(5, colour=True)}
    report = bring(coloured, name="Nearly grey")
    assert report.shape == [3, 28, 28]
    assert report.colour == "RGB: 1 of 13 images have colours."


def test_broken_files_are_named_and_the_others_kept(bring) -> None:
    files = two_classes(40)
    broken = {
        "boots/cut.jpg": files[next(iter(files))][:300],
        "boots/text.jpg": b"not an image",
        "boots/none.png": b"",
        "trousers/0.jpg": b"\xff\xd8\xff\xe0 damaged",
    }
    report = bring(files | broken)
    assert {reason: sorted(entry["files"]) for reason, entry in report.skipped.items()} == {
        "It is damaged or cut short.": ["boots/cut.jpg", "trousers/0.jpg"],
        "Not an image, or damaged.": ["boots/text.jpg"],
        "It is empty.": ["boots/none.png"],
    }
    assert {name: sum(splits.values()) for name, splits in report.kept.items()} == {"boots": 40, "trousers": 40}
    assert (report.added, report.found) == (80, 84), "what was found is what was added and what was left out of it"


def test_a_zip_with_unicode_names_and_one_file_in_twenty_broken(bring) -> None:
    names = {"Stiefel für Größe 40": 9, "ズボン": 1, "tee-shirts 👕": 0}
    files = {
        f"Bilder/{folder}/Ø {number}.jpg": image_file(number)
        for folder, label in names.items()
        for number in of_class(label, 40)
    }
    damaged = sorted(files)[::20]
    files |= {path: files[path][: len(files[path]) // 2] for path in damaged}
    report = bring(files)
    assert sorted(report.skipped["It is damaged or cut short."]["files"]) == damaged
    assert report.added == len(files) - len(damaged) == 114
    assert set(report.kept) == set(names)
    assert open_dataset(report.dataset).classes == tuple(sorted(names))


def test_splits_are_stratified_or_those_of_the_folders(bring) -> None:
    drawn = bring(two_classes(40), ImportSpec(size=28, validation=0.25, test=0.25))
    assert drawn.kept["boots"] == drawn.kept["trousers"] == {"train": 22, "validation": 8, "test": 10} or (
        sum(kept["test"] for kept in drawn.kept.values()),
        sum(kept["validation"] for kept in drawn.kept.values()),
    ) == (20, 15)
    files = {
        f"wrapped/{folder}/{name}/{number}.jpg": image_file(number)
        for folder, first, count in (("train", 0, 20), ("val", 20, 5), ("test", 25, 7))
        for name, label in (("boots", 9), ("trousers", 1))
        for number in of_class(label, count, first)
    }
    fixed = bring(files, name="Fixed")
    assert fixed.kept["boots"] == {"train": 20, "validation": 5, "test": 7}
    dataset = open_dataset(fixed.dataset)
    told = versions.items(dataset.folder)["file"]
    assert all("/test/" in told[position] for position in dataset.splits["test"])


def test_copies_are_counted_and_left_out_when_that_is_chosen(bring) -> None:
    files = two_classes(10)
    first = next(iter(files))
    files |= {"trousers/again.jpg": files[first], "boots/wrong class.jpg": files[first]}
    report = bring(files)
    assert report.copies["count"] == 2
    assert sorted(report.copies["groups"][0]) == sorted([first, "trousers/again.jpg", "boots/wrong class.jpg"])
    assert report.added == 22
    report = bring(files, ImportSpec(size=28, copies="leave_out"), "Once")
    assert report.added == 21  # the one in another class is a contradiction for a person to solve
    assert report.skipped["It is there already, pixel by pixel."]["files"] == ["trousers/again.jpg"]


def test_classes_without_test_images_are_told_and_none_lacks_training_images(bring) -> None:
    files = {f"a/{number}.png": image_file(number, kind="PNG") for number in range(3)}
    report = bring(files | {f"b/{number}.png": image_file(number + 9, kind="PNG") for number in range(2)})
    assert all(splits["train"] for splits in report.kept.values())
    assert report.untested == ["b"]
    assert report.kept["b"]["test"] == 0
    with pytest.raises(PlaygroundError, match="20 images of 20 classes are too few"):
        bring({f"{number}/1.png": image_file(number, kind="PNG") for number in range(20)}, name="One each")


def test_what_was_found_is_what_was_added_and_left_out(bring) -> None:
    files = two_classes(10) | {"boots/cut.jpg": image_file(0)[:200], "notes.txt": b"x"}
    files["boots/again.jpg"] = files[next(path for path in files if path.startswith("boots"))]
    report = bring(files, ImportSpec(size=28, copies="leave_out"))
    left_out = {file for entry in report.skipped.values() for file in entry["files"]}
    assert left_out == {"boots/cut.jpg", "boots/again.jpg", "notes.txt"}
    assert report.found - report.added == len(left_out - {"notes.txt"}) == 2
    assert sum(sum(splits.values()) for splits in report.kept.values()) == report.added
    more = bring(two_classes(12) | {"boots/bad.png": b"x"}, name="More", onto=report.dataset)
    assert (more.found, more.added) == (25, 4)
    assert sum(entry["count"] for entry in more.skipped.values()) == more.found - more.added


def test_small_classes_and_sizes_are_told(bring) -> None:
    files = two_classes(12) | {"hats/1.png": image_file(3, (200, 100), kind="PNG"), "empty/x.jpg": b""}
    report = bring(files)
    assert report.few == ["hats"]
    assert report.originals == {"smallest": [60, 45], "median": [60, 45], "largest": [200, 100]}
    assert list(report.kept) == ["boots", "hats", "trousers"], "a class without an image is no class"
    assert open_dataset(report.dataset).labels.max() == 2


def test_more_images_keep_the_splits_of_those_that_are_there(bring) -> None:
    first = bring(two_classes(20))
    old = open_dataset(first.dataset)
    more = two_classes(30) | {f"hats/{number}.jpg": image_file(number) for number in of_class(5, 10)}
    second = bring(more, ImportSpec(size=64, fit="pad"), onto=first.dataset)
    new = open_dataset(second.dataset)
    assert new.shape == old.shape, "size and fit are those of the images before"
    assert second.added == 30
    assert second.skipped["It is there already, pixel by pixel."]["count"] == 40
    for split in SPLITS:
        assert set(old.splits[split]) <= set(new.splits[split])
        assert len(new.splits[split]) > len(old.splits[split])
    assert new.classes == ("boots", "trousers", "hats")
    assert (versions.about(second.dataset).version, versions.about(second.dataset).parent) == (2, first.dataset)
    assert versions.about(second.dataset).note == "30 added."


def test_the_same_files_give_the_same_data_set(bring) -> None:
    reports = [bring(two_classes(), name=name) for name in ("One", "Another")]
    assert reports[0].content_hash == reports[1].content_hash
    assert reports[0].dataset != reports[1].dataset


def test_an_export_imports_again_to_the_same_data_set(bring, tmp_path: Path) -> None:
    first = bring(two_classes())
    with (tmp_path / "export.zip").open("wb") as file:
        export_zip(open_dataset(first.dataset), file)
    files = open_archive(tmp_path / "export.zip")
    layout = read_layout([entry.path for entry in files.entries()])
    again = open_dataset(import_images(files, layout, SMALL, "Again").dataset)
    old = open_dataset(first.dataset)
    assert again.classes == old.classes
    for split in SPLITS:
        assert np.array_equal(
            again.images[again.splits[split]][np.argsort(again.labels[again.splits[split]], kind="stable")],
            old.images[old.splits[split]][np.argsort(old.labels[old.splits[split]], kind="stable")],
        )


def test_a_folder_of_the_computer_is_imported_like_an_archive(bring, tmp_path: Path) -> None:
    for path, data in two_classes().items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(data)
    files = open_folder(tmp_path / "tree", checked=False)
    report = import_images(files, read_layout([entry.path for entry in files.entries()]), SMALL, "From a folder")
    assert report.added == 24


def test_a_cancelled_or_failed_import_leaves_no_trace(bring, home: Path) -> None:
    bring(two_classes())
    before = set(home.rglob("*"))
    with pytest.raises(PlaygroundError, match="only images of boots"):
        bring({"boots/1.jpg": image_file(0), "hats/2.jpg": b"no"}, name="One class")
    with pytest.raises(PlaygroundError, match="too few to be split"):
        bring({"boots/1.jpg": image_file(0), "hats/2.jpg": image_file(1)}, name="Two images")
    with pytest.raises(PlaygroundError, match="called Mine already"):
        bring(two_classes(), name="Mine")
    assert set(home.rglob("*")) == before


def test_progress_is_told(bring) -> None:
    told = []
    bring(two_classes(), progress=told.append)
    assert (told[-1].done, told[-1].total) == (24, 24)


def test_the_report_says_how_deep_values_were_scaled(bring) -> None:
    """Grey values of 12 bits in 16, as a microscope writes them, and ordinary images beside them."""
    files = two_classes(6)
    for number, path in enumerate([*files][:4]):
        buffer = io.BytesIO()
        deep = np.asarray(Image.open(io.BytesIO(files[path])).convert("L")).astype(np.uint16)
        deep = deep * np.uint16(16) if number else deep.astype(np.uint16) * np.uint16(257)
        deep[0, 0] = 4095 if number else 65535
        Image.fromarray(deep).save(buffer, "TIFF")
        files[path] = buffer.getvalue()
    report = bring(files)
    assert report.scaled == {
        "Values from 0 to 4,095 became 0 to 255.": 3,
        "Values from 0 to 65,535 became 0 to 255.": 1,
    }


def test_the_size_of_a_large_original_is_its_own(bring) -> None:
    files = two_classes(6)
    buffer = io.BytesIO()
    Image.new("RGB", (4100, 2050), "red").save(buffer, "JPEG")
    files[next(iter(files))] = buffer.getvalue()
    report = bring(files)
    assert report.originals["largest"] == [4100, 2050]
