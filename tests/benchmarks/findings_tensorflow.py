"""TensorFlow Probability: its layers as adapters, and what is measured of them without the kit."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import tensorflow as tf
from bayesnoise_reference.adapters.keras_conventions import conventional_keras
from benchmarks.findings import IN, OUT, Layer, Measured
from tensorflow_probability import layers

PACKAGE = "tensorflow-probability"
HEAD = """The layers of TensorFlow Probability are on TensorFlow {tensorflow} with tf-keras {keras}. They add the
machine epsilon of float32 to every standard deviation, which their description says, and have a prior of scale 0.5.
"""
BESIDE = """## TensorFlow Probability, without the kit

What was refuted above, from the layers alone, and how Keras adds up losses: what a layer adds in its call is there once
a call, so that a model which calls it twice has its KL twice.
"""


def head(seeds: int) -> str:
    """What stands above the layers."""
    return HEAD.format(tensorflow=version("tensorflow-cpu"), keras=version("tf-keras"))


def usual(name: str, note: str = "", kernel: tuple[int, ...] = ()) -> Layer:
    """A layer that is named as is usual."""
    sizes = (3, 16) if kernel else (IN, OUT)
    return Layer(PACKAGE, name, partial(conventional_keras, getattr(layers, name), *sizes, kernel=kernel), note)


ROOT = """A row of zeros has a variance of zero, where the derivative of the square root is infinite, and infinity times
zero is NaN. One such row, as behind a dead ReLU, makes the whole gradient of the scales NaN."""
EMPTY = """The empty batch fails in TensorFlow: `tf.nn.conv2d` gives it the shape of the input, on this CPU.
The layer itself is right."""
LAYERS = (
    usual("DenseFlipout"),
    usual("DenseReparameterization"),
    usual("DenseLocalReparameterization", ROOT),
    usual("Convolution2DFlipout", EMPTY, (3, 3)),
)


def measured() -> list[Measured]:
    """Each refutation once more, in a line or two of the package's own functions, and the losses of a model."""
    layer: Any = layers.DenseLocalReparameterization(4)
    x = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], dtype=np.float32)
    layer(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(x))
    scale = next(v for v in layer.trainable_variables if "untransformed_scale" in v.name)
    finite = bool(np.all(np.isfinite(np.array(tape.gradient(y, scale)))))
    empty, kernel = np.zeros((0, 6, 6, 3), dtype=np.float32), np.zeros((3, 3, 3, 16), dtype=np.float32)
    shape = tuple(tf.nn.conv2d(empty, kernel, 1, "VALID").shape)
    twice: Any = layers.DenseFlipout(4)
    keras: Any = import_module("tf_keras")
    entry = keras.Input((3,))
    model = keras.Model(entry, [twice(entry), twice(entry)])
    model(x)
    ratio = float(sum(model.losses)) / float(twice.losses[0])
    gradient = "gradient of the scales of `DenseLocalReparameterization` where one row of two is zero"
    return [
        Measured(PACKAGE, gradient, "finite" if finite else "NaN", "finite"),
        Measured(
            "tf-keras", "sum of `model.losses` in KLs: a model that calls a `DenseFlipout` twice", f"{ratio:g}", "1"
        ),
        Measured(
            "tensorflow-cpu", "shape of `tf.nn.conv2d` of (0, 6, 6, 3) and (3, 3, 3, 16)", f"{shape}", "(0, 4, 4, 16)"
        ),
    ]
