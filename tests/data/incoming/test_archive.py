import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import sys
import tarfile
import tempfile
import time
import tracemalloc
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from cnn_core.data.decode import decode
from cnn_core.data.incoming.archives import tar
from cnn_core.data.incoming.archives.archive import Entry, open_archive, open_folder
from cnn_core.errors import ArchiveError, ImageError
from tests.data.incoming.archives import Part, tar_header, tar_of, tarred, zipped

PNG = bytes.fromhex(  # one grey pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c63f80f0001010100a3d8a54c0000000049454e44ae426082"
)
NAMES = ["Hunde/Dackel – süß.png", "Katzen/Über.png", "猫/三毛.png", "🐈\u200d⬛/schwarz.png", "a b/c.d.PNG", "x"]


def opened(tmp_path: Path, data: bytes, name: str = "upload"):
    path = tmp_path / name
    path.write_bytes(data)
    return open_archive(path)


def ordinary_zip(parts: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return file.getvalue()


MAKERS: dict[str, Callable[[list[tuple[str, bytes]]], bytes]] = {
    "zip": ordinary_zip,
    "stored zip": lambda parts: zipped(Part(name.encode(), data) for name, data in parts),
    "zip without the UTF-8 mark": lambda parts: zipped(Part(name.encode(), data, flags=0) for name, data in parts),
    "zip with a comment": lambda parts: zipped((Part(name.encode(), data) for name, data in parts), comment=b"hello"),
    "tar": tarred,
    "GNU tar": lambda parts: tarred(parts, format=tarfile.GNU_FORMAT),
    "gz": lambda parts: tarred(parts, "gz"),
    "bz2": lambda parts: tarred(parts, "bz2"),
    "xz": lambda parts: tarred(parts, "xz"),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_what_was_packed_is_read(tmp_path: Path, kind: str, form: str) -> None:
    parts = [(unicodedata.normalize(form, name), os.urandom(number * 700)) for number, name in enumerate(NAMES)]
    files = opened(tmp_path, MAKERS[kind](parts), "picture.jpg")
    assert files.entries() == [Entry(name, len(data)) for name, (_, data) in zip(NAMES, parts, strict=True)]
    assert list(files.read()) == [(entry, data) for entry, (_, data) in zip(files.entries(), parts, strict=True)]
    assert [entry.path for entry, _ in files.read({NAMES[2], NAMES[4]})] == [NAMES[2], NAMES[4]]


def test_names_that_are_no_utf8_are_read_as_dos_letters(tmp_path: Path) -> None:
    files = opened(tmp_path, zipped([Part("für.png".encode("cp437"), b"x", flags=0)]))
    assert [entry.path for entry in files.entries()] == ["für.png"]


@pytest.mark.parametrize("kind", ["zip", "tar", "xz"])
def test_folders_dots_and_backslashes(tmp_path: Path, kind: str) -> None:
    parts = [("./a/./1.png", b"1"), ("a//2.png", b"2"), ("b\\3.png", b"3")]
    files = opened(tmp_path, MAKERS[kind](parts))
    assert [entry.path for entry in files.entries()] == ["a/1.png", "a/2.png", "b/3.png"]


def test_folders_of_archives_are_no_files(tmp_path: Path) -> None:
    data = zipped([Part(b"./"), Part(b"a/", mode=0o40755), Part(b"b", mode=0o40755), Part(b"a/1.png", b"1")])
    assert opened(tmp_path, data).entries() == [Entry("a/1.png", 1)]
    data = tar_of("a", tarfile.DIRTYPE)
    assert opened(tmp_path, data).entries() == [Entry("first.png", 0)]


def test_long_names_of_tars_survive(tmp_path: Path) -> None:
    name = "/".join(["ö" * 100] * 4) + ".png"
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert opened(tmp_path, tarred([(name, b"x")], format=format)).entries() == [Entry(name, 1)]


PACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("packing", PACK)
def test_packed_streams_may_follow_one_another(packing: str, tmp_path: Path) -> None:
    parts = [("a.png", os.urandom(500) * 300), ("b.png", bytes(900_000)), ("c.png", os.urandom(70_000))]
    whole, pack = tarred(parts), PACK[packing]
    pieces = [pack(whole[at : at + 100_001]) for at in range(0, len(whole), 100_001)]
    files = opened(tmp_path, b"".join(piece + bytes(8) for piece in [*pieces, pack(b"")]))
    assert [(entry.path, data) for entry, data in files.read()] == parts


def mode(kind: int) -> int:
    return kind | 0o644


def xz_of_much_memory() -> bytes:
    """An xz whose header asks for 4 GiB: https://tukaani.org/xz/xz-file-format.txt, 3.1 and 5.3.1."""
    data = bytearray(tarred([("a.png", b"x")], "xz"))
    length = (data[12] + 1) * 4
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 40
    data[12 + length - 4 : 12 + length] = struct.pack("<L", zlib.crc32(data[12 : 12 + length - 4]))
    return bytes(data)


def overlapping() -> bytes:
    """Two names for the same bytes, as in zips that hold one large file thousands of times."""
    return zipped([Part(b"a.png", PNG), Part(b"b.png", b"", offset=0)])


def quoted() -> bytes:
    """A first file whose bytes are the second with its header: https://www.bamsoftware.com/hacks/zipbomb/."""
    inner = zipped([Part(b"b.png", PNG)])[: 30 + 5 + len(PNG)]
    return zipped([Part(b"a.png", inner), Part(b"b.png", PNG, offset=35)])


def only_link(name: str, kind: bytes) -> bytes:
    """A tar without the plain file in front of it."""
    return tar_of(name, kind, linkname="/etc/passwd")[512:]


def sparse(**told: str) -> bytes:
    return tar_of("a.png", tarfile.REGTYPE, pax_headers=told)


def extended(size: int) -> bytes:
    return tar_header("x", tarfile.XHDTYPE, size) + bytes(512) * 4


BOMB = bytes(10_000_000)
PACKED_INSIDE = {
    "zip": ordinary_zip([("a", b"x")]),
    "empty zip": ordinary_zip([]),
    "tar": tarred([("a", b"x")]),
    "gz": tarred([("a", b"x")], "gz"),
    "bz2": tarred([("a", b"x")], "bz2"),
    "xz": tarred([("a", b"x")], "xz"),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
    "rar": b"Rar!\x1a\7\1\0" + bytes(40),
}
BAD_NAMES = {
    "../evil.png": "evil.png climbs",
    "a/../../evil.png": "evil.png climbs",
    "a\\..\\evil.png": "evil.png climbs",
    "..": "climbs",
    "/etc/evil.png": "evil.png is absolute",
    "C:\\evil.png": "evil.png is absolute",
    "c:evil.png": "is absolute",
    "\\\\server\\evil.png": "evil.png is absolute",
    "//server/evil.png": "is absolute",
    "a\nb.png": "a?b.png holds letters",
    "a\x7f.png": "holds letters",
    "a\x1b[31m.png": "holds letters",
    "gnp.\u202ephoto.exe": "holds letters",
    "a\u2028b.png": "holds letters",
    "\x85.png": "holds letters",
    "x" * 256: "part longer than 255 bytes",
    "ü" * 128: "part longer than 255 bytes",
    "/".join(["x" * 200] * 6)[0:]: "longer than 1000 bytes",
    "x" * 9000: "longer than 1000 bytes",
    "/".join("abcdefghijklmnopq"): "more than 16 folders deep",
    "inside.ZIP": "is an archive inside",
    "a/inside.tar.gz": "is an archive inside",
    "b.7z": "is an archive inside",
}
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty file": (lambda: b"", "neither a zip nor a tar"),
    "an image": (lambda: PNG, "neither a zip nor a tar"),
    "7z": (lambda: PACKED_INSIDE["7z"], "neither a zip nor a tar"),
    "text": (lambda: b"hello " * 200, "neither a zip nor a tar"),
    "empty zip": (lambda: ordinary_zip([]), "is empty"),
    "zip of folders": (lambda: zipped([Part(b"a/"), Part(b"b/")]), "is empty"),
    "empty tar": (lambda: tarred([]), "is empty"),
    "empty tar.gz": (lambda: tarred([], "gz"), "is empty"),
    "gz of no tar": (lambda: PACKED_INSIDE["gz"][:10] + zlib.compress(b"x" * 600)[2:-4] + bytes(8), "is damaged"),
    "half a zip": (lambda: ordinary_zip([("a.png", os.urandom(999))])[:500], "is damaged or cut short"),
    "zip without its beginning": (lambda: b"PK\3\4" + ordinary_zip([("a.png", b"x")])[60:], "is damaged"),
    "half a tar": (lambda: tarred([("a.png", os.urandom(999))])[:1200], "is damaged or cut short"),
    "tar without its end": (lambda: tarred([("a.png", b"x")])[:1024], "is damaged or cut short"),
    "half a gz": (lambda: tarred([("a.png", os.urandom(9999))], "gz")[:-2000], "is damaged or cut short"),
    "gz without its checksum": (lambda: tarred([("a.png", b"x")], "gz")[:-4], "is damaged or cut short"),
    "half a bz2": (lambda: tarred([("a.png", os.urandom(9999))], "bz2")[:-20], "is damaged or cut short"),
    "half an xz": (lambda: tarred([("a.png", os.urandom(9999))], "xz")[:-20], "is damaged or cut short"),
    "bytes after an xz": (lambda: tarred([("a.png", b"x")], "xz") + b"hello", "is damaged or cut short"),
    **{
        f"many {packing} streams": (lambda pack=pack: pack(b"x") + pack(b"") * 2000, "is damaged or cut short")
        for packing, pack in PACK.items()
    },
    "xz of much memory": (xz_of_much_memory, "is damaged or cut short"),
    "locked zip": (lambda: zipped([Part(b"a.png", PNG, flags=1)]), "a.png is locked by a password"),
    "strongly locked zip": (lambda: zipped([Part(b"a.png", PNG, flags=1 << 6)]), "locked by a password"),
    "zip packed with LZMA": (lambda: zipped([Part(b"a.png", PNG, method=14)]), "packed in an unusual way"),
    "zip packed with bzip2": (lambda: zipped([Part(b"a.png", PNG, method=12)]), "packed in an unusual way"),
    "zip of a later version": (lambda: zipped([Part(b"a.png", PNG)]).replace(b"\x14\0\0\x08", b"\xff\0\0\x08"), ""),
    "link in a zip": (lambda: zipped([Part(b"a.png", b"/etc/passwd", mode=mode(stat.S_IFLNK))]), "a.png is a link"),
    "link to a folder": (lambda: zipped([Part(b"a/", b"/etc", mode=mode(stat.S_IFLNK))]), "is a link"),
    "Windows link": (lambda: zipped([Part(b"a.png", b"x", attributes=0x400)]), "is a link"),
    "pipe in a zip": (lambda: zipped([Part(b"a.png", mode=mode(stat.S_IFIFO))]), "is a device or pipe"),
    "device in a zip": (lambda: zipped([Part(b"a.png", mode=mode(stat.S_IFCHR))]), "is a device or pipe"),
    "nothing hidden by a zero": (lambda: zipped([Part(b"a.png\0.exe", PNG)]), "a.png?.exe holds letters"),
    "surrogates": (lambda: zipped([Part(b"\xed\xa0\x80.png", PNG)]), "is damaged"),
    "no name": (lambda: zipped([Part(b"", PNG)]), "has no name"),
    "the folder itself as a file": (lambda: zipped([Part(b".", PNG)]), "has no name"),
    "the same bytes twice": (overlapping, "shares bytes"),
    "a file within a file": (quoted, "shares bytes"),
    "bytes of the list": (lambda: zipped([Part(b"a.png", PNG, offset=30)]), "is damaged"),
    "a name twice": (lambda: zipped([Part(b"a.png", b"1"), Part(b"a.png", b"2")]), "a.png occurs twice"),
    "a short name twice": (lambda: zipped([Part(b"a", b"1"), Part(b"a", b"2")]), "a occurs twice"),
    "a name twice in a tar": (lambda: tarred([("a", b"1"), ("./a", b"2")]), "a occurs twice"),
    "capitals": (lambda: zipped([Part(b"a.png"), Part(b"A.png")]), "a.png and A.png differ only in capitals"),
    "capitals of folders": (lambda: tarred([("cat/1", b""), ("Cat/2", b"")]), "cat and Cat differ only"),
    "one name composed and not": (lambda: tarred([("\xe9.png", b""), ("e\u0301.png", b"")]), "occurs twice"),
    "sharp s": (lambda: tarred([("Maße", b""), ("MASSE", b"")]), "differ only in capitals"),
    "file and folder": (lambda: tarred([("a", b""), ("a/b", b"")]), "a occurs twice"),
    "folder and file": (lambda: tarred([("a/b", b""), ("a", b"")]), "a occurs twice"),
    "tar of a link": (lambda: only_link("a.png", tarfile.SYMTYPE), "a.png is a link"),
    "climbing link": (lambda: tar_of("../a.png", tarfile.SYMTYPE, linkname="x"), "a.png climbs"),
    "a link and a file below it": (
        lambda: zipped([Part(b"a", b"/etc", mode=mode(stat.S_IFLNK)), Part(b"a/b.png", PNG)]),
        "a occurs twice",
    ),
    "pipe": (lambda: tar_of("a.png", tarfile.FIFOTYPE), "is a device or pipe"),
    "device": (lambda: tar_of("a.png", tarfile.CHRTYPE), "is a device or pipe"),
    "disk": (lambda: tar_of("a.png", tarfile.BLKTYPE), "is a device or pipe"),
    "old sparse": (lambda: tar_of("a.png", tarfile.GNUTYPE_SPARSE), "with holes"),
    "sparse 0.1": (lambda: sparse(**{"GNU.sparse.map": "0,1"}), "with holes"),
    "sparse 1.0": (lambda: sparse(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}), "with holes"),
    "an unknown kind": (lambda: tar_of("a.png", b"V"), "neither a file nor a folder"),
    "undecodable name in a tar": (lambda: tarred([("a\udcff.png", b"x")], format=tarfile.GNU_FORMAT), "holds letters"),
    "negative size": (lambda: tar_header("a.png", tarfile.REGTYPE, -512) + bytes(1024), "is damaged"),
    "negative size in a pax header": (lambda: sparse(size="-512"), "neither a file nor a folder"),
    "size that is no number": (lambda: sparse(size="many"), "is damaged"),
    "climbing by a pax header": (lambda: sparse(path="../evil.png"), "evil.png climbs"),
    "long pax header": (lambda: tar_of("a.png", tarfile.REGTYPE, pax_headers={"x": "y" * 2**20}), "extended header"),
    "pax header of a gigabyte": (lambda: extended(2**30), "extended header"),
    "pax header that is cut": (lambda: extended(2**19), "is damaged"),
    "pax header of nonsense": (lambda: extended(20), "is damaged"),
    "pax header of many lines": (
        lambda: tar_of("a.png", tarfile.REGTYPE, pax_headers={f"x{line}": "y" for line in range(101)}),
        "100 lines",
    ),
    "long extra field": (lambda: zipped([Part(b"a.png", PNG, extra=bytes(5000))]), "list of files is damaged"),
    "many pax headers": (lambda: extended(0)[:512] * 1000 + bytes(1024), "too many extended headers"),
    "one name for all": (
        lambda: tar_header("g", tarfile.XGLTYPE, 10) + b"10 path=a\n" + bytes(502 + 1024),
        "one name or size to all",
    ),
    "zip bomb": (lambda: zipped([Part(b"a.png", BOMB, method=8)]), "a.png unpacks to more than 200 times"),
    "zip bomb of many": (
        lambda: zipped(Part(b"%d.png" % number, bytes(900_000), method=8) for number in range(9)),
        "The archive unpacks",
    ),
    "gz bomb": (lambda: tarred([("a.png", BOMB)], "gz"), "The archive unpacks to more than 200 times"),
    "bz2 bomb": (lambda: tarred([("a.png", BOMB)], "bz2"), "The archive unpacks to more than 200 times"),
    "xz bomb": (lambda: tarred([("a.png", BOMB)], "xz"), "The archive unpacks to more than 200 times"),
    "tar of 8 GB, cut": (lambda: tar_header("a.png", tarfile.REGTYPE, 2**33) + PNG, "is damaged"),
    "zip that says 4 GB": (lambda: zipped([Part(b"a.png", PNG, size=2**32 - 2)]), "a.png unpacks to more than 200"),
    **{
        f"{kind} named {name[:20]!r}": (lambda make=make, name=name: make([(name, b"x")]), cause)
        for name, cause in BAD_NAMES.items()
        for kind, make in {"zip": MAKERS["stored zip"], "tar": tarred}.items()
    },
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_with_a_sentence(kind: str, tmp_path: Path) -> None:
    make, cause = HOSTILE[kind]
    with pytest.raises(ArchiveError) as raised:
        opened(tmp_path, make())
    sentence = str(raised.value)
    assert cause in sentence
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) < 300
    assert "/" not in sentence


@pytest.mark.parametrize("kind", PACKED_INSIDE)
@pytest.mark.parametrize("make", [ordinary_zip, tarred])
def test_an_archive_inside_is_told_by_its_content(kind: str, make: Callable[..., bytes], tmp_path: Path) -> None:
    files = opened(tmp_path, make([("a.png", PNG), ("b.png", PACKED_INSIDE[kind])]))
    (_, first), (_, second) = files.read()
    assert first == PNG
    assert isinstance(second, ImageError)
    assert str(second) == "b.png is an archive inside."
    assert list(files.read({"a.png"})) == [(Entry("a.png", len(PNG)), PNG)]


LINKED: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zipped([Part(b"first.png"), Part(b"a.png", b"/etc/passwd", mode=mode(stat.S_IFLNK))]),
    "zip with a link to a folder": lambda: zipped([Part(b"first.png"), Part(b"a.png/", mode=mode(stat.S_IFLNK))]),
    "Windows": lambda: zipped([Part(b"first.png"), Part(b"a.png", b"x", attributes=0x400)]),
    "tar": lambda: tar_of("a.png", tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": lambda: tar_of("a.png", tarfile.LNKTYPE, linkname="first.png"),
}


@pytest.mark.parametrize("kind", LINKED)
def test_a_link_is_named_and_never_followed(kind: str, tmp_path: Path) -> None:
    files = opened(tmp_path, LINKED[kind]())
    assert [entry.path for entry in files.entries()] == ["first.png"]
    assert files.skipped() == {"a.png": "It is a link, and links are not followed."}
    assert list(files.read()) == [(Entry("first.png", 0), b"")]


@pytest.mark.parametrize("make", [ordinary_zip, tarred])
def test_one_packed_file_beside_images_refuses_nothing(make: Callable[..., bytes], tmp_path: Path) -> None:
    parts = [("a.png", PNG), ("notes.txt.gz", PACKED_INSIDE["gz"])]
    files = opened(tmp_path, make(parts))
    assert [entry.path for entry in files.entries()] == ["a.png", "notes.txt.gz"]


@pytest.mark.parametrize("front", [b"MZ" + bytes(600), b"#!/bin/sh\n" + b"unzip $0\n" * 90, b"\xff"])
@pytest.mark.parametrize("counted", [True, False])
def test_a_program_in_front_of_a_zip_is_passed_over(tmp_path: Path, front: bytes, counted: bool) -> None:
    path = tmp_path / "sfx.exe"
    path.write_bytes(front if counted else front + ordinary_zip([("a.png", PNG)]))
    if counted:  # the offsets in the zip start at the program
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("a.png", PNG)
    assert list(open_archive(path).read()) == [(Entry("a.png", len(PNG)), PNG)]


def test_a_program_in_front_changes_no_rule(tmp_path: Path) -> None:
    for kind in ("zip bomb", "locked zip", "the same bytes twice", "a name twice", "bytes of the list"):
        make, cause = HOSTILE[kind]
        with pytest.raises(ArchiveError, match=cause):
            opened(tmp_path, b"MZ" + bytes(600) + make())


@pytest.mark.parametrize("make", [ordinary_zip, tarred])
def test_one_large_file_is_skipped(make: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_MEGABYTES", "1")
    files = opened(tmp_path, make([("a.png", PNG), ("b.png", os.urandom(1_000_001)), ("c.png", PNG)]))
    (_, first), (_, second), (_, third) = files.read()
    assert first == third == PNG
    assert isinstance(second, ImageError)
    assert str(second) == "b.png has 1.0 MB; at most 1 MB are accepted. Save it smaller."


LIES = {
    "more bytes than stated": Part(b"b.png", bytes(100_000), size=100, method=8),
    "fewer bytes than stated": Part(b"b.png", b"x" * 100, size=200, method=8),
    "another checksum": Part(b"b.png", b"x" * 100, crc=1),
    "another name at the file": Part(b"b.png", b"x", local_name=b"c.png"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_skipped(lie: str, tmp_path: Path) -> None:
    files = opened(tmp_path, zipped([Part(b"a.png", PNG), LIES[lie], Part(b"d.png", PNG)]))
    (_, first), (_, second), (_, third) = files.read()
    assert first == third == PNG
    assert str(second) == "b.png is damaged in the archive. Pack it again."


def test_a_size_lie_never_gives_more_than_was_stated(tmp_path: Path) -> None:
    crc = zlib.crc32(bytes(100))
    files = opened(tmp_path, zipped([Part(b"b.png", bytes(9_000_000), size=100, crc=crc, method=8)]))
    assert [len(data) for _, data in files.read()] == [100]


@pytest.mark.parametrize("make", [ordinary_zip, tarred, MAKERS["xz"]])
def test_the_operator_s_limits_hold(
    make: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [(f"{number}.png", os.urandom(400_000)) for number in range(5)]
    data = make(parts)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FILES", "4")
    with pytest.raises(ArchiveError, match="more than 4 files"):
        opened(tmp_path, data)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FILES", "5")
    assert len(opened(tmp_path, data).entries()) == 5
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_MEGABYTES", "1")
    with pytest.raises(ArchiveError, match="more than 1 MB"):
        opened(tmp_path, data)
    zeros = make([("a.png", bytes(2_000_000))])
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_MEGABYTES", "4")
    if make is not tarred:
        with pytest.raises(ArchiveError, match="200 times"):
            opened(tmp_path, zeros)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_RATIO", "100000")
    assert len(opened(tmp_path, zeros).entries()) == 1


@pytest.mark.parametrize("told", [None, 3])
def test_a_hundred_thousand_files_are_refused_at_once(tmp_path: Path, told: int | None) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(zipped((Part(b"%06d.png" % number) for number in range(100_000)), count=told))
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(ArchiveError, match="more than 50,000 files"):
        open_archive(path)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"refused after {seconds:.3f} s with {peak:.1f} MB")
    assert peak < 20


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for kind, make in MAKERS.items():
        (tmp_path / kind).write_bytes(make([(name, PNG) for name in NAMES]))
    before = sorted(tmp_path.rglob("*"))
    for kind in MAKERS:
        assert len(list(open_archive(tmp_path / kind).read())) == len(NAMES)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"gone.zip cannot be opened\. "):
        open_archive(tmp_path / "gone.zip")
    with pytest.raises(ArchiveError, match="cannot be opened"):
        open_archive(tmp_path)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf" / "pets"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    return folder


def test_a_folder_is_read_in_order_of_names_without_its_links(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (shelf / "link.png").symlink_to(tmp_path / "secret.png")
    (shelf / "all").symlink_to("/", target_is_directory=True)
    os.mkfifo(shelf / "pipe.png")
    files = open_folder(shelf, checked=False)
    assert [entry.path for entry in files.entries()] == sorted(NAMES)
    assert set(files.skipped()) == {"link.png", "all", "pipe.png"}
    assert all(data == PNG for _, data in files.read())
    assert [entry.path for entry, _ in files.read({NAMES[1]})] == [NAMES[1]]
    image = next(data for _, data in files.read())
    assert decode(image, "x").size == (1, 1)


def test_what_takes_a_file_s_place_is_not_followed(shelf: Path, tmp_path: Path) -> None:
    files = open_folder(shelf, checked=False)
    (tmp_path / "secret.png").write_bytes(b"secret")
    for name, replace in {NAMES[0]: os.symlink, NAMES[1]: None, NAMES[2]: os.mkfifo}.items():
        (shelf / name).unlink()
        if replace is os.symlink:
            (shelf / name).symlink_to(tmp_path / "secret.png")
        elif replace:
            os.mkfifo(shelf / name)
    skipped = {entry.path: str(data) for entry, data in files.read() if isinstance(data, ImageError)}
    assert set(skipped) == set(NAMES[:3])
    assert skipped[NAMES[1]] == "Über.png cannot be read. Check whether it is still there."


def test_pages_open_only_the_folders_that_the_operator_named(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = "pets is not in a folder that may be imported"
    with pytest.raises(ArchiveError, match=refused):
        open_folder(shelf)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FOLDERS", f'["{shelf.parent}"]')
    assert len(open_folder(shelf).entries()) == len(NAMES)
    assert len(open_folder(shelf / ".." / "pets").entries()) == len(NAMES)
    (shelf / "out").symlink_to(tmp_path, target_is_directory=True)
    for outside in (tmp_path, shelf / ".." / "..", shelf / "out", Path("/"), Path("shelf/pets"), Path("a\0b")):
        with pytest.raises(ArchiveError, match="is not in a folder that may be imported"):
            open_folder(outside)
    with pytest.raises(ArchiveError, match=r"gone is not a folder\."):
        open_folder(shelf / "gone")
    near = tmp_path / "shelf-of-others"
    near.mkdir()
    with pytest.raises(ArchiveError, match="may be imported"):
        open_folder(near)
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FOLDERS", f'["{tmp_path / "way"}"]')
    (tmp_path / "way").symlink_to(shelf.parent, target_is_directory=True)
    assert len(open_folder(tmp_path / "way" / "pets").entries()) == len(NAMES)


def test_a_folder_keeps_the_rules_of_archives(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match=r"The folder empty is empty\."):
        open_folder(tmp_path / "empty", checked=False)
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_MEGABYTES", "1")
    (shelf / "large.png").write_bytes(bytes(1_000_001))
    skipped = [data for _, data in open_folder(shelf, checked=False).read() if isinstance(data, ImageError)]
    assert [str(reason) for reason in skipped] == ["large.png has 1.0 MB; at most 1 MB are accepted. Save it smaller."]
    monkeypatch.setenv("CNN_PLAYGROUND_IMPORT_FILES", "3")
    with pytest.raises(ArchiveError, match="more than 3 files"):
        open_folder(shelf, checked=False)
    monkeypatch.delenv("CNN_PLAYGROUND_IMPORT_FILES")
    if sys.platform == "linux":
        (shelf / os.fsdecode(b"\xff.png")).write_bytes(PNG)
        with pytest.raises(ArchiveError, match="holds letters that cannot be shown or decoded"):
            open_folder(shelf, checked=False)


def test_a_tar_is_unpacked_once_to_list_it_and_once_to_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[Path] = []
    unpack = tar._opened
    monkeypatch.setattr(tar, "_opened", lambda path: passes.append(path) or unpack(path))
    path = tmp_path / "images.tar.gz"
    for content in (b"one", b"other"):
        with tarfile.open(path, "w:gz") as archive:
            for name in ("a/1.jpg", "b/2.jpg"):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        passes.clear()
        for _ in range(3):  # as a page does at every click
            files = open_archive(path)
            assert [entry.path for entry in files.entries()] == ["a/1.jpg", "b/2.jpg"]
        assert len(passes) == 1
        assert [data for _, data in files.read()] == [content, content]
        assert len(passes) == 2
