"""What ran: the versions that a report needs to be repeated."""

from __future__ import annotations

import platform

import array_api_compat
import numpy as np
import scipy

from bayesnoise import __version__


def versions(backend: str, backend_version: str) -> dict[str, str]:
    """Names and versions of everything that has a say in the numbers."""
    found = {
        "bayesnoise": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "array-api-compat": array_api_compat.__version__,
        "platform": platform.platform(),
    }
    return found if backend in found else {**found, backend: backend_version}
