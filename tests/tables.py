"""Small tables, good and bad, and where the real data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA_DIR = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data")
needs_data = pytest.mark.skipif(not DATA_DIR.is_dir(), reason=f"no real data in {DATA_DIR}: set DATA_DIR")

GOOD = "age,colour,price\n1,red,0.5\n2,blue,1.5\n3,red,2.5\n4,blue,3.5\n5,red,4.5\n"

BAD_TABLES = {
    "nan": ("a,b,t\n1,2,0.5\n3,,1.5\n", r"column 'b' holds nan in row 1: expected finite numbers"),
    "infinity": ("a,b,t\ninf,2,0.5\n3,1,1.5\n", r"column 'a' holds inf in row 0"),
    "missing word": ("a,b,t\n1,x,0.5\n3,,1.5\n", r"column 'b' has no value in row 1"),
    "nan target": ("a,t\n1,\n3,1.5\n", r"target 't' has no value \(or NaN\) in row 0"),
    "infinite target": ("a,t\n1,inf\n3,1.5\n", r"target 't' holds inf in row 0"),
    "no such target": (
        "a,target\n1,1\n",
        r"target is 't', which is no column of .*table.csv: expected one of a, target",
    ),
    "near target": ("a,T\n1,1\n", r"target is 't', which is no column of .*table.csv: did you mean T\?"),
    "empty": ("", r"table.csv is empty, expected a header line"),
    "blank": ("\n\n", r"holds no columns"),
    "one column": ("t\n1.5\n2.5\n", r"has one column, 't', expected at least one feature beside the target"),
    "no rows": ("a,t\n", r"the data have no rows, expected at least one"),
    "one row": ("a,t\n1,2.5\n", r"the data have 1 rows, expected at least 2"),
    "ragged": ("a,t\n1,2.5\n1,2,3\n", r"cannot be read as CSV"),
    "stray text": ("a,t\n1,2.5\n2,3.5\nx,4.5\n", r"column 'a' holds the text 'x' in row 2 among numbers"),
    "names": ("a,t\n" + "".join(f"n{i},{i}.5\n" for i in range(60)), r"column 'a' holds 60 different texts"),
    "one class": ("a,t\n1,yes\n2,yes\n", r"target 't' has 1 class, expected at least 2"),
}
