"""Mistakes that are made with random weights, by name, each as the sentence of a likely cause.

The claims say which they catch, and which of them explain a report best is found here for every family.
"""

from __future__ import annotations

from collections.abc import Mapping

from bayesnoise_reference.adapters.subject import Subject
from bayesnoise_reference.claims.claim import Claim

CAUSES = {
    "signs-shared-across-batch": "all examples of a batch share their signs",
    "signs-on-the-whole-weight": "the signs flip the whole sampled weight, not the perturbation alone",
    "no-input-signs": "the signs of the inputs are missing",
    "no-output-signs": "the signs of the outputs are missing",
    "one-scalar-sign": "an example has one sign in all, not one for every input and output",
    "signs-zero-one": "signs are drawn from {0, 1}, not from {-1, 1}",
    "output-signs-reuse-input-signs": "the signs of the outputs are those of the inputs",
    "signs-fixed": "signs are drawn once, and not again in every call",
    "signs-of-the-noise": "the signs of the inputs are those of the noise, drawn from one generator seeded twice",
    "signs-unfair": "signs are -1 less often than 1",
    "signs-per-position": "signs are drawn for every pixel, not for every channel",
    "noise-per-example": "every example draws noise of its own, where one draw a call is the method",
    "eps-across-calls": "noise is drawn once and reused in every call",
    "eps-shared-across-outputs": "all outputs share the noise of an input",
    "eps-shared-across-inputs": "all inputs share the noise of an output",
    "noise-tiled-across-outputs": "the second half of the outputs repeats the noise of the first",
    "noise-mirrored-across-outputs": "the second half of the outputs has the noise of the first with the other sign",
    "eps-kernel-symmetric": "the noise of a kernel is symmetric: it reads the same backwards",
    "zeta-shared-along-an-axis": "the positions along one axis of an image share their noise",
    "output-signs-tiled": "the signs of the second half of the outputs are those of the first",
    "output-signs-paired": "two neighbouring outputs share a sign",
    "input-signs-tiled": "the signs of the second half of the inputs are those of the first",
    "input-signs-paired": "two neighbouring inputs share a sign",
    "uniform-noise": "noise is uniform, with the right variance, and not normal",
    "rademacher-noise": "noise is a sign, with the right variance, and not normal",
    "no-noise": "there is no noise: the layer returns its mean",
    "zeta-shared-across-batch": "all examples of a batch share the noise of the outputs",
    "zeta-shared-across-outputs": "all outputs of an example share their noise",
    "zeta-shared-across-positions": "all positions of an output share their noise",
    "x-not-squared": "the variance of an output is not of the squares of the input",
    "variance-without-root": "the variance of an output is used as its standard deviation",
    "variance-floor": "a constant is added to the variance of an output",
    "scale-as-variance": "the scale is used as a variance",
    "variance-as-scale": "the square of the scale is used as the scale",
    "scale-exp-for-softplus": "the stored scale goes through exp where softplus is declared",
    "scale-softplus-missing": "the stored scale is used as it is, without its transformation",
    "softplus-overflows": "softplus is computed as log(1 + exp(rho)), which overflows",
    "scale-clipped": "the scale is clipped from above",
    "scale-floor": "a constant is added to the scale, and not declared",
    "mean-noised": "the mean is multiplied by noise of its own",
    "mean-shrunk": "the mean is multiplied by a factor, like that of a dropout rate",
    "bias-missing": "the bias is not added",
    "bias-noise-missing": "a random bias has no noise",
    "bias-scale-doubled": "the noise of the bias is added twice",
    "bias-noise-tiled": "the second half of the biases repeats the noise of the first",
    "bias-noise-of-a-weight": "the noise of the bias is that of weights",
    "bias-noise-per-example": "every example draws a bias of its own, where one draw a call is the method",
    "bias-noise-per-position": "every position of an image draws a bias of its own",
    "gradient-scale-without-chain": "the derivative of the scale by what is stored is missing from its gradient",
    "gradient-noise-redrawn": "noise is drawn again for the gradients",
    "gradient-mean-averaged": "gradients are divided by the size of the batch",
    "gradient-input-averaged": "the gradient of the input is divided by the size of the batch",
    "gradient-input-without-noise": "the gradient of the input leaves out the noise: the input is detached there",
    "gradient-mean-perturbed": "the gradient of the mean is multiplied by the signs",
    "gradient-scale-zero": "no gradient reaches the scale",
    "gradient-scale-sign": "the gradient of the scale has no noise: its size is that of the perturbation",
    "gradient-root-at-zero": "the gradient of the square root at a variance of zero is infinite",
    "gradient-scale-as-shared": "the gradient of the scale is that of drawn weights, not of drawn outputs",
    "kl-mean": "the KL is averaged over the weights, not summed",
    "kl-reversed": "the KL is that from prior to posterior",
    "kl-prior-variance-as-scale": "the prior's variance is used as its scale, or its scale as its variance",
    "kl-sign": "the KL has the wrong sign",
    "kl-no-half": "the constant 1/2 of each weight is missing from the KL",
    "kl-no-bias": "the KL leaves out the random bias",
    "kl-prior-mean-ignored": "the KL takes the prior's mean to be zero",
    "kl-scale-as-stored": "the KL uses the stored scale as the standard deviation",
    "kl-log-underflows": "the KL takes the logarithm of a softplus that has become zero",
    "kl-gradient-missing": "no gradient of the KL reaches the parameters",
    "kl-gradient-scale-missing": "no gradient of the KL reaches the scales",
    "kl-gradient-without-chain": "the derivative of the scale by what is stored is missing from the gradient of the KL",
    "kl-gradient-averaged": "the gradient of the KL is divided by the number of weights",
    "kl-draw-fixed": "the KL is estimated at one draw, and not again in every call",
    "kl-draw-at-mean": "the KL is estimated at the mean, without a draw",
    "kl-draw-doubled": "the noise of the KL's draw is twice what it should be",
    "kl-draw-of-another": "the densities of posterior and prior are taken at different draws",
    "kl-nested-twice": "a layer is counted at every level of the network that holds it",
    "kl-nested-missed": "layers inside parts of parts are left out of the KL",
    "kl-shared-twice": "a layer that is used twice is counted twice",
    "prior-aliases-posterior": "prior and posterior share an array, so that they move together",
    "prior-follows-posterior": "the prior is set anew from the posterior when parameters are loaded",
    "evaluation-noisy": "noise is drawn in evaluation too",
    "evaluation-scaled": "the output is rescaled in evaluation, where its mean needs no correction",
    "evaluation-drops-bias": "the bias is left out in evaluation",
    "seed-ignored": "the noise does not come from the generator that is seeded",
    "restore-forgets-scale": "the scales are not among what is saved",
    "restore-forgets-mean": "the means are not among what is saved",
    "restore-rounds": "what is saved is rounded",
    "changes-input": "the layer writes into its input",
    "same-array-returned": "the layer returns one buffer of its own, again and again",
    "output-transposed-noise": "noise lies across the weights in another order than their scales",
    "empty-batch-fails": "a batch of no examples is not provided for",
}

# Mistakes that show in the output of any one draw.
WRONG_OUTPUT = (
    "scale-as-variance",
    "variance-as-scale",
    "scale-exp-for-softplus",
    "scale-softplus-missing",
    "softplus-overflows",
    "scale-clipped",
    "mean-shrunk",
    "bias-missing",
    "bias-noise-missing",
    "bias-scale-doubled",
    "mean-noised",
    "noise-per-example",
    "output-transposed-noise",
    "signs-on-the-whole-weight",
    "variance-floor",
    "variance-without-root",
    "x-not-squared",
)

# Mistakes that show in the KL of any parameters away from the prior.
WRONG_KL = (
    "kl-mean",
    "kl-reversed",
    "kl-prior-variance-as-scale",
    "kl-sign",
    "kl-no-half",
    "kl-no-bias",
    "kl-prior-mean-ignored",
)


def likely(
    description: Subject, claims: tuple[Claim, ...], refuted: frozenset[str], causes: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """For each refuted topic the mistakes that are known to refute it, those that explain the whole picture first.

    A mistake explains a picture as far as the topics that it refutes and those that were refuted are the same ones.
    """
    about = [c for c in claims if c.about(description)]
    lights = {name: {c.topic for c in about if name in c.catches} for name in causes}

    def fit(name: str) -> float:
        return len(lights[name] & refuted) / len(lights[name] | refuted)

    found = {}
    for topic in refuted:
        names = sorted((name for name in causes if topic in lights[name]), key=fit, reverse=True)
        best = [name for name in names if fit(name) >= 0.75 * fit(names[0])]
        found[topic] = tuple(causes[name] for name in best[:3])
    return found
