"""Layers over sequences: the weights are drawn once a sequence and used at every step of it."""

from bayesnoise.recurrent.cell import Cell
from bayesnoise.recurrent.gru import GRU, gru
from bayesnoise.recurrent.lstm import LSTM, lstm
from bayesnoise.recurrent.recurrent import Recurrent, RecurrentNoise, RecurrentParams

__all__ = ["GRU", "LSTM", "Cell", "Recurrent", "RecurrentNoise", "RecurrentParams", "gru", "lstm"]
