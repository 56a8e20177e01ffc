"""Makes two small data sets with the standard library alone.

    samples.py FOLDER

`waves_train.csv` and `waves_test.csv`: noisy waves of three shapes, to be told apart. `speeds_train.csv` and
`speeds_test.csv`: noisy waves whose frequency is to be found.
"""

import csv
import math
import pathlib
import random
import sys

LENGTH = 48
SHAPES = {
    "round": math.sin,
    "square": lambda t: math.copysign(1, math.sin(t)),
    "saw": lambda t: (t / math.pi) % 2 - 1,
}


def wave(shape, speed, draw):
    start = draw.uniform(0, 2 * math.pi)
    return [round(shape(start + speed * i) + draw.gauss(0, 0.3), 4) for i in range(LENGTH)]


def write(path, rows):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow([f"t{i}" for i in range(LENGTH)] + ["label"])
        out.writerows(rows)


def main():
    folder = pathlib.Path(sys.argv[1])
    draw = random.Random(360)
    for part, count in (("train", 120), ("test", 60)):
        names = [list(SHAPES)[i % 3] for i in range(count)]
        write(folder / f"waves_{part}.csv", [wave(SHAPES[n], draw.uniform(0.3, 0.6), draw) + [n] for n in names])
        speeds = [round(draw.uniform(0.2, 0.8), 4) for _ in range(count)]
        write(folder / f"speeds_{part}.csv", [wave(math.sin, s, draw) + [s] for s in speeds])


main()
