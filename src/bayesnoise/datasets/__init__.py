"""Real data from a CSV, an `.npz`, an idx file or scikit-learn, as checked arrays of the host."""

from bayesnoise.datasets.dataset import Dataset, Task
from bayesnoise.datasets.load import load, load_inputs
from bayesnoise.datasets.raw import Column, Indices, Inputs
from bayesnoise.datasets.standardizer import Standardizer, standardizer

__all__ = ["Column", "Dataset", "Indices", "Inputs", "Standardizer", "Task", "load", "load_inputs", "standardizer"]
