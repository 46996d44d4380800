"""Mistakes in a recurrent cell, in groups by what they spoil: the claims that read its weights name them together."""

WRONG_STATE = ("gru-update-reversed", "lstm-forget-missing", "lstm-no-tanh-at-output")  # in every step, by far
WRONG_GATES = ("gru-reset-before", "recurrent-gates-in-another-order", "recurrent-reversed")
WRONG_READING = (*WRONG_STATE, *WRONG_GATES, "scale-softplus-missing")
WRONG_DRAW = (*WRONG_READING, "recurrent-first-input-again")
WRONG_PASS = (*WRONG_STATE, *WRONG_GATES, "recurrent-first-input-again", "lstm-forget-added-one")
WRONG_STEP = (*WRONG_PASS, "recurrent-hidden-bias-missing")
WRONG_INPUT = ("recurrent-first-input-again", "scale-softplus-missing")
WRONG_ORDER = ("gru-update-reversed", "recurrent-gates-in-another-order", "recurrent-reversed")
WRONG_SIGNS = (*WRONG_STATE, "lstm-forget-added-one", "recurrent-gates-in-another-order")
WRONG_SCALE = ("scale-as-variance", "variance-as-scale", "scale-exp-for-softplus")
