"""The encoding of names in a zip that does not state it: guessed from the names themselves, or chosen by a person."""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from zipfile import ZipInfo

from cnn_core.data.decode import shown_name
from cnn_core.errors import ArchiveError

ENCODINGS = {  # in this order where two fit equally; DOS is what a zip's names are in by its own rules
    "utf-8": "Unicode (UTF-8)",
    "cp932": "Japanese (Shift-JIS)",
    "gbk": "Chinese (GBK)",
    "euc_kr": "Korean (EUC-KR)",
    "cp437": "Western, DOS (cp437)",
    "cp1252": "Western, Windows (Latin-1)",
}
WEIGHED = 1000  # names that are enough for a guess
UTF8 = 1 << 11  # a zip's mark of names in UTF-8
UNICODE_PATH = 0x7075  # Info-ZIP's extra field: the name in UTF-8, after a version and the checksum of the other
COMMON_HANGUL = (  # syllables
    "가각간갈감갑강개객거건걸검것게겨격결경계고곡곤골곰공과관광교구국군굴권귀규그극근글금급기길김까깨꺼꼬꽃꽤꾸끄"
    "끼나낙난날남낮내냉너널네녀년노녹논높놀농누눈뉴느는늘능니님다단달닭담당대더덕던데도독돌동되된두둘뒤드들등디따"
    "때떡떤또뚜뜨띠라락란람랑래랜량러런럼레려력련령례로록론롱료루류르른를름리린림립마만많말망매맥맨머먹면명모목몰"
    "몸못무문물미민밀바박반발밤밥방배백뱀버번벌범법벽변별병보복본볼봄봉부북분불붕브비빈빙빛빨빵뿌사산살삼상새색생"
    "샤서석선설성세센셔소속손솔송쇠수숙순술숨숲스슬습승시식신실심싱싸쌀써쓰씨아악안알암압앙애액야약양어억언얼엄업"
    "없에엔여역연열염엽영예오옥온올옷와완왕외요용우운울원월위유육윤은을음응의이인일임입있잎자작잔잠장재저적전절점"
    "접정제조족존종좋좌주죽준줄중쥐즈증지직진질집짜쪽차착찬참창채책처천철청체초촌총최추축출춤충치친칠침카칸캐커컴"
    "컵코콩쿠크키타탁탄탈탕태터턱테텔토통투트특튤티파판팔패팬퍼페편평포폭표푸품풍프피필하학한할함합항해핵햄행향허"
    "험현형호혼홍화확환활황회효후훈휴흐흑흰히"
)


class Encoded:
    """The names of a zip as its writer meant them, and the encodings that they may be in.

    An encoding fits when it has a character for all bytes, and folders with different names keep different names. A
    backslash between slashes is then half of a character and no folder's end.
    """

    def __init__(self, infos: Sequence[ZipInfo], chosen: str = "auto") -> None:
        """Raises ArchiveError when a person has chosen an encoding that does not fit."""
        self._stated = {id(info): name for info in infos if (name := _stated(info)) is not None}
        raw = [_raw(info) for info in infos if id(info) not in self._stated]
        fitting = [] if all(name.isascii() for name in raw) else _ranked(raw)
        if fitting and chosen not in ("auto", *fitting):
            example = next(name for name in raw if not name.isascii()).decode(fitting[0])
            raise ArchiveError(
                f"The names of files, such as {shown_name(example)}, are not in {ENCODINGS[chosen]}, or different "
                f"folders would get the same name. Choose another encoding: {', '.join(fitting)}."
            )
        first = [chosen] if chosen in fitting else []
        self.encodings = tuple(dict.fromkeys([*first, *fitting]))  # the one in use first; none where all is stated

    def name(self, info: ZipInfo) -> str:
        stated = self._stated.get(id(info))
        if stated is not None:
            return stated
        name = _raw(info).decode((*self.encodings, "cp437")[0])
        return name if name.isascii() or "/" not in name else name.replace("\\", "＼")  # half of a character


def likeliest(texts: Sequence[bytes]) -> str:
    """The encoding, of those that computers with windows have, that suits texts that are no UTF-8."""
    return next((encoding for encoding in _ranked(texts) if encoding not in ("cp437", "utf-8")), "latin-1")


def _raw(info: ZipInfo) -> bytes:
    """The bytes of a name that zipfile has taken for DOS letters."""
    return info.orig_filename.encode("cp437")


def _stated(info: ZipInfo) -> str | None:
    """The name where the zip says how it is encoded."""
    if info.flag_bits & UTF8:
        return info.orig_filename
    extra, at = info.extra, 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == UNICODE_PATH and field[1:5] == struct.pack("<L", zlib.crc32(_raw(info))):
            try:
                return field[5:].decode("utf-8")
            except UnicodeError:
                return None
    return None


def _ranked(raw: Sequence[bytes]) -> list[str]:
    """The encodings that fit all names and keep all folders apart, the likeliest first; never none."""
    try:
        for name in raw:
            name.decode("utf-8")
        return ["utf-8", *sorted(_scores(raw), key=lambda encoding: encoding != "cp437")]  # hardly ever by chance
    except UnicodeError:
        scores = _scores(raw)
    return sorted(scores, key=lambda encoding: -scores[encoding]) or ["cp437"]


def _scores(raw: Sequence[bytes]) -> dict[str, float]:
    """How much the names look like words, 0 to 1, in each encoding that fits."""
    slashes = any(b"/" in name for name in raw)
    parts = list(dict.fromkeys(part for name in raw for part in name.split(b"/")))
    found = {}
    for encoding, weigh in WEIGHTS.items():
        try:
            decoded = [part.decode(encoding) for part in parts]
        except UnicodeError:
            continue
        foreign = [part for part in decoded if not part.isascii()]
        apart = len({unicodedata.normalize("NFC", part) for part in decoded}) == len(parts)
        if apart and not (slashes and any("\\" in part for part in foreign)):
            weights = [weight for part in sorted(foreign)[:WEIGHED] for weight in weigh(part)]
            found[encoding] = sum(weights) / len(weights)
    return found


def _eastern(weigh: Callable[[str], float], part: str) -> list[float]:
    """Characters of two bytes: one that stands alone beside a Latin letter is most likely wrong."""
    found = []
    for run in re.finditer(r"[^\x00-\x7f]+", part):
        beside = part[: run.start()][-1:] + part[run.end() :][:1]
        alone = len(run[0]) == 1 and any(letter.isalpha() for letter in beside)
        found += [weigh(letter) * (0.3 if alone else 1) for letter in run[0]]
    return found


def _western(part: str) -> list[float]:
    """Letters with accents: most stand between letters without, and capitals begin a word."""
    found, run, before = [], 0, " "
    for letter, after in zip(part, f"{part} "[1:], strict=True):
        run = 0 if letter.isascii() else run + 1
        if run:
            word = 1.0 if unicodedata.category(letter) in ("Ll", "Lu") and letter < "\u0180" else 0.05
            misplaced = before.isdigit() or (letter.islower() and after.isupper())
            misplaced = misplaced or (letter.isupper() and before.islower())
            found.append(word * (1, 0.6, 0.1)[min(run, 3) - 1] * (0.3 if misplaced else 1))
        before = letter
    return found


def _japanese(letter: str) -> float:
    lead = int.from_bytes(letter.encode("cp932"), "big")
    if "\u3041" <= letter <= "\u30ff" or 0x889F <= lead <= 0x9872:  # kana, and the more common kanji (JIS level 1)
        return 1.0
    return 0.4 if letter.isalpha() and not "\uff10" <= letter <= "\uff5a" else 0.1


def _chinese(letter: str) -> float:
    lead, trail = letter.encode("gbk").ljust(2, b"\0")
    if trail < 0xA1 or not 0xB0 <= lead <= 0xF7:  # outside of GB 2312
        return 0.1
    return 0.7 if lead <= 0xD7 else 0.35  # its first level holds the common ones


def _korean(letter: str) -> float:
    if not "\uac00" <= letter <= "\ud7a3":
        return 0.1
    return 1.0 if letter in COMMON_HANGUL else 0.3


WEIGHTS: dict[str, Callable[[str], list[float]]] = {
    "cp932": partial(_eastern, _japanese),
    "gbk": partial(_eastern, _chinese),
    "euc_kr": partial(_eastern, _korean),
    "cp437": _western,
    "cp1252": _western,
}
