"""Times `dashnas inspect` on a large table against polars reading the same table, side by side.

    python benches/tables.py target/release/dashnas [--rows 200000] [--columns 385] [--repeat 3] [--keep FOLDER]

It writes the table as CSV and as Parquet, of random numbers with four decimals and a label. For each format it prints the
seconds and the CPU seconds (of all threads, user and system) of both programs, their ratios, and the largest resident sets.
Of the repetitions, which alternate, it takes the fastest. Needs polars, pyarrow and NumPy.

The two do not do the same. polars is started in a Python of its own, which imports it (the line `polars` of the output is
what that takes alone), and reads the whole table into memory, in columns; it computes nothing. `dashnas inspect` reads the
whole table as well, finds the role of each column, brings the numbers into the order of the samples, checks them, draws a
test split, looks for duplicates and outliers, and plans a run.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import polars as pl


def write(folder, rows, columns):
    """Writes the table in both formats."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns - 1)).round(4)
    frame = pl.DataFrame({f"x{c}": x[:, c] for c in range(columns - 1)})
    frame = frame.with_columns(label=pl.Series(rng.choice(["run", "sit", "walk"], rows)))
    frame.write_csv(folder / "table.csv")
    frame.cast({f"x{c}": pl.Float32 for c in range(columns - 1)}).write_parquet(folder / "table.parquet", compression="snappy")


class Cost:
    """The least seconds and CPU seconds of a command, and the most megabytes of its resident set."""

    def __init__(self):
        self.seconds = self.cpu = float("inf")
        self.memory = 0

    def run(self, command):
        before = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{command} failed")
        self.seconds = min(self.seconds, time.perf_counter() - before)
        self.cpu = min(self.cpu, usage.ru_utime + usage.ru_stime)
        self.memory = max(self.memory, usage.ru_maxrss / 1024)

    def __str__(self):
        return f"{self.seconds:6.2f} s, {self.cpu:6.2f} s CPU, {self.memory:5.0f} MiB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dashnas", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=385)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "table.parquet").exists():
            write(folder, args.rows, args.columns)
        start = Cost()
        for _ in range(args.repeat):
            start.run([sys.executable, "-c", "import polars"])
        print(f"{'polars':<14}         import  {start}")
        for name, read in [("table.csv", "read_csv"), ("table.parquet", "read_parquet")]:
            path = folder / name
            ours, theirs = Cost(), Cost()
            for _ in range(args.repeat):
                ours.run([args.dashnas, "inspect", path])
                theirs.run([sys.executable, "-c", f"import polars; polars.{read}({str(path)!r})"])
            size = path.stat().st_size / 1e6
            ratios = f"{ours.seconds / theirs.seconds:4.2f}x, {ours.cpu / theirs.cpu:4.2f}x CPU"
            print(f"{name:<14} {size:5.0f} MB  dashnas {ours}  polars {theirs}  {ratios}")


if __name__ == "__main__":
    main()
