"""Names in a zip that does not state their encoding: guessed, changeable, and never merged."""

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.data.incoming.archives.archive import Files, open_archive
from cnn_core.data.incoming.labels.layout import read_layout
from cnn_core.errors import ArchiveError
from tests.data.incoming.archives import Part, zipped

NAMES = {
    "cp932": [["ソ連", "ソバ", "予定"], ["猫", "犬"], ["画像/猫", "画像/犬"], ["1組", "2組"], ["りんご"], ["データ"]],
    "gbk": [["猫", "狗"], ["苹果", "香蕉"], ["正常", "异常"], ["训练集/猫", "测试集/猫"], ["汽车"], ["男", "女"]],
    "euc_kr": [["고양이", "개"], ["정상", "비정상"], ["장미", "해바라기"], ["자동차", "비행기"], ["새 폴더/강아지"]],
    "cp1252": [["Äpfel", "Löwe"], ["été", "hiver"], ["Größe"], ["niño", "niña"], ["Müller"], ["maçã", "pêra"], ["œuf"]],
    "cp437": [["Äpfel", "Löwe"], ["été", "hiver"], ["Größe"], ["niño", "niña"], ["Müller"], ["für"], ["Straße"]],
    "utf-8": [["猫", "犬"], ["Äpfel"], ["고양이", "개"], ["🐈"]],
}
EVERY = [(encoding, names) for encoding, sets in NAMES.items() for names in sets]


def opened(path: Path, names: list[bytes], encoding: str = "auto", extra: bytes = b"") -> Files:
    path.write_bytes(zipped(Part(name, b"x", flags=0, extra=extra) for name in names))
    return open_archive(path, encoding)


def folders(files: Files) -> list[str]:
    return [entry.path.rsplit("/", 1)[0] for entry in files.entries()]


@pytest.mark.parametrize(("encoding", "names"), EVERY)
def test_the_encoding_is_guessed_from_the_names(encoding: str, names: list[str], tmp_path: Path) -> None:
    raw = [f"{name}/{number}.png".encode(encoding) for name in names for number in range(2)]
    files = opened(tmp_path / "x.zip", raw)
    assert folders(files) == [name for name in names for _ in range(2)]
    assert [entry.path for entry, _ in files.read()] == [entry.path for entry in files.entries()]
    assert files.encodings()[0] == encoding or raw == [name.decode(encoding).encode("cp437") for name in raw]


def test_two_classes_whose_second_byte_is_a_backslash_stay_two(tmp_path: Path) -> None:
    names = ["ソ連", "ソバ", "予定"]
    files = opened(tmp_path / "x.zip", [f"{name}/{number}.png".encode("cp932") for name in names for number in (0, 1)])
    layout = read_layout([entry.path for entry in files.entries()])
    assert layout.classes == tuple(sorted(names))
    assert "cp437" not in files.encodings(), "there the backslash would be a folder that two of them share"


def test_a_person_may_choose_another_that_fits(tmp_path: Path) -> None:
    names = ["合格/1.png".encode("gbk"), "不合格/1.png".encode("gbk")]
    guessed = opened(tmp_path / "x.zip", names)
    assert guessed.encodings()[0] == "euc_kr", "two names do not tell: as Korean they are words too"
    chosen = opened(tmp_path / "x.zip", names, "gbk")
    assert folders(chosen) == ["合格", "不合格"]
    assert chosen.encodings()[0] == "gbk"
    assert [entry.path for entry, _ in chosen.read()] == ["合格/1.png", "不合格/1.png"]
    with pytest.raises(ArchiveError, match=r"are not in Unicode \(UTF-8\).* Choose another encoding: euc_kr, gbk"):
        opened(tmp_path / "x.zip", names, "utf-8")


def test_nothing_is_asked_where_the_encoding_is_stated_or_does_not_matter(tmp_path: Path) -> None:
    assert opened(tmp_path / "x.zip", [b"a/1.png", b"b/1.png"], "cp932").encodings() == ()
    (tmp_path / "x.zip").write_bytes(zipped([Part("猫/1.png".encode(), b"x")]))
    assert open_archive(tmp_path / "x.zip").encodings() == ()


@pytest.mark.parametrize("whole", [True, False])
def test_the_field_with_the_name_in_unicode_states_it(whole: bool, tmp_path: Path) -> None:
    raw, name = "ソ連/1.png".encode("cp932"), "ソ連/1.png".encode()
    field = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(raw if whole else b"renamed")) + name
    files = opened(tmp_path / "x.zip", [raw], extra=struct.pack("<HH", 1, 0) + field)
    assert folders(files) == ["ソ連"]
    assert bool(files.encodings()) is not whole, "a checksum of another name makes the field worthless"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoded") / "upload.zip"


BYTES = st.binary(min_size=1, max_size=6).filter(
    lambda name: not set(name) & set(b"/:") and name[:1] != b"\\" and max(name) > 127 and min(name) > 47
)


@given(st.lists(BYTES, min_size=2, max_size=6, unique=True))
@settings(max_examples=200, deadline=None)
def test_distinct_folders_stay_distinct_or_are_refused(place: Path, names: list[bytes]) -> None:
    try:
        files = opened(place, [name + b"/1.png" for name in names])
    except ArchiveError:
        return
    assert len({folder.split("/")[0] for folder in folders(files)}) == len(names)


def test_backslashes_part_folders_where_nothing_else_does(tmp_path: Path) -> None:
    raw = [f"{name}\\{number}.png".encode("cp932") for name in ("猫", "犬") for number in (0, 1)]
    assert folders(opened(tmp_path / "x.zip", raw)) == ["猫", "猫", "犬", "犬"]
