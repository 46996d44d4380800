"""What a run at tier pr costs: a minute at most, for a right layer of every kind that there is, one after the other."""

from __future__ import annotations

import time

import pytest
from bayesnoise_reference import verify
from planted import PLANTED


@pytest.mark.slow
def test_every_kind_together_takes_a_minute_of_the_processor_at_most() -> None:
    began = time.process_time()  # of all threads, so that other programs do not count
    for planted in PLANTED.values():
        report = verify(planted.adapter(planted.description, ""))
        assert report.exit_code == 0, report.refuted
    assert time.process_time() - began <= 60.0
