"""Times training steps of this program and of a PyTorch program, case by case in turn, and prints
the table of ratios.

    cargo build --release --bin dashnas
    python3 benches/compare.py --peer PATH/TO/torch_supernet.py --python PATH/TO/python-with-torch

The peer takes --case, --mode, --depthwise, --steps, --threads and --json, and prints one JSON object
with `seconds` and `peak_mib`. Each cell runs ours and the peer's in turn, `--rounds` times; seconds
are medians over the rounds, memory is the largest seen. Needs only Python's standard library.
"""
import argparse, json, os, statistics, subprocess, sys

CASES = ["cifar", "ninapro", "darcy29", "satellite", "ecg", "seqmnist"]
MODES = [("dash", False), ("dash", True), ("backbone", False), ("retrain", False)]
# Slow, so only where --modes asks for them.
OTHERS = [("mixed-weights", False), ("mixed-results", False)]


def run(command):
    # A BLAS pinned to an older core type would slow the peer down.
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--peer", required=True, help="the PyTorch program")
    p.add_argument("--python", default=sys.executable, help="an interpreter that has torch")
    p.add_argument("--ours", default="target/release/dashnas")
    p.add_argument("--cases", nargs="+", default=CASES)
    p.add_argument("--modes", nargs="+", help="of dash, dash-depthwise, backbone, retrain, mixed-weights and mixed-results")
    p.add_argument("--steps", default="3")
    p.add_argument("--threads", default="2")
    p.add_argument("--rounds", type=int, default=1)
    a = p.parse_args()
    print("| case | mode | ours s | peer s | faster | ours MiB | peer MiB | memory |")
    print("|---|---|---|---|---|---|---|---|")
    for case in a.cases:
        for mode, depthwise in MODES + OTHERS:
            name = mode + ("-depthwise" if depthwise else "")
            if name not in a.modes if a.modes else (mode, depthwise) in OTHERS:
                continue
            options = ["--case", case, "--mode", mode, "--steps", a.steps, "--threads", a.threads, "--json"]
            options += ["--depthwise"] if depthwise else []
            ours, peer = [], []
            for _ in range(a.rounds):
                ours.append(run([a.ours, "bench", "step", *options]))
                peer.append(run([a.python, a.peer, *options]))
            seconds = [statistics.median(r["seconds"] for r in side) for side in (ours, peer)]
            memory = [max(r["peak_mib"] for r in side) for side in (ours, peer)]
            print(
                f"| {case} | {name} | {seconds[0]:.4f} | {seconds[1]:.4f} | {seconds[1] / seconds[0]:.1f}x "
                f"| {memory[0]} | {memory[1]} | {memory[0] / memory[1]:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
