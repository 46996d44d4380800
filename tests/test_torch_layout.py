"""The layout of a torch module's weights, where their shape does not say it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import verified_layers
from bayesnoise_reference.adapters.torch_conventions import conventional
from bayesnoise_reference.adapters.torch_layout import layout_of
from cli_runs import refused, run


@pytest.mark.parametrize(("name", "layout"), [("Rows", "in_out"), ("Columns", "out_in")])
def test_a_square_of_weights_is_tried(name: str, layout: str) -> None:
    """Its shape says nothing: a call does, and leaves the module as it was."""
    made = conventional(getattr(verified_layers, name), 6, 6)
    described: Any = made.description
    assert described.layout == layout
    assert made.parameters()["bias_rho"].tolist() == [1.0] * 6
    result = run("verify", f"torch:verified_layers.{name}", "--in", 6, "--out", 6, "--only", "dense.shared.weight-mean")
    assert result.exit_code == 0
    assert f"layout {layout}" in " ".join(result.stdout.split())


def test_a_layout_that_shows_in_no_call_is_asked_for() -> None:
    said = refused(run("verify", "torch:verified_layers.Neither", "--in", 6, "--out", 6))
    assert said.startswith("weights of shape (6, 6) may be (in, out) or (out, in): without noise the output is neither")
    assert said.endswith("give layout, --layout on the command line")
    words = ("--in", 6, "--out", 6, "--layout", "in_out")
    assert run("verify", "torch:verified_layers.Neither", *words).exit_code == 1


def test_a_kernel_as_wide_as_the_outputs_are_many_is_asked_for() -> None:
    wide = torch.nn.Conv1d(2, 3, 3)
    with pytest.raises(ValueError, match=r"weights of shape \(3, 2, 3\) may be .*: a kernel as wide as"):
        layout_of(wide, {"mean": "weight"}, "softplus", 2, 3)
    narrow = torch.nn.Conv1d(2, 3, 5)
    assert layout_of(narrow, {"mean": "weight"}, "softplus", 2, 3) == "out_in"
