"""Verdicts on samples that were made elsewhere: `make` a design, sample what it asks for in any program, `judge`.

write(make(Description("dense", "flipout", 8, 64)), "design")    # a folder of text files, or design.npz
report = judge(read("design"), read_samples("design", read("design")))
"""

from bayesnoise_reference.samples.design import Case, Design, make
from bayesnoise_reference.samples.files import read, read_samples, write
from bayesnoise_reference.samples.judge import judge

__all__ = ["Case", "Design", "judge", "make", "read", "read_samples", "write"]
