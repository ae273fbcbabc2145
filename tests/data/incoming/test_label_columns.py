"""Tables as they come: ids without endings, several columns, one-hot, and tables among the files."""

from pathlib import Path

import pytest

from cnn_core.data.incoming.archives.archive import open_archive
from cnn_core.data.incoming.contents import layout_of, tables_inside
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.labels.columns import ONE_HOT
from cnn_core.data.incoming.labels.layout import Layout
from cnn_core.data.incoming.labels.table import LabelTable, read_labels
from cnn_core.errors import LabelColumnError, LayoutError
from tests.data.images import write_zip

FILES = ["train/0a.jpg", "train/1.b.jpg", "train/2.png", "train/3.jpg"]
IDS = ["0a", "1.b", "2", "3"]


def table(head: str, *rows: str) -> bytes:
    return "\n".join([head, *rows]).encode()


def classes(layout: Layout) -> list[str]:
    return [layout.files[path].class_name for path in FILES if path in layout.files]


@pytest.mark.parametrize("head", ["id,breed", "id_code,diagnosis", "Image Id,x", "0b,breed"])
@pytest.mark.parametrize("folder", ["", "train/"])
def test_ids_are_matched_without_the_file_s_ending(head: str, folder: str) -> None:
    layout = read_labels(table(head, *(f"{folder}{name},{'xy'[at % 2]}" for at, name in enumerate(IDS))), FILES)
    assert classes(layout) == ["x", "y", "x", "y"]


def test_a_whole_name_goes_before_one_without_ending_and_two_that_fit_are_told() -> None:
    paths = ["1.jpg", "1.jpg.png", "2.jpg", "2.png", "3.jpg"]
    layout = read_labels(b"id,label\n1.jpg,a\n2,b\n3,c", paths)
    assert {path: known.class_name for path, known in layout.files.items()} == {"1.jpg": "a", "3.jpg": "c"}
    assert layout.ignored["line 3 of the labels (2)"] == "It fits several files; write the folder too."


EXTRA = table("id,age,diagnosis", *(f"{name},33,{'xy'[at % 2]}" for at, name in enumerate(IDS)))


def test_several_columns_are_asked_about() -> None:
    found = LabelTable(EXTRA, FILES)
    assert found.columns.choices == ("age", "diagnosis")
    assert found.columns.chosen == ""
    with pytest.raises(LabelColumnError, match=r"Several columns .* is the label: age, diagnosis"):
        found.layout()
    assert classes(found.layout("Diagnosis")) == ["x", "y", "x", "y"]
    for wrong in ("id", "nothing", ONE_HOT):
        with pytest.raises(LabelColumnError, match=f"has no column {wrong} "):
            found.layout(wrong)


def test_a_column_called_label_is_taken_and_another_may_be_chosen() -> None:
    found = LabelTable(table("age,file,label", *(f"{at % 2},{name},x{at}" for at, name in enumerate(IDS))), FILES)
    assert found.columns.chosen == "label"
    assert classes(found.layout()) == ["x0", "x1", "x2", "x3"]
    assert classes(found.layout("age")) == ["0", "1", "0", "1"]


def test_the_column_of_files_is_found_by_what_it_names() -> None:
    found = LabelTable(table("image_id,scan,kind", "7,0a,x", "8,2,y", "9,3,x"), FILES)
    assert classes(found.layout("kind")) == ["x", "y", "x"]


@pytest.mark.parametrize(("zero", "one"), [("0", "1"), ("0.0", "1.0"), ("False", "True")])
def test_one_column_a_class(zero: str, one: str) -> None:
    rows = [f"{name},{','.join(one if at % 3 == place else zero for place in range(3))}" for at, name in enumerate(IDS)]
    found = LabelTable(table("image_id,healthy,rust,scab", *rows), FILES)
    assert found.columns.chosen == ONE_HOT
    assert classes(found.layout()) == ["healthy", "rust", "scab", "healthy"]


def test_images_of_several_or_no_classes_are_left_out_of_a_one_hot_table() -> None:
    paths = [f"{number}.jpg" for number in range(20)]
    rows = [f"{number},{number % 2},{1 - number % 2}" for number in range(18)]
    layout = read_labels(table("id,a,b", *rows, "18,1,1", "19,0,0"), paths)
    assert len(layout.files) == 18
    assert layout.ignored["line 20 of the labels (18)"] == "It has several labels, and an image needs one."
    assert layout.ignored["line 21 of the labels (19)"] == "It has no label."
    many = [f"{number},1,{number % 2}" for number in range(20)]  # several labels an image: not one-hot
    with pytest.raises(LabelColumnError):
        read_labels(table("id,a,b", *many), paths)


def test_names_that_match_nothing_are_counted_with_three_examples() -> None:
    rows = [f"z{number},{'xy'[number % 2]}" for number in range(5)]
    with pytest.raises(LayoutError) as raised:
        read_labels(table("id,label", *rows), FILES)
    assert "5 of 5 names in the table match no image, such as z0, z1, z2, but the files are called as 0a.jpg." in str(
        raised.value
    )
    with pytest.raises(LayoutError, match=r"5 of 7 names in the table match no image"):
        read_labels(table("id,label", *rows, "0a,x", "2,x"), FILES)


def test_headings_without_a_known_word_are_told_as_such() -> None:
    layout = read_labels(table("code,what", "0a,x", "2,y"), FILES)
    assert layout.ignored["line 1 of the labels (code)"] == "It holds headings."
    missing_first = read_labels(b"gone.jpg,x\n0a.jpg,x\n2.png,y", FILES)
    assert missing_first.ignored["line 1 of the labels (gone.jpg)"] == "It names no image that is there."


@pytest.mark.parametrize(("encoding", "names"), [("cp932", ("ソバ", "予定")), ("gbk", ("苹果", "香蕉"))])
def test_labels_in_another_encoding_are_read(encoding: str, names: tuple[str, str]) -> None:
    rows = "\n".join(["id,label", *(f"{name},{names[at % 2]}" for at, name in enumerate(IDS))]).encode(encoding)
    assert set(classes(read_labels(rows, FILES))) == set(names)


def test_a_table_among_the_files_is_offered(tmp_path: Path) -> None:
    inside = "train/labels.csv"
    data = table("id,label", *(f"{name},{'xy'[at % 2]}" for at, name in enumerate(IDS)))
    hidden = {"__MACOSX/._labels.csv": b"x"}
    files = open_archive(write_zip(tmp_path / "x.zip", dict.fromkeys(FILES, b"x") | {inside: data} | hidden))
    assert tables_inside(files) == [inside]
    with pytest.raises(LayoutError, match=r"Only one class .* may be in the table train/labels.csv"):
        layout_of(files, ImportSpec())
    assert classes(layout_of(files, ImportSpec(labels_inside=inside))) == ["x", "y", "x", "y"]
    with pytest.raises(LayoutError, match=r"There is no table gone.csv among the files"):
        layout_of(files, ImportSpec(labels_inside="gone.csv"))
