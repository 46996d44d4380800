// Holds a layer with local reparameterisation, dropout, a step of IVON, the law of SWAG, deep ensembles, training on
// adversarial inputs and linear regression with independent weights to their vectors. Written from the README of the
// exported folder alone.
// node consumer.mjs dense_local.json [--outputs mine.json]
import { readFileSync, writeFileSync } from "node:fs";
import { meanFieldRegression, regressionBound } from "./regression.mjs";

const softplus = (r) => Math.max(r, 0) + Math.log1p(Math.exp(-Math.abs(r)));
const sigmoid = (r) => (r < 0 ? Math.exp(r) / (1 + Math.exp(r)) : 1 / (1 + Math.exp(-r)));

function denseLocal({ x, grad_y, mu, rho, zeta, prior_mean, prior_scale }, shape) {
  const [N, I] = shape.x, O = shape.mu[1];
  const zeros = (n) => new Array(n).fill(0);
  const out = { y: zeros(N * O), grad_x: zeros(N * I), grad_mu: zeros(I * O), grad_rho: zeros(I * O) };
  const sigma = rho.map(softplus);
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++) {
      let m = 0, v = 0;
      for (let i = 0; i < I; i++) {
        m += x[n * I + i] * mu[i * O + o];
        v += (x[n * I + i] * sigma[i * O + o]) ** 2;
      }
      const sd = Math.sqrt(v), k = n * O + o;
      out.y[k] = m + sd * zeta[k];
      const gradV = sd > 0 ? (grad_y[k] * zeta[k]) / (2 * sd) : 0; // an example of zeros has no noise
      for (let i = 0; i < I; i++) {
        const w = i * O + o, xi = x[n * I + i];
        out.grad_x[n * I + i] += grad_y[k] * mu[w] + gradV * 2 * xi * sigma[w] ** 2;
        out.grad_mu[w] += grad_y[k] * xi;
        out.grad_rho[w] += gradV * xi ** 2 * 2 * sigma[w] * sigmoid(rho[w]);
      }
    }
  const [m0] = prior_mean, [s0] = prior_scale;
  const logSigma = rho.map((r, w) => (r < -30 ? r : Math.log(sigma[w])));
  const dlog = rho.map((r, w) => (r < -30 ? 1 : sigmoid(r) / sigma[w]));
  const kl = mu.reduce((sum, m, w) =>
    sum + Math.log(s0) - logSigma[w] + (sigma[w] ** 2 + (m - m0) ** 2) / (2 * s0 ** 2) - 0.5, 0);
  return {
    ...out,
    kl: [kl],
    kl_grad_mu: mu.map((m) => (m - m0) / s0 ** 2),
    kl_grad_rho: sigma.map((s, w) => ((s / s0) ** 2 - 1) * dlog[w]),
  };
}

function bernoulliDropout({ x, grad_y, kept, rate }) {
  const factor = kept.map((k) => k / (1 - rate[0]));
  return { y: x.map((v, k) => v * factor[k]), grad_x: grad_y.map((g, k) => g * factor[k]) };
}

function ivon({ mean, first, curvature, eps, grad, ...numbers }, shape) {
  const [count, rate, beta1, beta2, N, prior] = ["count", "learning_rate", "beta1", "beta2", "examples", "prior_scale"]
    .map((name) => numbers[name][0]);
  const [draws, d] = shape.eps, delta = 1 / (N * prior ** 2);
  const scale = (h) => 1 / Math.sqrt(N * (h + delta));
  const averaged = (of) => mean.map((_, j) => {
    let sum = 0;
    for (let s = 0; s < draws; s++) sum += of(s * d + j, j);
    return sum / draws;
  });
  const g = averaged((k) => grad[k]), f = averaged((k, j) => (grad[k] * eps[k]) / scale(curvature[j]));
  const nextFirst = first.map((m, j) => beta1 * m + (1 - beta1) * g[j]);
  const nextCurvature = curvature.map((h, j) =>
    beta2 * h + (1 - beta2) * f[j] + ((1 - beta2) * (h - f[j])) ** 2 / (2 * (h + delta)));
  return {
    draw: eps.map((e, k) => mean[k % d] + scale(curvature[k % d]) * e),
    next_mean: mean.map((m, j) =>
      m - (rate * (nextFirst[j] / (1 - beta1 ** (count + 1)) + delta * m)) / (nextCurvature[j] + delta)),
    next_first: nextFirst,
    next_curvature: nextCurvature,
    next_scale: nextCurvature.map(scale),
  };
}

function swag({ iterates, rank, z1, z2 }, shape) {
  const [t, d] = shape.iterates, K = Math.min(t, rank[0]);
  const column = (j, n) => Array.from({ length: n }, (_, i) => iterates[i * d + j]);
  const mean = z1.map((_, j) => average(column(j, t)));
  const variance = mean.map((m, j) => average(column(j, t).map((w) => (w - m) ** 2)));
  const deviations = [];
  for (let i = t - K; i < t; i++)
    for (let j = 0; j < d; j++) deviations.push(iterates[i * d + j] - average(column(j, i + 1)));
  const draw = mean.map((m, j) => {
    const lowRank = z2.reduce((sum, z, k) => sum + z * deviations[k * d + j], 0);
    return m + Math.sqrt(variance[j] / 2) * z1[j] + lowRank / Math.sqrt(2 * (K - 1));
  });
  return { mean, variance, deviations, draw };
}

const average = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const logSumExp = (numbers) => {
  const most = Math.max(...numbers);
  return most + Math.log(numbers.reduce((sum, a) => sum + Math.exp(a - most), 0));
};
const logNormal = (y, m, v) => -((y - m) ** 2) / (2 * v) - (Math.log(v) + Math.log(2 * Math.PI)) / 2;

function ensembleRegression({ means, variances, target }, shape) {
  const [M, n] = shape.means;
  const of = (values, j) => Array.from({ length: M }, (_, m) => values[m * n + j]);
  const mean = target.map((_, j) => average(of(means, j)));
  const aleatoric = target.map((_, j) => average(of(variances, j)));
  const epistemic = target.map((_, j) => average(of(means, j).map((f) => (f - mean[j]) ** 2)));
  return {
    mean,
    aleatoric_variance: aleatoric,
    epistemic_variance: epistemic,
    variance: aleatoric.map((a, j) => a + epistemic[j]),
    log_density: target.map((y, j) =>
      logSumExp(of(means, j).map((f, m) => logNormal(y, f, variances[m * n + j]))) - Math.log(M)),
  };
}

function ensembleClassification({ logits, target }, shape) {
  const [M, n, k] = shape.logits;
  const names = ["probabilities", "predictive_entropy", "expected_entropy", "mutual_information", "log_density"];
  const out = Object.fromEntries(names.map((name) => [name, []]));
  const entropy = (p) => p.reduce((sum, q) => (q > 0 ? sum - q * Math.log(q) : sum), 0);
  target.forEach((label, j) => {
    const logs = Array.from({ length: M }, (_, m) => {
      const f = logits.slice((m * n + j) * k, (m * n + j + 1) * k);
      return f.map((a) => a - logSumExp(f));
    });
    const q = logs[0].map((_, c) => average(logs.map((l) => Math.exp(l[c]))));
    const expected = average(logs.map((l) => entropy(l.map(Math.exp))));
    out.probabilities.push(...q);
    out.predictive_entropy.push(entropy(q));
    out.expected_entropy.push(expected);
    out.mutual_information.push(entropy(q) - expected);
    out.log_density.push(logSumExp(logs.map((l) => l[label])) - Math.log(M));
  });
  return out;
}

const gaussianLoss = (f, y, { minimum_variance }) => {
  const v = softplus(f[1]) + minimum_variance[0];
  const byVariance = 1 / (2 * v) - (y - f[0]) ** 2 / (2 * v ** 2);
  return { nll: -logNormal(y, f[0], v), slope: [(f[0] - y) / v, byVariance * sigmoid(f[1])] };
};
const categoricalLoss = (f, label) => {
  const logs = f.map((a) => a - logSumExp(f));
  return { nll: -logs[label], slope: logs.map((l, c) => Math.exp(l) - (c === label ? 1 : 0)) };
};

function adversarial(loss, inputs, shape) {
  const { x, target, weight, bias, epsilon, width } = inputs, [n, I] = shape.x, O = bias.length;
  const out = { nll: [], grad_x: [], adversarial: [], adversarial_nll: [] };
  out.grad_weight = weight.map(() => 0);
  out.grad_bias = bias.map(() => 0);
  const at = (row, y) => {
    const f = bias.map((b, o) => row.reduce((sum, a, i) => sum + a * weight[i * O + o], b));
    const { nll, slope } = loss(f, y, inputs);
    slope.forEach((s, o) => {
      out.grad_bias[o] += s / (2 * n);
      row.forEach((a, i) => (out.grad_weight[i * O + o] += (a * s) / (2 * n)));
    });
    return { nll, byInput: row.map((_, i) => slope.reduce((sum, s, o) => sum + s * weight[i * O + o], 0)) };
  };
  target.forEach((y, j) => {
    const row = x.slice(j * I, (j + 1) * I), { nll, byInput } = at(row, y);
    const moved = row.map((a, i) => a + epsilon[0] * width[i] * Math.sign(byInput[i]));
    out.nll.push(nll);
    out.grad_x.push(...byInput);
    out.adversarial.push(...moved);
    out.adversarial_nll.push(at(moved, y).nll);
  });
  return out;
}

const IMPLEMENTED = {
  "dense.local": denseLocal,
  "dropout.bernoulli": bernoulliDropout,
  "optimizer.ivon": ivon,
  "procedure.swag": swag,
  "ensemble.regression": ensembleRegression,
  "ensemble.classification": ensembleClassification,
  "linear_regression.mean_field": meanFieldRegression,
  "linear_regression.bound": regressionBound,
  "adversarial.gaussian": (inputs, shape) => adversarial(gaussianLoss, inputs, shape),
  "adversarial.categorical": (inputs, shape) => adversarial(categoricalLoss, inputs, shape),
};

const read = (element, dtype) => (dtype === "float32" ? Math.fround(Number(element)) : Number(element));

function matches(got, want, tolerance, dtype) {
  if (got.length !== want.data.length) return false;
  return got.every((a, k) => {
    const b = read(want.data[k], dtype);
    if (Object.is(a, b) || a === b) return true;
    return Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= tolerance * Math.abs(b) + want.absolute;
  });
}

const [path, option, target] = process.argv.slice(2);
const file = JSON.parse(readFileSync(path, "utf8"));
if (file.schema !== "bayesnoise-vectors-1") throw new Error(`schema is ${file.schema}`);
let failed = 0;
const mine = [];
for (const group of file.testGroups)
  for (const test of group.tests) {
    const entries = Object.entries(test.inputs);
    const inputs = Object.fromEntries(entries.map(([name, f]) => [name, f.data.map((e) => read(e, group.dtype))]));
    const got = IMPLEMENTED[group.type](inputs, Object.fromEntries(entries.map(([name, f]) => [name, f.shape])));
    const names = test.affects ?? Object.keys(test.outputs);
    const match = names.every((name) => matches(got[name], test.outputs[name], group.tolerance, group.dtype));
    if (match !== (test.result === "valid")) {
      console.log(`test ${test.tcId}: ${test.result} vector ${match ? "matched" : "not matched"}`);
      failed++;
    }
    if (test.result === "valid") mine.push({ tcId: test.tcId, outputs: got });
  }
console.log(`${file.family}: ${file.numberOfTests} tests, ${failed} failed`);
if (option === "--outputs")
  writeFileSync(target, JSON.stringify({ schema: "bayesnoise-outputs-1", family: file.family, tests: mine }));
process.exitCode = failed > 0 ? 1 : 0;
