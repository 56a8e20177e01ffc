"""Draws the picture at the top of the README from a finished run.

    python3 docs/images/draw.py RUN_DIR > docs/images/darcy.svg

Left: how far each searched layer reaches over the input, beside the plain network's 3 x 3 kernels.
Right: the test error of both. Needs only Python's standard library.
"""
import json, pathlib, sys

run = json.loads((pathlib.Path(sys.argv[1]) / "metrics.json").read_text())
kernels, plain = run["architecture"], 3
reach = [(k - 1) * d + 1 for k, d in kernels]
W, H, left, top, chart_w, chart_h = 860, 330, 60, 58, 480, 200
scale = chart_h / max(reach)
out = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}" font-family="sans-serif" font-size="13">',
    f'<rect width="{W}" height="{H}" rx="8" fill="#ffffff"/>',
    f'<text x="{left}" y="30" font-size="16" fill="#222">Reach of each layer\'s kernel, in grid points ({run["dataset"]})</text>',
]
step = chart_w / len(reach)
for i, (r, (k, d)) in enumerate(zip(reach, kernels)):
    x, y = left + i * step, top + chart_h - r * scale
    out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.62:.1f}" height="{r * scale:.1f}" fill="#2a7ab9"/>')
    out.append(f'<text x="{x + step * 0.31:.1f}" y="{y - 5:.1f}" text-anchor="middle" fill="#222" font-size="11">{r}</text>')
    base = top + chart_h
    out.append(f'<text x="{x + step * 0.31:.1f}" y="{base + 17}" text-anchor="middle" fill="#444" font-size="11">k={k}</text>')
    out.append(f'<text x="{x + step * 0.31:.1f}" y="{base + 31}" text-anchor="middle" fill="#444" font-size="11">d={d}</text>')
y = top + chart_h - plain * scale
out.append(f'<line x1="{left - 6}" x2="{left + chart_w}" y1="{y:.1f}" y2="{y:.1f}" stroke="#c8553d" stroke-width="2" stroke-dasharray="6 4"/>')
out.append(f'<text x="{left}" y="{H - 18}" fill="#c8553d">- - plain network: 3 points in every layer</text>')
x0, high = 620, max(run["test"], run["baseline_test"])
out.append(f'<text x="{x0}" y="30" font-size="16" fill="#222">Test error (relative L2)</text>')
for i, (name, value, colour) in enumerate([("searched", run["test"], "#2a7ab9"), ("plain", run["baseline_test"], "#c8553d")]):
    h = chart_h * value / high
    x, y = x0 + 10 + i * 95, top + chart_h - h
    out.append(f'<rect x="{x}" y="{y:.1f}" width="64" height="{h:.1f}" fill="{colour}"/>')
    out.append(f'<text x="{x + 32}" y="{y - 6:.1f}" text-anchor="middle" fill="#222">{value:.4f}</text>')
    out.append(f'<text x="{x + 32}" y="{top + chart_h + 17}" text-anchor="middle" fill="#444">{name}</text>')
out.append("</svg>")
print("\n".join(out))
