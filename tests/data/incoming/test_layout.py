import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.data.incoming.labels.layout import Labelled, Layout, read_labels, read_layout
from cnn_core.errors import LayoutError

PETS = ["cat/1.jpg", "cat/2.PNG", "dog/1.jpg"]


def short(layout: Layout) -> dict[str, str]:
    return {
        path: f"{known.split}:{known.class_name}" if known.split else known.class_name
        for path, known in layout.files.items()
    }


@pytest.mark.parametrize("wrap", ["", "pets/", "a/b/c/", "train/", "test/", "data/train/"])
def test_folders_are_classes_however_they_are_wrapped(wrap: str) -> None:
    layout = read_layout([wrap + path for path in PETS])
    assert short(layout) == {wrap + path: path[:3] for path in PETS}
    assert layout.classes == ("cat", "dog")
    assert not layout.ignored
    assert layout.junk == 0


@pytest.mark.parametrize("wrap", ["", "pets/"])
def test_split_folders_are_respected(wrap: str) -> None:
    folders = {"Train": "train", "val": "validation", "valid": "validation", "TEST": "test", "dev": "validation"}
    paths = [f"{wrap}{folder}/{name}" for folder in folders for name in ("cat/1.jpg", "dog/deep/1.jpg")]
    layout = read_layout(paths)
    assert layout.files[f"{wrap}valid/dog/deep/1.jpg"] == Labelled("dog", "validation")
    assert {path: known.split for path, known in layout.files.items()} == {
        path: folders[path.removeprefix(wrap).split("/")[0]] for path in paths
    }


def test_train_is_a_class_beside_others() -> None:
    layout = read_layout(["train/1.jpg", "car/1.jpg", "test/1.jpg"])
    assert layout.classes == ("car", "test", "train")
    assert all(known.split is None for known in layout.files.values())


def test_splits_without_train_are_refused() -> None:
    with pytest.raises(LayoutError, match="none to train on"):
        read_layout(["test/cat/1.jpg", "val/cat/1.jpg", "test/dog/1.jpg"])


def test_unlabelled_test_images_and_classes_without_training_are_left_out() -> None:
    train = ["train/cat/1.jpg", "train/dog/1.jpg"]
    layout = read_layout([*train, "test/7.jpg", "val/cow/1.jpg", "val/cat/1.jpg"])
    assert list(layout.files) == [*train, "val/cat/1.jpg"]
    assert layout.ignored == {
        "test/7.jpg": "It lies outside the class folders.",
        "val/cow/1.jpg": "Its class cow has no images to train on.",
    }


def test_deeper_folders_belong_to_their_class() -> None:
    assert short(read_layout(["cat/a/b/1.jpg", "cat/2.jpg", "dog/a/1.jpg"])) == {
        "cat/a/b/1.jpg": "cat",
        "cat/2.jpg": "cat",
        "dog/a/1.jpg": "dog",
    }


def test_what_is_no_image_is_left_out_with_a_reason() -> None:
    strange = ["LICENSE", "title.png", "pets/readme.txt", "pets/cat/a.csv", "pets/cover.jpg", "pets/cat/model.h5"]
    junk = ["__MACOSX/pets/._1.jpg", "pets/.DS_Store", "pets/cat/Thumbs.db", "pets/dog/Desktop.ini", ".git/x/1.jpg"]
    layout = read_layout([*strange, *junk, *(f"pets/{path}" for path in PETS), "pets/cat/3"])
    assert short(layout) == {f"pets/{path}": path[:3] for path in [*PETS, "cat/3"]}
    assert layout.junk == len(junk)
    assert set(layout.ignored) == set(strange)
    assert layout.ignored["pets/cover.jpg"] == "It lies outside the class folders."
    assert layout.ignored["pets/cat/model.h5"] == "Not an image file (.h5)."


def test_class_names_are_composed_and_without_outer_spaces() -> None:
    paths = [unicodedata.normalize("NFD", "Vögel/1.jpg"), "Vögel /2.jpg", "猫/1.jpg", " /3.jpg"]
    layout = read_layout(paths)
    assert layout.classes == ("Vögel", "猫")
    assert list(layout.ignored) == [" /3.jpg"]


def test_classes_are_sorted_as_imagefolder_sorts_them() -> None:
    assert read_layout(["b/1.jpg", "10/1.jpg", "2/1.jpg", "A/1.jpg"]).classes == ("10", "2", "A", "b")


@pytest.mark.parametrize(
    ("paths", "cause"),
    [
        ([], "No class with images was found"),
        (["1.jpg", "2.jpg"], "No class with images was found"),
        (["cat/1.jpg", "cat/2.jpg"], "Only one class with images was found: cat."),
        (["pets/cat/1.jpg"], "Only one class with images was found: cat."),
        (["cat/1.jpg", "dog/1.txt"], "Only one class"),
    ],
)
def test_too_few_classes_are_told_with_an_example(paths: list[str], cause: str) -> None:
    with pytest.raises(LayoutError) as raised:
        read_layout(paths)
    assert cause in str(raised.value)
    assert "such as cats/1.jpg, cats/2.jpg, dogs/1.jpg." in str(raised.value)


def test_too_many_classes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"{number}/1.jpg" for number in range(1001)]
    assert len(read_layout(paths[:1000]).classes) == 1000
    with pytest.raises(LayoutError, match="1,001 classes; at most 1,000"):
        read_layout(paths)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_CLASSES", "2")
    with pytest.raises(LayoutError, match="at most 2"):
        read_layout(paths[:3])


@given(st.lists(st.text("abct/. ü\u0308", max_size=12) | st.sampled_from([*PETS, "train/a/1", "test/a/1", "val/b/1"])))
@settings(max_examples=200, deadline=None)
def test_every_path_is_used_ignored_or_junk(paths: list[str]) -> None:
    paths = list(dict.fromkeys(paths))
    try:
        layout = read_layout(paths)
    except LayoutError:
        return
    assert len(layout.classes) >= 2
    assert not set(layout.files) & set(layout.ignored)
    assert len(layout.files) + len(layout.ignored) + layout.junk == len(paths)
    assert set(layout.files) | set(layout.ignored) <= set(paths)
    assert all(name == name.strip() != "" for name in layout.classes)


FLAT = ["images/1.jpg", "images/2.jpg", "images/drei, vier.png"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "filename{0}label\n", "Image{0}Class\n", "\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_tables_of_every_kind(delimiter: str, head: str, encoding: str) -> None:
    lines = ["1.jpg{0}Löwe", "images/2.jpg{0} Tiger ", '"drei, vier.png"{0}"Löwe"']
    table = (head + "\r\n".join(lines)).format(delimiter).encode(encoding)
    layout = read_labels(table, [*FLAT, "labels.csv", ".DS_Store"])
    assert short(layout) == {FLAT[0]: "Löwe", FLAT[1]: "Tiger", FLAT[2]: "Löwe"}
    assert list(layout.ignored) == ["labels.csv"]
    assert layout.junk == 1


def test_headings_may_stand_in_any_order_and_name_a_split() -> None:
    rows = [",split,class,x,file_name", "0,train,cat,9,1.jpg", "1,VAL,cat,9,2.jpg", "2,train,dog,9,3.jpg"]
    table = "\n".join([*rows, "3,other,dog,9,4.jpg", "4,,dog,9,5.jpg"]).encode()
    layout = read_labels(table, [f"{number}.jpg" for number in range(1, 6)])
    assert short(layout) == {"1.jpg": "train:cat", "2.jpg": "validation:cat", "3.jpg": "train:dog", "5.jpg": "dog"}
    assert layout.ignored["line 5 of the labels (4.jpg)"] == "It has a split that is not train, validation or test."


def test_a_third_column_without_headings_is_a_split_only_where_all_cells_are() -> None:
    assert short(read_labels(b"1.jpg,a,train\n2.jpg,b,train\n3.jpg,a,test", ["1.jpg", "2.jpg", "3.jpg"])) == {
        "1.jpg": "train:a",
        "2.jpg": "train:b",
        "3.jpg": "test:a",
    }
    assert short(read_labels(b"1.jpg,a,17\n2.jpg,b,train", ["1.jpg", "2.jpg"])) == {"1.jpg": "a", "2.jpg": "b"}


def test_files_are_found_by_path_end_of_path_or_only_name() -> None:
    paths = ["set/a/1.jpg", "set/b/1.jpg", "set/b/2.jpg", unicodedata.normalize("NFD", "set/ü.jpg"), "1.jpg"]
    table = "set/a/1.jpg,x\n./b\\1.jpg,y\n2.jpg,x\nelsewhere/ü.jpg,y\n1.jpg,y".encode()
    assert short(read_labels(table, paths)) == dict(zip(paths, "xyxyy", strict=True))
    layout = read_labels(b"1.jpg,x\n2.jpg,y\n3.jpg,x\n", ["a/1.jpg", "b/1.jpg", "b/2.jpg", "c/3.jpg"])
    assert layout.ignored["line 1 of the labels (1.jpg)"] == "It fits several files; write the folder too."


def test_lines_and_files_that_do_not_find_each_other_are_told() -> None:
    table = b"file,label\n1.jpg,cat\n2.jpg,\n9.jpg,cat\n1.jpg,dog\n3.jpg,dog\n4.jpg\nnotes.txt,dog"
    layout = read_labels(table, ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "notes.txt"])
    assert short(layout) == {"1.jpg": "cat", "3.jpg": "dog"}
    untold = "The labels do not mention it, or not in a line that can be used."
    assert layout.ignored == {
        "notes.txt": "Not an image file (.txt).",
        "line 3 of the labels (2.jpg)": "It has no label.",
        "line 4 of the labels (9.jpg)": "It names no image that is there.",
        "line 5 of the labels (1.jpg)": "It names a file that a line above has labelled.",
        "line 7 of the labels (4.jpg)": "It has no label.",
        "line 8 of the labels (notes.txt)": "It names no image that is there.",
        "2.jpg": untold,
        "4.jpg": untold,
        "5.jpg": untold,
    }


@pytest.mark.parametrize("label", ["a\x1bb", "x" * 256, "a\u202eb", "a\nb"])
def test_labels_that_cannot_be_shown_are_told(label: str) -> None:
    layout = read_labels(f'1.jpg,a\n2.jpg,b\n3.jpg,"{label}"'.encode(), ["1.jpg", "2.jpg", "3.jpg"])
    assert layout.classes == ("a", "b")
    assert "has a label that is too long or cannot be shown." in "".join(layout.ignored.values())


@pytest.mark.parametrize(
    ("table", "cause"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"1.jpg\n2.jpg\n", "only one column"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not plain text"),
        ("1.jpg,cat".encode("utf-16"), "not plain text"),
        (b'1.jpg,"' + b"x" * 200_000, "a quotation mark may be open"),
        (b"x" * 20_000_001, "20.0 MB; at most 20 MB"),
        (b"1.jpg,cat\n2.jpg,cat", "Only one class"),
        (b"a.jpg,cat\nb.jpg,dog", "No class"),
        (b"file,label,split\n1.jpg,cat,test\n2.jpg,dog,val", "none to train on"),
    ],
)
def test_what_is_no_table_of_labels_is_told(table: bytes, cause: str) -> None:
    with pytest.raises(LayoutError) as raised:
        read_labels(table, ["1.jpg", "2.jpg"])
    assert cause in str(raised.value)
    assert str(raised.value).endswith(".")
    assert str(raised.value).isprintable()


def test_a_table_has_no_more_lines_than_files_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FILES", "2")
    assert len(read_labels(b"file,label\n1.jpg,a\n2.jpg,b", ["1.jpg", "2.jpg"]).files) == 2
    with pytest.raises(LayoutError, match="more than 3 lines"):
        read_labels(b"file,label\n1.jpg,a\n2.jpg,b\n3.jpg,a", ["1.jpg", "2.jpg"])


WORDS = st.sampled_from(["1.jpg", "2.jpg", ",", ";", "\t", "\n", '"', "a", "b", "file"])


@given(st.binary(max_size=300) | st.lists(WORDS).map(lambda words: "".join(words).encode()))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_table_or_a_sentence(table: bytes) -> None:
    try:
        layout = read_labels(table, ["1.jpg", "2.jpg"])
    except LayoutError:
        return
    assert set(layout.files) == {"1.jpg", "2.jpg"}
    assert len(layout.classes) == 2
    assert all(text.isprintable() for item in layout.ignored.items() for text in item)
