"""Where images wait between arriving in the page and being imported: a folder with names of our own making."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.archive import Entry, Files, open_archive, open_folder
from cnn_core.data.incoming.contents import label_table, layout_of
from cnn_core.data.incoming.import_spec import READING, ImportSpec
from cnn_core.data.incoming.labels.labelled import Labelled, Layout
from cnn_core.data.incoming.labels.table import LabelTable
from cnn_core.errors import ImageError, PlaygroundError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

STALE = 24 * 3600.0  # seconds after which an upload nobody came back to is cleared away
LIST = "upload.json"


@dataclass(frozen=True)
class ReceivedFile:
    """One file of an upload: what it was called, and the file that holds its bytes."""

    path: str
    kept: str
    size: int


class Upload:
    """An archive, a list of labels, loose files (their paths name their classes), or a folder of the server."""

    def __init__(self, token: str):
        if not re.fullmatch(r"[0-9a-f]{16}", token) or not (self._folder(token) / LIST).is_file():
            raise PlaygroundError("These images are no longer here. Choose them again.")
        self.token, self.folder = token, self._folder(token)
        self._list: dict[str, Any] = json.loads((self.folder / LIST).read_text("utf-8"))

    @classmethod
    def new(cls, way: str = "", visitor: str = "") -> Upload:
        """An empty upload for what arrives in one way; those that nobody came back to are cleared away.

        `visitor` is whose upload it is: all uploads of one together hold at most `visitor_megabytes`, "" has no limit.
        """
        token = secrets.token_hex(8)
        everything = cls._folder(token).parent
        everything.mkdir(parents=True, exist_ok=True)
        for folder in everything.iterdir():
            if (folder / LIST).is_file() and time.time() - (folder / LIST).stat().st_mtime > STALE:
                shutil.rmtree(folder, ignore_errors=True)
        cls._folder(token).mkdir()
        (cls._folder(token) / LIST).write_text(json.dumps({"way": way, "visitor": visitor, "files": [], "classes": []}))
        return cls(token)

    @classmethod
    def waiting(cls, visitor: str) -> list[Upload]:
        """The uploads of a visitor."""
        folders = [path.parent for path in cls._folder("").glob(f"*/{LIST}")] if visitor else []
        uploads = []
        for folder in folders:
            with contextlib.suppress(PlaygroundError, OSError, ValueError):  # cleared away meanwhile
                uploads.append(cls(folder.name))
        return [upload for upload in uploads if upload._list.get("visitor") == visitor]

    @staticmethod
    def _folder(token: str) -> Path:
        return settings().home / "uploads" / token

    # What it holds

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(entry.stat().st_size for entry in os.scandir(self.folder) if entry.is_file())

    def _room(self) -> int:
        """Bytes that its visitor may still upload."""
        visitor = str(self._list.get("visitor", ""))
        return settings().visitor_megabytes * 1_000_000 - sum(upload.size for upload in Upload.waiting(visitor))

    @property
    def way(self) -> str:
        """How its images arrive: an upload holds one kind."""
        return str(self._list["way"])

    @property
    def classes(self) -> list[str]:
        """Classes that were made by hand, in the order they were made; they may still be empty."""
        return list(self._list["classes"])

    @property
    def received(self) -> list[ReceivedFile]:
        return [ReceivedFile(**item) for item in self._list["files"]]

    @property
    def title(self) -> str:
        """A name that suits it, "" where there is none."""
        tops = {item.path.split("/")[0] for item in self.received}
        wrapping = tops.pop() if len(tops) == 1 and not self.classes else ""
        return str(self._list.get("title", wrapping))

    @property
    def choices(self) -> dict[str, Any]:
        """What was chosen for the import so far, by field."""
        return dict(self._list.get("choices", {}))

    def choose(self, **values: Any) -> None:
        """Keep choices with the images, so that a reload brings them back."""
        if self.choices | values != self.choices:
            self._list["choices"] = self.choices | values
            self._write()

    @property
    def stamp(self) -> str:
        """Changes whenever its files or how they are read change."""
        parts = [
            *(item.kept for item in self.received[-1:]),
            len(self.received),
            self._list.get("folder", ""),
            *self.classes,
        ]
        files = [self.folder / name for name in ("archive", "labels")]
        parts += [self.choices.get(name, "") for name in READING]
        return json.dumps([*parts, *(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)])

    def add(self, files: Iterable[tuple[str, bytes]]) -> list[str]:
        """Add images; the folder in a path is its class. Returns a sentence for each that has no room."""
        limits, refused = settings(), []
        received = self.received
        taken, size, room = {item.path for item in received}, sum(item.size for item in received), self._room()
        for path, data in files:
            if len(data) > limits.upload_megabytes * 1_000_000:
                refused.append(f"{shown_name(path)} has more than {limits.upload_megabytes} MB. Save it smaller.")
                continue
            if len(taken) >= limits.import_files or size + len(data) > limits.import_megabytes * 1_000_000:
                refused.append(f"{shown_name(path)} is over the limit of a data set here.")
                continue
            if (room := room - len(data)) < 0:
                refused.append(f"{shown_name(path)}: {self._full()}")
                continue
            kept = secrets.token_hex(8)
            (self.folder / kept).write_bytes(data)
            folder, _, name = path.rpartition("/")
            path = f"{folder}/{kept} {name}" if path in taken else path
            self._list["files"].append({"path": path, "kept": kept, "size": len(data)})
            taken.add(path)
            size += len(data)
        self._write()
        return refused

    def make_class(self, name: str) -> None:
        """Make room for images of a class. Raises PlaygroundError when the name is no good or taken."""
        clean = name.strip()
        if not clean or len(clean) > 80 or not clean.isprintable() or set(clean) & set("/\\") or clean.startswith("."):
            raise PlaygroundError("A class needs a name of 1 to 80 visible characters without slashes.")
        if clean.casefold() in (known.casefold() for known in self.classes):
            raise PlaygroundError(f"There is a class called {clean} already.")
        self._list["classes"].append(clean)
        self._write()

    def drop_class(self, name: str) -> None:
        """Take a class and its images off."""
        self._list["classes"] = [known for known in self.classes if known != name]
        for item in self.received:
            if item.path.startswith(f"{name}/"):
                self.drop(item.kept)
        self._write()

    def drop(self, kept: str) -> None:
        """Take one image off."""
        for item in self.received:
            if item.kept == kept:
                (self.folder / item.kept).unlink(missing_ok=True)
        self._list["files"] = [item for item in self._list["files"] if item["kept"] != kept]
        self._write()

    def put_archive(self, name: str, data: bytes | memoryview) -> None:
        """Store a zip or tar in place of the one before. Raises PlaygroundError when its visitor has no room."""
        if len(data) > self._room():
            raise PlaygroundError(f"{shown_name(name)} has {len(data) / 1e6:,.1f} MB. {self._full()}")
        (self.folder / "archive").write_bytes(data)
        self._list["title"] = Path(shown_name(name)).name.split(".")[0]
        self._forget_reading()

    def put_labels(self, data: bytes | None) -> None:
        """Store a list of file names and labels that goes with the archive; None takes it off."""
        if data is None:
            (self.folder / "labels").unlink(missing_ok=True)
        else:
            (self.folder / "labels").write_bytes(data)
        self._forget_reading()

    def put_folder(self, path: str) -> None:
        """Point to a folder of the server. Raises PlaygroundError unless the operator allows it."""
        open_folder(Path(path), checked=True)
        self._list |= {"folder": path, "title": Path(path).name}
        self._write()

    # What an import needs

    def files(self) -> Files:
        """Raises PlaygroundError when there is nothing, or nothing acceptable."""
        if folder := self._list.get("folder"):
            return open_folder(Path(folder), checked=True)
        if (self.folder / "archive").is_file():
            return open_archive(self.folder / "archive", self.choices.get("encoding", "auto"))
        if not self._list["files"]:
            raise PlaygroundError("There are no images yet. Choose some first.")
        return _Loose(self)

    def layout(self, files: Files) -> Layout:
        """Which class and split each file belongs to. Raises PlaygroundError when that cannot be told."""
        if self.classes:
            return Layout({entry.path: Labelled(entry.path.split("/")[0]) for entry in files.entries()}, {})
        return layout_of(files, self.spec, self.labels)

    def label_table(self, files: Files) -> LabelTable | None:
        """The table that gives the labels, None where folders do. Raises LayoutError when it is none."""
        return label_table(files, self.spec, self.labels)

    @property
    def spec(self) -> ImportSpec:
        """What was chosen so far, for an import."""
        return ImportSpec(**{name: value for name, value in self.choices.items() if name in ImportSpec.model_fields})

    @property
    def has_labels(self) -> bool:
        """Whether a list of labels came with the archive."""
        return (self.folder / "labels").is_file()

    @property
    def labels(self) -> bytes | None:
        """The list of labels that came with the archive."""
        return (self.folder / "labels").read_bytes() if self.has_labels else None

    def _full(self) -> str:
        most = settings().visitor_megabytes
        return f"At most {most:,} MB of one visitor may wait for an import. Import or remove some, then try again."

    def _forget_reading(self) -> None:
        """How to read other files is another choice."""
        self._list["choices"] = {name: value for name, value in self.choices.items() if name not in READING}
        self._write()

    def keep(self) -> None:
        """Begin the time anew after which nobody has come back to it."""
        with contextlib.suppress(OSError):  # cleared away: what reads it says so
            os.utime(self.folder / LIST)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        draft = self.folder / f"{LIST}.draft"
        draft.write_text(json.dumps(self._list), "utf-8")
        move_into_place(draft, self.folder / LIST)


class _Loose:
    """The loose files of an upload."""

    def __init__(self, upload: Upload):
        self._upload = upload

    def entries(self) -> list[Entry]:
        return [Entry(item.path, item.size) for item in self._upload.received]

    def skipped(self) -> dict[str, str]:
        return {}

    def encodings(self) -> tuple[str, ...]:
        return ()

    def read(self, wanted: Container[str] | None = None) -> Iterator[tuple[Entry, bytes | ImageError]]:
        for item in self._upload.received:
            if wanted is None or item.path in wanted:
                yield Entry(item.path, item.size), (self._upload.folder / item.kept).read_bytes()
