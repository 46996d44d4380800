"""From settings and data to a network on a backend, and from its passes to scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from bayesnoise_backends import Backend, backend

from bayesnoise import optimizers, schedules
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.cli.settings import Settings, method_of, procedure_of
from bayesnoise.datasets import Column, Dataset, Inputs, Standardizer, standardizer
from bayesnoise.layer import Layer
from bayesnoise.losses import Categorical, Gaussian, Heteroscedastic, LearnedGaussian, Loss
from bayesnoise.networks import conv_net, mlp
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures import Procedure, Schedule
from bayesnoise.training import State, start

Host = Any  # an array of NumPy


class NotForTaskError(ValueError):
    """A method that cannot be used on such data or with such a network; the message is the reason."""


@dataclass(frozen=True, eq=False)
class Model:
    """What is decided before training, and needed to predict: plain values and host arrays."""

    settings: Settings
    columns: tuple[Column, ...]
    image_shape: Shape | None
    features: Standardizer
    target_name: str
    target: Standardizer | None  # None for classification
    classes: tuple[str, ...]  # empty for regression

    @property
    def task(self) -> str:
        return "classification" if self.classes else "regression"

    def as_dict(self) -> dict[str, Any]:
        """The model as values that JSON keeps to the last bit."""

        def listed(s: Standardizer | None) -> Any:
            return None if s is None else {"mean": s.mean.tolist(), "scale": s.scale.tolist()}

        return {
            "settings": self.settings.as_dict(),
            "columns": [[c.name, list(c.categories)] for c in self.columns],
            "image_shape": self.image_shape,
            "features": listed(self.features),
            "target_name": self.target_name,
            "target": listed(self.target),
            "classes": list(self.classes),
        }

    @staticmethod
    def from_dict(d: dict[str, Any]) -> Model:
        """The model of the values that `as_dict` gave."""

        def arrays(s: Any) -> Standardizer:
            return Standardizer(np.asarray(s["mean"], dtype=np.float64), np.asarray(s["scale"], dtype=np.float64))

        return Model(
            Settings(**d["settings"]),
            tuple(Column(name, tuple(categories)) for name, categories in d["columns"]),
            None if d["image_shape"] is None else tuple(d["image_shape"]),
            arrays(d["features"]),
            d["target_name"],
            None if d["target"] is None else arrays(d["target"]),
            tuple(d["classes"]),
        )

    @property
    def inputs(self) -> Inputs:
        """The columns that data to predict from must have."""
        count = sum(len(column.features) for column in self.columns)
        return Inputs(np.zeros((0, count)), self.columns, self.image_shape)


def model_for(settings: Settings, data: Dataset, rows: Host) -> Model:
    """The model with the statistics of the training rows."""
    if settings.net == "conv" and data.image_shape is None:
        raise ValueError(
            f"net is 'conv', and {data.name} holds no images: expected digits, idx files or X (n, c, h, w)"
        )
    features = standardizer(data.x[rows], together=data.image_shape is not None)
    target = None if data.classes else standardizer(data.y[rows])
    return Model(settings, data.inputs.columns, data.image_shape, features, data.target, target, data.classes)


@dataclass(frozen=True, eq=False)
class Network:
    """A model on its backend."""

    model: Model
    plain: Layer  # as it is composed
    layer: Layer  # the same, as fast as the backend makes it
    loss: Loss
    optimizer: Optimizer
    procedure: Procedure
    backend: Backend

    def x(self, host: Host) -> Array:
        """Features on the backend, standardised, in the shape the network takes."""
        z = self.model.features.apply(host)
        if self.model.settings.net == "conv" and self.model.image_shape is not None:
            z = z.reshape(len(z), *self.model.image_shape)
        return self.backend.asarray(z, self.model.settings.dtype)

    def y(self, host: Host) -> Array:
        """Targets on the backend: (n, 1) standardised, or the numbers of the classes."""
        if self.model.target is None:
            return self.backend.asarray(host.astype(np.int32))
        return self.backend.asarray(self.model.target.apply(host)[:, None], self.model.settings.dtype)

    def rngs(self) -> tuple[Rng, Rng]:
        """The sources for training and for prediction."""
        like = self.backend.asarray(np.zeros(1), self.model.settings.dtype)
        training, prediction = self.backend.rng(self.model.settings.seed, like).split(2)
        return training, prediction

    def start(self, like: Array) -> State:
        """A fresh state, for the structure of its trees."""
        return start(self.layer, self.loss, self.optimizer, self.rngs()[0], like=like, procedure=self.procedure)


def network_of(model: Model, on: str | None = None) -> Network:
    """The network of a model, on the backend of its settings or on another; NotForTaskError where there is none."""
    settings, features = model.settings, len(model.inputs.features)
    where = backend(on or settings.backend)
    loss = _loss(settings, model)
    outputs = loss.output_features(len(model.classes) or 1)
    method, options = method_of(settings)

    def build(map: Any) -> Layer:
        return method.build(map, **options)

    if settings.net == "conv" and model.image_shape is not None:
        layer = conv_net(build, model.image_shape, outputs, hidden=settings.hidden)
    else:
        layer = mlp(build, (features, *settings.hidden, outputs))
    procedure = procedure_of(settings)
    reason = procedure.refusal(layer, loss)
    if reason is not None:
        raise NotForTaskError(f"{method.name} is not for this: {reason}")
    optimizer = optimizers.adam(settings.learning_rate)
    return Network(model, layer, where.accelerate(layer), loss, optimizer, procedure, where)


def _loss(settings: Settings, model: Model) -> Loss:
    name = settings.likelihood
    if (name == "categorical") != bool(model.classes) and name != "auto":
        raise ValueError(f"likelihood is {name!r}, which is not for {model.task}")
    if model.target is None:
        return Categorical()
    if settings.noise_scale is not None:
        return Gaussian(settings.noise_scale / float(model.target.scale))
    return Heteroscedastic() if name == "predicted" else LearnedGaussian()


def kl_schedule(settings: Settings) -> Schedule:
    """The KL weight, after a linear warm-up if there is one."""
    constant = schedules.Constant(settings.kl_weight)
    return schedules.Warmup(constant, settings.kl_warmup) if settings.kl_warmup else constant


def rate_schedule(settings: Settings) -> Schedule:
    """The learning rate by epoch."""
    rate, epochs = settings.learning_rate, settings.epochs
    if settings.decay == "linear":
        return schedules.Linear(rate, 0.0, 0, epochs)
    return schedules.Cosine(rate, epochs) if settings.decay == "cosine" else schedules.Constant(rate)


def fingerprint(data: Dataset) -> str:
    """A hash of the numbers that training sees."""
    digest = hashlib.sha256()
    for array in (data.x, data.y, data.train, data.test):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
