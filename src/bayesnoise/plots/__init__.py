"""Figures of what a Bayesian network knows. Each function draws on the Axes given, or on a new figure, and returns it.

`plots.reliability_diagram(table).figure.savefig("reliability.png")`. Figures are made without pyplot: no window, no
global state, nothing to close.
"""

from bayesnoise.plots.entropy import entropy_histogram
from bayesnoise.plots.intervals import predictive_intervals
from bayesnoise.plots.losses import loss_curves
from bayesnoise.plots.pruning import pruning_bars
from bayesnoise.plots.reliability import reliability_diagram

__all__ = ["entropy_histogram", "loss_curves", "predictive_intervals", "pruning_bars", "reliability_diagram"]
