"""`python -m cnn_core import` where the files leave a choice: it is named with the option that makes it."""

import io
import tarfile
from pathlib import Path

import pytest

from cnn_core.command_line.program import main
from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from tests.data.images import image_file, two_classes, write_zip
from tests.data.incoming.archives import Part, zipped

TABLE = "\n".join(["id,age,kind", *(f"{number},7,{'ab'[number % 2]}" for number in range(12))])


def imported(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> tuple[int, str]:
    """Exit code and what stands on standard error."""
    code = main(["import", str(path), "--name", "Mine", "--size", "28", *options])
    return code, capsys.readouterr().err


def classes() -> tuple[str, ...]:
    (known,) = versions.own_datasets()
    return open_dataset(known.id).classes


def test_a_table_inside_and_its_column(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = {f"train/{number}.jpg": image_file(number) for number in range(12)}
    path = write_zip(tmp_path / "x.zip", pictures | {"train/labels.csv": TABLE.encode()})
    code, told = imported(capsys, path)
    assert (code, told.count("\n")) == (2, 1)
    assert "Use it with --labels train/labels.csv." in told
    code, told = imported(capsys, path, "--labels", "train/labels.csv")
    assert (code, told.count("\n")) == (2, 1)
    assert "the label: age, kind. Name it with --label-column." in told
    assert imported(capsys, path, "--labels", "train/labels.csv", "--label-column", "kind") == (0, "")
    assert classes() == ("a", "b")


def test_the_encoding_is_told_and_chosen(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("合格", "不合格")
    parts = [Part(f"{name}/{at}.jpg".encode("gbk"), image_file(at), flags=0) for name in names for at in range(6)]
    (tmp_path / "x.zip").write_bytes(zipped(parts))
    code, told = imported(capsys, tmp_path / "x.zip", "--encoding", "utf-8")
    assert code == 2
    assert "Choose another encoding: euc_kr, gbk" in told
    code, told = imported(capsys, tmp_path / "x.zip", "--encoding", "gbk")
    assert code == 0
    assert told.startswith("Names are read as Chinese (GBK); others that fit: euc_kr")
    assert classes() == tuple(sorted(names))


def test_a_link_and_a_packed_note_are_left_out_and_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, data in (two_classes() | {"notes.txt.gz": b"\x1f\x8b"}).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("boots/link.jpg")
        link.type, link.linkname = tarfile.LNKTYPE, next(iter(two_classes()))
        archive.addfile(link)
    assert imported(capsys, tmp_path / "x.tar") == (0, "")
    (known,) = versions.own_datasets()
    report = versions.report(versions.folder_of(known))
    assert known.images == report["added"] == report["found"] == 24
    assert sorted(file for entry in report["skipped"].values() for file in entry["files"]) == [
        "boots/link.jpg",
        "notes.txt.gz",
    ]
