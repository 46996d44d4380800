// Bayesian linear regression with independent weights: the best law, and the bound of any. From the README alone.
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const LOG_2PI = Math.log(2 * Math.PI);

// The solution of a positive definite system for some right sides, and the logarithm of the determinant.
function eliminate(matrix, right) {
  const rows = matrix.map((row, i) => [...row, ...right[i]]);
  let logDet = 0;
  rows.forEach((pivot, i) => {
    logDet += Math.log(pivot[i]);
    rows.forEach((row, j) => {
      const share = row[i] / pivot[i];
      if (j > i) row.forEach((a, c) => (row[c] = a - share * pivot[c]));
    });
  });
  for (const i of [...rows.keys()].reverse())
    for (let c = rows.length; c < rows[i].length; c++)
      rows[i][c] = (rows[i][c] - sum(rows.slice(i + 1).map((row, j) => rows[i][i + 1 + j] * row[c]))) / rows[i][i];
  return { solution: rows.map((row) => row.slice(rows.length)), logDet };
}

const divergence = (m, s, p) => (s ** 2 + m ** 2) / (2 * p ** 2) - 0.5 - Math.log(s / p);

export function meanFieldRegression({ x, y, noise_scale: [noise], prior_scale: prior, new: ahead }, shape) {
  const [n, d] = shape.x, k = shape.y[1], at = (a, i) => x[a * d + i];
  const precision = range(d).map((i) =>
    range(d).map((j) => sum(range(n).map((a) => at(a, i) * at(a, j))) / noise ** 2 + (i === j ? prior[i] ** -2 : 0)));
  const right = range(d).map((i) =>
    range(k).map((c) => sum(range(n).map((a) => at(a, i) * y[a * k + c])) / noise ** 2));
  const { solution: mean, logDet } = eliminate(precision, right);
  const scale = precision.map((row, i) => 1 / Math.sqrt(row[i]));
  const rest = range(n * k).map((e) =>
    y[e] - sum(range(d).map((i) => at(Math.floor(e / k), i) * mean[i][e % k])));
  const spread = sum(x.map((a, e) => (a * scale[e % d]) ** 2));
  const constant = n * k * (LOG_2PI + 2 * Math.log(noise));
  const shift = sum(mean.flatMap((row, i) => row.map((m) => (m / prior[i]) ** 2)));
  const kl = sum(mean.flatMap((row, i) => row.map((m) => divergence(m, scale[i], prior[i]))));
  const squares = sum(rest.map((r) => r ** 2)) / noise ** 2; // with shift: the quadratic form of the evidence
  return {
    mean: mean.flat(),
    scale,
    predictive_variance: range(shape.new[0]).map((a) =>
      noise ** 2 + sum(scale.map((s, i) => (ahead[a * d + i] * s) ** 2))),
    log_evidence: [-(constant + k * (logDet + 2 * sum(prior.map(Math.log))) + squares + shift) / 2],
    elbo: [-(constant + squares + (k * spread) / noise ** 2) / 2 - kl],
    gap: [(k / 2) * (sum(precision.map((row, i) => Math.log(row[i]))) - logDet)],
    kl: [kl],
  };
}

export function regressionBound({ x, y, noise_scale: [noise], prior_scale: prior, q_mean: mean, q_scale: scale }, shape) {
  const [n, d] = shape.x, k = shape.y[1], kl = sum(mean.map((m, w) => divergence(m, scale[w], prior[Math.floor(w / k)])));
  const rest = y.map((b, e) => b - sum(range(d).map((i) => x[Math.floor(e / k) * d + i] * mean[i * k + (e % k)])));
  const squares = range(d).map((i) => sum(range(n).map((a) => x[a * d + i] ** 2)));
  const spread = sum(scale.map((s, w) => squares[Math.floor(w / k)] * s ** 2));
  const expected = -(n * k * (LOG_2PI + 2 * Math.log(noise)) + (sum(rest.map((r) => r ** 2)) + spread) / noise ** 2) / 2;
  return {
    elbo: [expected - kl],
    kl: [kl],
    elbo_grad_q_mean: mean.map((m, w) => {
      const i = Math.floor(w / k), along = sum(range(n).map((a) => x[a * d + i] * rest[a * k + (w % k)]));
      return along / noise ** 2 - m / prior[i] ** 2;
    }),
    elbo_grad_q_scale: scale.map((s, w) => {
      const i = Math.floor(w / k);
      return 1 / s - s * (squares[i] / noise ** 2 + prior[i] ** -2);
    }),
  };
}
