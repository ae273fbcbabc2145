"""Whatever bytes come, an archive is read as it was written or refused with a sentence."""

import os
import tarfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.data.incoming.archives.archive import open_archive, open_folder
from cnn_core.data.incoming.archives.rules import PACKED_STARTS
from cnn_core.errors import ArchiveError, ImageError
from tests.data.incoming.archives import Part, tarred, zipped

USUAL = ["a", "cat", "\xe9", "猫", "🐈\u200d⬛", "a b", "a.png", "b.JPG", ".", "", "x" * 200, "CON", "~", "%2e%2e", "1"]
UNUSUAL = [
    "A",
    "Cat",
    "e\u0301",
    "ß",
    "ss",
    " ",
    "..",
    "x" * 256,
    "C:",
    "a:b",
    "\\",
    "a\\b",
    "..\\a",
    "\x00",
    "\n",
    "\x85",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "ﬁ",
    "İ",
    "K",
    ".DS_Store",
    "c.zip",
]
FEW = st.lists(st.sampled_from(USUAL), min_size=1, max_size=5)
ANY = st.lists(st.sampled_from(USUAL + UNUSUAL) | st.text(max_size=6), min_size=1, max_size=5)
PATHS = (FEW | FEW | ANY).map("/".join)
TREES = st.lists(st.tuples(PATHS, st.binary(max_size=40)), min_size=1, max_size=6)
WHOLE = [("cat/1.png", b"1" * 300), ("dög/" + "2" * 120 + ".png", os.urandom(600)), ("x/y/3", b"")]
MAKERS: dict[str, Callable[[list[tuple[str, bytes]]], bytes]] = {
    "zip": lambda parts: zipped(Part(name.encode("utf-8", "surrogatepass"), data, 8) for name, data in parts),
    "tar": tarred,
    "gnu": lambda parts: tarred(parts, format=tarfile.GNU_FORMAT),
    "gz": lambda parts: tarred(parts, "gz"),
    "xz": lambda parts: tarred(parts, "xz"),
    "bz2": lambda parts: tarred(parts, "bz2"),
}
STARTS = [make(WHOLE) for make in MAKERS.values()] + [zipped([Part(name.encode(), data) for name, data in WHOLE])]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives") / "upload"


def normal(name: str) -> str:
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def assert_safe(paths: list[str]) -> None:
    folded = [unicodedata.normalize("NFC", path.casefold()) for path in paths]
    assert len(set(folded)) == len(paths) > 0
    inside = Path("/inside")
    for path in paths:
        assert path == unicodedata.normalize("NFC", path) == normal(path) != ""
        assert Path(os.path.normpath(inside / path)).is_relative_to(inside)
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert not any(letter < " " or "\ud800" <= letter <= "\udfff" or letter == "\\" for letter in path)
        assert len(path.encode()) <= 1000
        assert path.count("/") < 16


def assert_sentence(refused: ArchiveError) -> None:
    assert str(refused).endswith(".")
    assert str(refused).isprintable()


def read_or_refused(place: Path, data: bytes) -> list[tuple[str, bytes | ImageError]] | None:
    place.write_bytes(data)
    try:
        files = open_archive(place)
        assert_safe([entry.path for entry in files.entries()])
        read = list(files.read())
        assert [entry for entry, _ in read] == files.entries()
        return [(entry.path, content) for entry, content in read]
    except ArchiveError as refused:
        assert_sentence(refused)
        return None


@pytest.mark.parametrize("kind", MAKERS)
@given(tree=TREES)
@settings(max_examples=50, deadline=None)
def test_any_tree_is_read_as_written_or_refused(kind: str, tree: list[tuple[str, bytes]], place: Path) -> None:
    if kind != "zip":  # a tar ends its names at a zero, and its writer takes a last "/" away
        tree = [(name.replace("\0", "?").rstrip("/") or "x", data) for name, data in tree]
    try:
        data = MAKERS[kind](tree)
    except ValueError:  # names that tarfile itself cannot write
        return
    read = read_or_refused(place, data)
    if read is not None:
        files = [(normal(name), data) for name, data in tree if not name.endswith(("/", "\\")) or kind != "zip"]
        assert [path for path, _ in read] == [path for path, _ in files]
        for (_, got), (_, data) in zip(read, files, strict=True):
            assert isinstance(got, ImageError) if data.startswith(PACKED_STARTS) else got == data


@given(tree=TREES)
@settings(max_examples=50, deadline=None)
def test_any_folder_is_read_as_written_or_refused(
    tree: list[tuple[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("folder")
    for name, data in tree:
        parts = [part for part in name.split("/") if part not in ("", ".", "..") and "\0" not in part]
        try:
            path = root.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (OSError, UnicodeEncodeError):  # too long, a folder already, or surrogates
            continue
    try:
        files = open_folder(root, checked=False)
    except ArchiveError as refused:
        assert_sentence(refused)
        return
    assert_safe([entry.path for entry in files.entries()])
    on_disk = {
        normal(path.relative_to(root).as_posix()): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    assert {entry.path: data for entry, data in files.read()} == on_disk


@given(
    data=st.binary(max_size=2000), start=st.sampled_from([b"", *(whole[:n] for whole in STARTS for n in (6, 70, 512))])
)
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused_or_read(data: bytes, start: bytes, place: Path) -> None:
    read_or_refused(place, start + data)


@given(whole=st.sampled_from(STARTS), data=st.data())
@settings(max_examples=100, deadline=None)
def test_truncated_archives_are_refused(whole: bytes, data: st.DataObject, place: Path) -> None:
    read = read_or_refused(place, whole[: data.draw(st.integers(0, len(whole) - 1))])
    # The last block of zeros of a plain tar is only padding.
    assert read is None or [content for _, content in read] == [content for _, content in WHOLE]


@given(
    whole=st.sampled_from(STARTS),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8),
    ending=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_changed_archives_are_refused_or_read(
    whole: bytes, changes: list[tuple[int, int]], ending: bool, place: Path
) -> None:
    changed = bytearray(whole)
    for at, value in changes:  # half of them near the end, where a zip says what it holds
        changed[-1 - at % min(300, len(changed)) if ending else at % len(changed)] = value
    read_or_refused(place, bytes(changed))


@given(
    changes=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=4),
    block=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_tar_headers_with_changed_fields_and_right_checksums(
    changes: list[tuple[int, int]], block: int, place: Path
) -> None:
    changed = bytearray(tarred(WHOLE))
    header = bytearray(changed[block * 512 : block * 512 + 512])
    for at, value in changes:
        header[at] = value
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    changed[block * 512 : block * 512 + 512] = header
    read_or_refused(place, bytes(changed))
