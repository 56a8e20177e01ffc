"""Makes the portfolio of the race, crates/dashnas/src/race/portfolio.json, from runs on several data sets.

    python3 benches/portfolio.py series RUNS DATA... [--dashnas target/release/dashnas] [--workers 2]
    python3 benches/portfolio.py images RUNS DATA...
    python3 benches/portfolio.py dense RUNS DATA...

For each data set it tunes and trains the architectures below and some random ones (`dashnas run --architecture`), with
the preset quick, one learning rate and 400 steps, into RUNS/NAME/ARCHITECTURE. Finished runs are kept. The quality of an
architecture on a data set is the logarithm of its test error ((e + 1/2)/(n + 1) for error rates), minus the mean of the
random architectures, divided by their standard deviation, at most 2.5 in size. The portfolio has the sum over the n
data sets divided by n + 1: a quality that was seen on few sets counts less. Data sets on which every network is equally
good are left out. The noise and the spread of the model are set by
hand, from how well short trials rank the networks.

Data sets that results are reported for must not be used here.
"""

import argparse
import json
import math
import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

PORTFOLIO = pathlib.Path(__file__).parent.parent / "crates/dashnas/src/race/portfolio.json"
RANDOM = 6
LARGEST = 2.5

# One kernel for each segment of the searched layers: the first layer, and thirds of the others.
CANDIDATES = {
    "series": [
        [[7, 1], [7, 1], [7, 3], [7, 7]],
        [[7, 3], [7, 3], [7, 3], [7, 3]],
        [[3, 1], [11, 3], [11, 3], [11, 3]],
        [[3, 1], [3, 1], [7, 1], [11, 3]],
        [[7, 1], [7, 1], [7, 1], [7, 1]],
        [[19, 1], [19, 1], [19, 1], [19, 1]],
    ],
    "images": [
        [[3, 1], [3, 1], [5, 1], [9, 1]],
        [[9, 1], [9, 1], [5, 1], [3, 1]],
        [[5, 1], [5, 1], [5, 1], [5, 1]],
        [[9, 1], [9, 1], [9, 1], [9, 1]],
        [[3, 3], [3, 3], [3, 3], [3, 3]],
        [[3, 1], [5, 3], [5, 3], [5, 3]],
    ],
}
CANDIDATES["dense"] = CANDIDATES["images"]


def layers(segments, count):
    """The kernels of all layers, as Geometry::segment in crates/dashnas/src/race/features.rs divides them."""
    return [segments[0 if i == 0 else 1 + (i - 1) * 3 // (count - 1)] for i in range(count)]


def run(dashnas, data, out, architecture):
    """Trains one architecture, unless that has been done; the outcome."""
    metrics = out / "metrics.json"
    if not metrics.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [dashnas, "run", data, "--preset", "quick", "--no-baseline", "--quiet", "--threads", "1"]
        command += ["--set", "tune.learning-rates=[0.1]", "--set", "retrain.min-steps=400"]
        command += ["--set", "retrain.max-steps=400", "--architecture", architecture, "--out", str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(metrics.read_text())


def log_error(outcome):
    error, samples = outcome["test"], outcome["samples"][1]
    if outcome["metric"] == "zero-one-error":
        error = (error * samples + 0.5) / (samples + 1)
    return math.log(error)


def standardized(value, others):
    mean = sum(others) / len(others)
    deviation = math.sqrt(sum((o - mean) ** 2 for o in others) / len(others))
    return max(-LARGEST, min(LARGEST, (value - mean) / deviation)) if deviation > 1e-9 else None


def measure(kind, runs, data, dashnas):
    """The quality of each candidate and of the plain network on a data set; None where all networks are equal."""
    folder = runs / pathlib.Path(data).name
    random = [run(dashnas, data, folder / f"random-{i}", f"random:{i}") for i in range(RANDOM)]
    count = len(random[0]["architecture"])
    others = [log_error(outcome) for outcome in random]
    plain = [[7, 1], [5, 1], [3, 1]] * (count // 3) if kind == "series" else [[3, 1]] * count
    qualities = []
    for name, kernels in [("plain", plain)] + [(str(i), layers(s, count)) for i, s in enumerate(CANDIDATES[kind])]:
        file = folder / f"{name}.json"
        file.write_text(json.dumps({"kernels": kernels}))
        qualities.append(standardized(log_error(run(dashnas, data, folder / name, str(file))), others))
    return None if None in qualities else qualities


def text(portfolio):
    """The portfolio as JSON with one architecture in each line."""
    kinds = []
    for kind, known in portfolio.items():
        entries = ",\n".join("   " + json.dumps(entry) for entry in known["portfolio"])
        rest = ",\n".join(f'  "{key}": {json.dumps(value)}' for key, value in known.items() if key != "portfolio")
        kinds.append(f' "{kind}": {{\n  "portfolio": [\n{entries}\n  ],\n{rest}\n }}')
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=CANDIDATES)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--dashnas", default="target/release/dashnas")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with ThreadPoolExecutor(args.workers) as pool:
        measured = pool.map(lambda data: measure(args.kind, args.runs, data, args.dashnas), args.data)
        tables = [table for table in measured if table]
    means = [sum(column) / (len(column) + 1) for column in zip(*tables)]
    for name, values in zip(["plain"] + CANDIDATES[args.kind], zip(*tables)):
        print(name, [round(v, 2) for v in values])
    portfolio = json.loads(PORTFOLIO.read_text())
    entries = [{"kernels": k, "quality": round(q, 2)} for k, q in zip(CANDIDATES[args.kind], means[1:])]
    known = portfolio[args.kind]
    known["plain"], known["portfolio"] = round(means[0], 2), sorted(entries, key=lambda entry: entry["quality"])
    PORTFOLIO.write_text(text(portfolio))


if __name__ == "__main__":
    main()
