"""What went wrong outside the program (disk, permissions, memory, database) as a sentence for a person."""

from __future__ import annotations

import errno
import os

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cnn_core.errors import PlaygroundError

ELSEWHERE = "set CNN_PLAYGROUND_HOME to another folder"
DISK = {
    errno.ENOSPC: f"The disk is full: {{what}} could not be written. Make room, or {ELSEWHERE}, then try again.",
    errno.EDQUOT: f"Your disk quota is used up: {{what}} could not be written. Make room, or {ELSEWHERE}.",
    errno.EFBIG: f"{{what}} grew larger than files may be here. Raise that limit, or {ELSEWHERE}.",
    errno.EROFS: f"{{what}} cannot be written: the disk is read-only. Allow writing, or {ELSEWHERE}.",
    errno.EACCES: f"This account may not open {{what}}. Allow it, or {ELSEWHERE}.",
    errno.EPERM: f"This account may not change {{what}}. Allow it, or {ELSEWHERE}.",
    errno.ENOTDIR: f"{{what}} cannot be made: a part of its path is a file. Move that file away, or {ELSEWHERE}.",
    errno.EEXIST: f"{{what}} is in the way of a folder of that name. Move it away, or {ELSEWHERE}.",
    errno.ENOENT: "{what} is not there.",
    errno.EISDIR: "{what} is a folder, not a file.",
    errno.ENAMETOOLONG: "The name of {what} is too long for this disk.",
    errno.EMFILE: "Too many files are open. Close other programs or raise the limit (ulimit -n), then try again.",
    errno.ENOMEM: "There is not enough memory. Close other programs or choose something smaller, then try again.",
}
OF_ANOTHER_VERSION = (
    "was made by another version of CNN Playground. Move it away, or set CNN_PLAYGROUND_HOME to another folder or "
    "CNN_PLAYGROUND_DATABASE_URL to another database."
)
DATABASE = {  # part of the driver's message -> what it means and what to do
    "locked": "is locked by another program. End that program, or wait, and try again.",
    "readonly": f"cannot be written. Allow writing to it and to its folder, or {ELSEWHERE}.",
    "disk is full": f"cannot be written: the disk is full. Make room, or {ELSEWHERE}, then try again.",
    "malformed": f"is damaged. Move it away to begin a new one, or put a copy of it back, or {ELSEWHERE}.",
    "not a database": f"is damaged, or is no database. Move it away to begin a new one, or {ELSEWHERE}.",
    "unable to open": f"cannot be opened. See that its folder can be read and written, or {ELSEWHERE}.",
    "disk i/o error": f"cannot be read or written (disk I/O error). See that the disk has room, or {ELSEWHERE}.",
    **dict.fromkeys(("no such table", "no such column", "duplicate column"), OF_ANOTHER_VERSION),
    **dict.fromkeys(("undefinedtable", "undefinedcolumn", "duplicatecolumn"), OF_ANOTHER_VERSION),  # PostgreSQL's words
}


def explain(error: BaseException) -> PlaygroundError | None:
    """The sentence for an error whose cause lies outside the program; None for a fault of the program itself."""
    if isinstance(error, PlaygroundError):
        return error
    if isinstance(error, (DBAPIError, PoolTimeoutError)):
        return PlaygroundError(f"The database of the runs {explain_database(error)}")
    if isinstance(error, OSError):
        return PlaygroundError(_of_system(error))
    if isinstance(error, MemoryError):
        return PlaygroundError(DISK[errno.ENOMEM])
    return None


def explain_database(error: BaseException) -> str:
    """The rest of a sentence that begins with the database."""
    first = (str(error).splitlines() or [type(error).__name__])[0].rpartition("Error) ")[2]
    known = (words for part, words in DATABASE.items() if part in first.lower())
    return next(known, f"does not answer: {first}. Check CNN_PLAYGROUND_DATABASE_URL and CNN_PLAYGROUND_HOME.")


def _of_system(error: OSError) -> str:
    what = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else "a file"
    template = DISK.get(error.errno or 0, "{what} could not be read or written: {cause}.")
    sentence = template.format(what=what, cause=error.strerror or str(error) or type(error).__name__)
    return sentence.replace("a file", "A file", 1) if sentence.startswith("a file") else sentence
