"""Files that are whole: an interrupt leaves what was there before, or all of what is new."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from uuid import uuid4


def write(path: Path, content: bytes) -> None:
    """Write beside the destination, then move over it once the content is on the disk. Raises OSError, of that name."""
    path = Path(os.path.realpath(path))  # through a symbolic link, to the file itself
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):  # a folder that is not there has no file either
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name itself
        finally:
            os.close(folder)
