"""Splits recognised by the words in folder names, and what is no class and no split."""

import pytest

from cnn_core.data.incoming.labels.layout import Labelled, read_layout
from cnn_core.data.incoming.labels.split_folders import names_only_a_split, split_of
from cnn_core.errors import LayoutError


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("seg_train", "train"),
        ("training_set", "train"),
        ("train2017", "train"),
        ("TrainData", "train"),
        ("testset", "test"),
        ("Testing", "test"),
        ("my-test images", "test"),
        ("TEST", "test"),
        ("val_256", "validation"),
        ("valid", "validation"),
        ("trainval", "train"),
        ("dev", "validation"),
        ("train_test", None),
        ("seg_pred", None),
        ("trainer", None),
        ("latest", None),
        ("contest", None),
        ("valley", None),
        ("restrain", None),
        ("", None),
        ("訓練", None),
    ],
)
def test_a_split_is_a_word_of_the_name(folder: str, split: str | None) -> None:
    assert split_of(folder) == split


def test_a_class_may_have_a_split_s_word_in_its_name() -> None:
    assert names_only_a_split("train_images2017")
    assert not names_only_a_split("train station")
    assert read_layout(["train station/1.jpg", "test tube/1.jpg"]).classes == ("test tube", "train station")


def of(*folders: str, count: int = 2) -> list[str]:
    return [f"{folder}/{number}.png" for folder in folders for number in range(count)]


INNER = ("cat", "dog")


@pytest.mark.parametrize("wrap", ["", "data/", "a/b/"])
@pytest.mark.parametrize(
    ("train", "test"),
    [("seg_train", "seg_test"), ("training_set", "test_set"), ("train", "valid"), ("Training", "Testing")],
)
@pytest.mark.parametrize("twice", [True, False])
def test_splits_with_longer_names_and_folders_that_wrap_each(wrap: str, train: str, test: str, twice: bool) -> None:
    folders = {split: f"{wrap}{split}/{split}" if twice else f"{wrap}{split}" for split in (train, test)}
    layout = read_layout(of(*(f"{folder}/{name}" for folder in folders.values() for name in INNER)))
    assert layout.classes == INNER
    assert not layout.ignored
    assert layout.files[f"{folders[train]}/cat/0.png"] == Labelled("cat", "train")
    assert layout.files[f"{folders[test]}/dog/0.png"] == Labelled("dog", split_of(test))


def test_a_split_with_one_class_is_unwrapped_to_the_classes_of_training() -> None:
    layout = read_layout([*of("train/cat/old", "train/dog"), "test/test/cat/old/1.png"])
    assert layout.files["test/test/cat/old/1.png"] == Labelled("cat", "test")
    assert layout.classes == INNER


@pytest.mark.parametrize("pred", ["seg_pred", "seg_pred/seg_pred", "other"])
def test_an_unlabelled_folder_beside_splits_is_left_out_and_named(pred: str) -> None:
    layout = read_layout([*of("seg_train/cat", "seg_train/dog", "seg_test/cat"), *of(pred)])
    assert layout.classes == INNER
    assert set(layout.ignored) == set(of(pred))
    assert set(layout.ignored.values()) == {
        f"Its folder {pred.split('/')[0]} is none of training, validation and test."
    }


def test_beside_training_alone_only_what_is_to_be_predicted_is_no_class() -> None:
    assert read_layout(of("train/cat", "train/dog", "pred")).classes == INNER
    assert read_layout(of("train/steam", "train/diesel", "car")).classes == ("car", "train")


def test_splits_inside_of_every_class() -> None:
    layout = read_layout(of("cat/train", "cat/test", "dog/train", "dog/test_images"))
    assert layout.files["dog/test_images/0.png"] == Labelled("dog", "test")
    assert layout.classes == INNER
    mixed = read_layout(of("cat/train", "cat/test", "dog/train", "dog/hair"))
    assert {known.split for known in mixed.files.values()} == {None}


@pytest.mark.parametrize(("first", "copy"), [("", "pets"), ("data/", "data/data"), ("", "a/b")])
@pytest.mark.parametrize("splits", [("",), ("train/", "test/")])
def test_a_copy_of_the_data_set_inside_itself_counts_once(first: str, copy: str, splits: tuple[str, ...]) -> None:
    inner = of(*(f"{split}{name}" for split in splits for name in INNER))
    layout = read_layout([f"{first}{path}" for path in inner] + [f"{copy}/{path}" for path in inner])
    assert list(layout.files) == [f"{first}{path}" for path in inner]
    assert layout.classes == INNER
    assert set(layout.ignored.values()) == {
        f"Its folder {copy} repeats the folders and file names around it: counted once."
    }


def test_a_folder_that_repeats_only_a_part_of_itself_is_no_copy() -> None:
    paths = [*of("cat", "dog", "zoo/cat", "zoo/dog"), "zoo/dog/new.png"]
    assert read_layout(paths).classes == ("cat", "dog", "zoo")
    assert read_layout(of("cat", "dog", "dog/cat")).classes == INNER  # the folder cat of the class dog


DETECTION = {
    "COCO": [*of("train2017", "val2017"), "annotations/instances_train2017.json"],
    "YOLO": [*of("images/train", "images/val"), "labels/train/0.txt"],
    "VOC": [*of("VOC/JPEGImages"), "VOC/Annotations/0.xml"],
}


@pytest.mark.parametrize("kind", DETECTION)
def test_a_data_set_for_detection_is_told_from_one_of_classes(kind: str) -> None:
    with pytest.raises(LayoutError, match="This looks like a data set for detection") as raised:
        read_layout(DETECTION[kind])
    assert DETECTION[kind][-1] in str(raised.value)
    assert "one folder for each class, or a table" in str(raised.value)


def test_splits_without_class_folders_are_no_classes() -> None:
    with pytest.raises(LayoutError, match="No class folders were found in train and test"):
        read_layout(of("train", "test"))
