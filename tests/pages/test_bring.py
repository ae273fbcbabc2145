"""Your images: an archive or classes by hand, choices that stay, the report, and the catalogue."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.incoming.upload import Upload
from cnn_core.jobs.tasks.import_images import import_of
from cnn_core.recipe import DataSpec, Recipe
from cnn_core.runs.store import store
from tests.data.images import image_file, of_class, two_classes, write_zip
from tests.data.incoming.archives import Part, zipped
from tests.pages.conftest import Open, errors, query, run, text


def upload(page: AppTest, path: Path) -> AppTest:
    page.file_uploader(key="archive").set_value((path.name, path.read_bytes(), "application/zip"))
    return run(page)


def finish(page: AppTest, seconds: float = 60) -> AppTest:
    upload, limit = Upload(query(page)["upload"]), time.monotonic() + seconds
    while (state := import_of(upload).state()) and state.busy:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return run(page)


def test_a_zip_becomes_a_data_set_with_the_choices_that_were_made(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), write_zip(tmp_path / "clothes.zip", two_classes()))
    assert "24 images of 2 classes" in text(page)
    assert not page.error
    page.number_input(key="choice:size").set_value(28)
    run(page)
    page.selectbox(key="choice:fit").select("pad")
    run(page)
    again = open_page("bring", upload=query(page)["upload"])  # a reload
    assert (again.number_input(key="choice:size").value, again.selectbox(key="choice:fit").value) == (28, "pad")
    again.button(key="import").click()
    run(again)
    page = finish(again)
    (known,) = versions.own_datasets()
    assert (known.name, known.size, known.images) == ("clothes", 28, 24)
    assert open_dataset(known.id).fit == "pad"
    assert "Train on it" in [link.label for link in page.get("page_link")]
    assert "24" in text(open_page("bring", report=known.id)), "the report stays reachable"


def test_a_hostile_zip_is_refused_with_its_reason(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), write_zip(tmp_path / "evil.zip", {"../a/1.jpg": b"x", "b/2.jpg": b"y"}))
    assert "1.jpg" in errors(page)
    assert not [button for button in page.button if button.key == "import"]


def test_classes_by_hand(open_page: Open) -> None:
    page = open_page("bring", **{"from": "by_hand"})
    for name, label in (("boots", 9), ("trousers", 1)):
        page.text_input[0].set_value(name)
        page.button[0].click()
        run(page)
        uploader = next(box for box in page.file_uploader if f":{name}:" in box.key)
        files = [(f"{number}.png", image_file(number, kind="PNG"), "image/png") for number in of_class(label, 8)]
        uploader.set_value([*files, ("broken.png", b"no image", "image/png")])
        run(page)
        assert "broken.png" in errors(page)
    assert "8 images" in text(page)
    assert "16 images of 2 classes" in text(page)
    page.text_input(key="choice:name").set_value("Feet and legs")
    run(page)
    page.button(key="import").click()
    run(page)
    finish(page)
    assert versions.own_datasets()[0].name == "Feet and legs"


def test_images_of_two_ways_do_not_mix(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), write_zip(tmp_path / "clothes.zip", two_classes()))
    archive = query(page)["upload"]
    page = open_page("bring", upload=archive, **{"from": "by_hand"})
    assert query(page)["upload"] != archive
    page.text_input[0].set_value("hats")
    page.button[0].click()
    run(page)
    assert "images of 2 classes" not in text(page)
    by_hand = query(page)["upload"]
    back = open_page("bring", upload=archive)
    assert "24 images of 2 classes" in text(back)
    page = open_page("bring", upload=by_hand)
    assert page.segmented_control[0].value == "by_hand", "a link to an upload opens the way it was filled"


def choose_way(page: AppTest, way: str) -> AppTest:
    page.segmented_control[0].set_value(way)
    return run(page)


def test_each_way_finds_what_was_brought_by_it(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), write_zip(tmp_path / "clothes.zip", two_classes()))
    page = choose_way(page, "by_hand")
    page.text_input[0].set_value("hats")
    page.button[0].click()
    page = choose_way(run(page), "archive")
    assert "24 images of 2 classes" in text(page)
    page = choose_way(page, "folder")
    assert "classes" not in text(page).split("Your images")[0]
    assert "24 images of 2 classes" not in text(page)
    page = choose_way(page, "by_hand")
    assert "hats" in text(page)
    again = choose_way(open_page("bring", **query(page)), "archive")  # a reload
    assert "24 images of 2 classes" in text(again)
    again.button(key="import").click()
    finish(run(again))
    again.button(key="another-import").click()
    again = run(again)
    assert "24 images of 2 classes" not in text(again)
    assert "hats" in text(choose_way(again, "by_hand"))


def test_what_was_brought_is_there_after_another_page(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), write_zip(tmp_path / "clothes.zip", two_classes()))
    page.query_params.clear()  # as a link of the navigation does
    assert "24 images of 2 classes" in text(run(page))


def test_a_table_of_labels_stays_until_it_is_removed(open_page: Open, tmp_path: Path) -> None:
    files = {f"{number}.jpg": image_file(number) for number in range(12)}
    table = "\n".join(["id,kind", *(f"{number}.jpg,{'ab'[number % 2]}" for number in range(12))])
    page = upload(open_page("bring"), write_zip(tmp_path / "x.zip", files))
    page.file_uploader(key="labels").set_value(("labels.csv", table.encode(), "text/csv"))
    page = run(page)
    assert "12 images of 2 classes" in text(page)
    page = choose_way(choose_way(page, "by_hand"), "archive")
    assert "12 images of 2 classes" in text(page)
    page.button(key="remove-table").click()
    page = run(page)
    assert "12 images of 2 classes" not in text(page)


def test_a_folder_that_is_refused_leaves_the_one_before(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FOLDERS", f'["{tmp_path / "shared"}"]')
    for path, data in two_classes().items():
        (tmp_path / "shared" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / path).write_bytes(data)
    page = open_page("bring", **{"from": "server"})
    page.text_input(key="server-folder").set_value(str(tmp_path / "shared"))
    upload = query(run(page))["upload"]
    page.text_input(key="server-folder").set_value(str(tmp_path))
    assert query(run(page))["upload"] == upload


def test_an_upload_that_is_gone_is_a_sentence(open_page: Open) -> None:
    page = open_page("bring", upload="0" * 16)
    assert "no longer here" in errors(page)


def test_the_shelf_lists_renames_and_refuses_to_delete_what_a_run_uses(open_page: Open) -> None:
    known = versions.derive(open_dataset("digits"), "Mine", removed=[0], made_by="Ada")
    store().create(Recipe(data=DataSpec(dataset=known.id)), "My run", "worker")
    page = open_page("bring")
    table = page.dataframe[0].value
    assert list(table["Data set"]) == ["Mine"]
    assert list(table["Made by"]) == ["Ada"]
    assert list(table["Runs"]) == [1]
    assert list(table["Hash"]) == [known.content_hash[:12]]


def test_a_folder_of_the_server_only_where_that_is_allowed(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, data in two_classes().items():
        (tmp_path / "shared" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / path).write_bytes(data)
    assert "server" not in open_page("bring").segmented_control[0].options
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FOLDERS", f'["{tmp_path / "shared"}"]')
    page = open_page("bring", **{"from": "server"})
    page.text_input(key="server-folder").set_value(str(tmp_path))
    run(page)
    assert "not in a folder that may be imported" in errors(page)
    page.text_input(key="server-folder").set_value(str(tmp_path / "shared"))
    run(page)
    assert "24 images of 2 classes" in text(page)


def table_zip(path: Path, head: str, row: str, inside: str = "train/labels.csv") -> Path:
    files = {f"train/{number}.jpg": image_file(number) for number in range(12)}
    rows = [row.format(number, "ab"[number % 2]) for number in range(12)]
    return write_zip(path, files | {inside: "\n".join([head, *rows]).encode()})


def test_a_table_in_the_zip_and_its_columns_are_offered(open_page: Open, tmp_path: Path) -> None:
    page = upload(open_page("bring"), table_zip(tmp_path / "x.zip", "id,age,kind", "{0},7,{1}"))
    assert "may be in the table train/labels.csv" in errors(page)
    box = next(box for box in page.selectbox if box.label == "Classes come from")
    assert box.options == ["Folders", "train/labels.csv"]
    box.select("train/labels.csv")
    run(page)
    assert "Choose the column that is the label: age, kind" in errors(page)
    next(box for box in page.selectbox if box.label == "Column with the label").select("kind")
    run(page)
    assert "12 images of 2 classes" in text(page)
    page.button(key="import").click()
    run(page)
    finish(page)
    assert open_dataset(versions.own_datasets()[0].id).classes == ("a", "b")


def test_the_encoding_of_names_is_shown_as_a_guess_and_can_be_changed(open_page: Open, tmp_path: Path) -> None:
    names = ("合格", "不合格")  # that these are Chinese and not Korean cannot be told
    parts = [Part(f"{name}/{at}.jpg".encode("gbk"), image_file(at), flags=0) for name in names for at in range(6)]
    (tmp_path / "x.zip").write_bytes(zipped(parts))
    page = upload(open_page("bring"), tmp_path / "x.zip")
    box = next(box for box in page.selectbox if box.label == "Encoding of names")
    assert box.value == "euc_kr"
    assert "合格" not in text(page)
    box.select("gbk")
    run(page)
    assert "12 images of 2 classes" in text(page)
    assert "合格" in text(page)
    page.button(key="import").click()
    run(page)
    finish(page)
    assert open_dataset(versions.own_datasets()[0].id).classes == tuple(sorted(names))


def test_what_is_left_of_a_damaged_data_set_is_offered(open_page: Open, tmp_path: Path) -> None:
    known = versions.derive(open_dataset("digits"), "Mine", removed=[0])
    images = versions.folder_of(known) / "images.npy"
    images.write_bytes(images.read_bytes()[: 128 + 64 * 1000])
    page = open_page("data", dataset=known.id)
    assert "1,000 of its 1,796 images can be recovered" in errors(page)
    assert "elete" not in errors(page)
