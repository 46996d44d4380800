"""Claims about anything but random weights: a file a family, with its description, its claims and its mistakes."""
