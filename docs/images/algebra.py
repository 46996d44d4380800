"""Draws algebra.svg, the picture of how a layer is composed: `python docs/images/algebra.py`."""

from __future__ import annotations

from pathlib import Path

STYLE = """
  .ground { fill: #ffffff } .box { fill: #f4f6fa; stroke: #5b6b85 } .line { stroke: #5b6b85; fill: none }
  .head { fill: #5b6b85 } text { fill: #1c2430; font: 14px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #4a5668 } .row { font-size: 13.5px }
  .math { font: italic 14px Georgia, 'Times New Roman', serif }
  .posterior { stroke: #2563c9 } .estimator { stroke: #b4540a } .map { stroke: #1d7a46 } .divergence { stroke: #8a3ab9 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .box { fill: #1a212c } .line { stroke: #93a1b8 } .head { fill: #93a1b8 }
    text { fill: #e6edf3 } .small { fill: #aab6c6 }
    .posterior { stroke: #6aa5ff } .estimator { stroke: #f0a05a }
    .map { stroke: #5fcf8e } .divergence { stroke: #cf8ef5 }
  }
"""

WIDTH, HEIGHT, BOX = 900, 430, 178
COLUMNS = {"posterior": 16, "estimator": 258, "map": 500}


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{words}</text>'


def box(x: float, y: float, kind: str, question: str, lines: list[str]) -> str:
    """A card: the name of a part, the question that it answers, and what there is to choose from."""
    height, middle = 62 + 19 * len(lines), x + BOX / 2
    parts = [f'<rect x="{x}" y="{y}" width="{BOX}" height="{height}" rx="8" class="box {kind}" stroke-width="2"/>']
    parts += [text(middle, y + 24, kind, "title"), text(middle, y + 43, question, "small")]
    parts += [text(middle, y + 66 + 19 * i, line) for i, line in enumerate(lines)]
    return "".join(parts)


def arrow(path: str, label: str, x: float, y: float, kind: str = "math", anchor: str = "middle") -> str:
    return f'<path d="{path}" class="line" stroke-width="1.6" marker-end="url(#head)"/>' + text(
        x, y, label, kind, anchor
    )


def picture() -> str:
    top, p, e, m = 78, *COLUMNS.values()
    centre = top + 70
    parts = [
        box(p, top, "posterior", "the law of the weights", ["Gaussian", "multiplicative", "additive", "point"]),
        box(e, top, "estimator", "how it reaches the output", ["shared", "flipout", "local", "plain"]),
        box(m, top, "map", "bilinear, with two adjoints", ["dense", "convolution", "transposed", "bias"]),
        box(
            p,
            290,
            "divergence",
            "from the law to its prior",
            ["Gaussian, Laplace", "scale mixture", "log-uniform, ARD"],
        ),
        arrow(f"M{p + BOX} {centre} H{e - 6}", "mean,", (p + BOX + e) / 2, centre - 26),
        text((p + BOX + e) / 2, centre - 10, "scale", "math"),
        arrow(f"M{e + BOX} {centre} H{m - 6}", "operands", (e + BOX + m) / 2, centre - 10, "small"),
        arrow(f"M{m + BOX} {centre} H{m + BOX + 62}", "y", m + BOX + 76, centre + 5),
        arrow(f"M{p + BOX / 2} 30 V{top - 6}", "parameters", p + BOX / 2 + 10, 46, "small", "start"),
        arrow(f"M{e + BOX / 2} 30 V{top - 6}", "noise, as arrays", e + BOX / 2 + 10, 46, "small", "start"),
        arrow(f"M{m + BOX / 2} 30 V{top - 6}", "x", m + BOX / 2 + 10, 48, "math", "start"),
        arrow(
            f"M{p + BOX / 2} {top + 138} V284", "mean, log scale, log alpha", p + BOX / 2 + 10, 256, "small", "start"
        ),
        arrow(f"M{p + BOX} 350 H{e - 6}", "KL", e + 12, 355),
        text(m + BOX + 30, centre + 44, "each rule", "small", "start"),
        text(m + BOX + 30, centre + 60, "forward and backward,", "small", "start"),
        text(m + BOX + 30, centre + 76, "derived once", "small", "start"),
    ]
    rows = [
        ("Bayes by Backprop", "Gaussian", "shared", "Gaussian KL"),
        ("flipout", "Gaussian", "flipout", "Gaussian KL"),
        ("local reparameterization", "Gaussian", "local", "Gaussian KL"),
        ("variational dropout", "multiplicative", "local", "log-uniform KL"),
        ("sparse variational dropout", "additive", "local", "log-uniform KL"),
    ]
    for i, (name, *three) in enumerate(rows):
        y = 314 + 22 * i
        parts += [text(318, y, name, "row", "start"), text(508, y, "=", "row")]
        parts += [text(524, y, " × ".join([three[0], three[1], "any map", three[2]]), "row", "start")]
    head = '<marker id="head" markerWidth="9" markerHeight="9" refX="6" refY="4" orient="auto">'
    head += '<path d="M0 0 L8 4 L0 8 z" class="head"/></marker>'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" class="ground"/>'
    title = "A posterior, an estimator, a map and a divergence make a layer"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n<defs>{head}</defs>\n{ground}\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture(), encoding="utf-8")
