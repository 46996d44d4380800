"""Files that are whole: an interrupt leaves what was there before, or all of what is new."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write(path: Path, content: bytes) -> None:
    """Write beside the destination, then move over it once the content is on the disk. Raises OSError."""
    path = Path(os.path.realpath(path))  # through a symbolic link, to the file itself
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name itself
        finally:
            os.close(folder)
