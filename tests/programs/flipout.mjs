// A dense flipout layer that answers on its standard output. `--shared-signs` is a mistake.
import { createInterface } from "node:readline";

const [INPUTS, OUTPUTS] = [5, 16];
let held = {};
let state = 1n;

function uniform() { // splitmix64
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return (Number((z ^ (z >> 31n)) >> 11n) + 0.5) / 2 ** 53;
}
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const sign = () => (uniform() < 0.5 ? -1 : 1);
const softplus = (rho) => Math.max(rho, 0) + Math.log1p(Math.exp(-Math.abs(rho)));
const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));

function sample(x) {
  const w = held.rho.map((row) => row.map((rho) => softplus(rho) * normal()));
  const shared = process.argv.includes("--shared-signs") ? many(INPUTS + OUTPUTS, sign) : null;
  const y = x.map((row) => {
    const signs = shared ?? many(INPUTS + OUTPUTS, sign);
    return many(OUTPUTS, (o) =>
      row.reduce((sum, xi, i) => sum + xi * (held.mean[i][o] + signs[i] * signs[INPUTS + o] * w[i][o]), 0));
  });
  return { shape: [x.length, OUTPUTS], data: y };
}

const answers = {
  describe: () => ({
    description: { family: "dense", estimator: "flipout", inputs: INPUTS, outputs: OUTPUTS, name: "javascript" },
    abilities: ["seed", "load", "sample"],
    versions: { node: process.version },
  }),
  seed: ({ seed }) => { state = BigInt(seed); return {}; },
  load: ({ parameters }) => {
    held = { mean: parameters.mean.data, rho: parameters.rho.data };
    return {};
  },
  sample: ({ x }) => ({ y: sample(x.data) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  console.log(JSON.stringify({ id: message.id, ...answers[message.call](message) }));
}
