"""Adapters: what a layer is and what it can do, said so that the claims can be put to it."""
