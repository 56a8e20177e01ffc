"""Times `dashnas inspect` on a large table against polars reading the same table, side by side.

    python benches/tables.py target/release/dashnas [--rows 200000] [--columns 385] [--repeat 3] [--keep FOLDER]

It writes the table as CSV and as Parquet, of random numbers with four decimals and a label, and prints for each format
the seconds of both (the fastest of the repetitions, which alternate) and the largest resident set of `dashnas`.
Needs polars, pyarrow and NumPy.
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


def timed(command):
    """The seconds of a command and the megabytes of its resident set."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status != 0:
        sys.exit(f"{command} failed")
    return seconds, usage.ru_maxrss / 1024


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
        for name, read in [("table.csv", "read_csv"), ("table.parquet", "read_parquet")]:
            path = folder / name
            ours, theirs, memory = [], [], 0
            polars = [sys.executable, "-c", f"import polars; polars.{read}({str(path)!r}).describe"]
            for _ in range(args.repeat):
                seconds, used = timed([args.dashnas, "inspect", path])
                ours.append(seconds)
                memory = max(memory, used)
                theirs.append(timed(polars)[0])
            size = path.stat().st_size / 1e6
            ratio = min(ours) / min(theirs)
            print(f"{name:<14} {size:7.0f} MB  dashnas {min(ours):6.2f} s, {memory:5.0f} MiB  polars {min(theirs):6.2f} s  {ratio:4.2f}x")


if __name__ == "__main__":
    main()
