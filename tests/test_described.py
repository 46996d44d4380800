"""Descriptions as data: there and back, and refused with the path to what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.described import from_fields, to_fields
from bayesnoise_reference.families.divergence import Divergence
from bayesnoise_reference.families.divergence_estimate import MixtureEstimate

WRONG = {
    "no object": (3, "$ is 3, expected an object"),
    "no family": ({}, "$.family is missing"),
    "family": ({"family": "cubic"}, '$.family is "cubic", expected one of "dense", "convolution"'),
    "family of no kind": ({"family": []}, "$.family is [], expected one of"),
    "missing": ({"family": "dense", "estimator": "shared"}, "$.inputs is missing"),
    "unknown": ({"family": "dense", "colour": "red"}, "$.colour is not known, expected one of"),
    "type": ({"inputs": "5"}, '$.inputs is "5", expected an integer'),
    "truth": ({"inputs": True}, "$.inputs is true, expected an integer"),
    "number": ({"prior": "wide"}, '$.prior is "wide", expected a finite number'),
    "infinite": ({"prior": float("inf")}, "$.prior is inf, expected a finite number"),
    "choice": ({"scale": "log"}, '$.scale is "log", expected one of "softplus"'),
    "list": ({"kernel": 3}, "$.kernel is 3, expected a list"),
    "item": ({"kernel": [3, "3"]}, '$.kernel[1] is "3", expected an integer'),
    "contradiction": ({"kernel": [3]}, "$: kernel is (3,) in a dense layer"),
    "name": ({"name": 5}, "$.name is 5, expected a string"),
}


@pytest.mark.parametrize("name", WRONG)
def test_descriptions_are_refused_with_the_path(name: str) -> None:
    fields, expected = WRONG[name]
    if isinstance(fields, dict) and "family" not in fields and fields:
        fields = {"family": "dense", "estimator": "shared", "inputs": 5, "outputs": 4, **fields}
    with pytest.raises(ValueError) as caught:
        from_fields(fields)
    assert str(caught.value).startswith(expected)


DESCRIPTIONS = (
    Description("dense", "local", 3, 4, scale="exp", prior=0.5, dtype="float32", name="d"),
    Divergence(kind="laplace", prior=0.25),
    MixtureEstimate(share=0.5),
    Description("convolution", "flipout", 4, 6, kernel=(3, 2), stride=(2, 1), groups=2, scale_floor=1e-7),
)


@pytest.mark.parametrize("what", DESCRIPTIONS, ids=lambda d: f"{d.family}-{d.estimator}")
def test_a_description_survives_the_way(what: Any) -> None:
    assert from_fields(json.loads(json.dumps(to_fields(what)))) == what
