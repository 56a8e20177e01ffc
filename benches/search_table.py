"""Prints the results of `dashnas bench search` on several data sets as a Markdown table.

    python3 benches/search_table.py benches/search/*.json
    python3 benches/search_table.py --ceiling benches/search/ceiling/*.json

Each file is the `bench.json` of a bench. Percentiles are the percentage of random networks that are worse, by the
metric and by the loss on the test split, with the 95 % bootstrap interval; ratios are those of mean errors. The last
line has the mean percentiles and the geometric means of the ratios. Needs only Python's standard library.

With --ceiling, the table shows what can be reached at all: the best random network by the test split, which no search
can know, and the one that a search finds that tunes all of them and takes the best by validation.
"""
import json, math, sys

HEAD = [
    "data set", "metric", "random: mean [least, largest]", "plain", "paper", "searched", "whole run",
    "percentile", "percentile by loss", "whole: percentile", "paper: percentile",
    "searched / random", "searched / plain", "whole / plain",
]
PERCENT = "zero-one-error"


def errors(document, group):
    return [network["test"] for network in document[group] if network["test"] is not None]


def mean(values):
    return sum(values) / len(values) if values else None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values and min(values) > 0 else None


def value(document, number):
    if number is None:
        return "-"
    return f"{100 * number:.2f} %" if document["metric"] == PERCENT else f"{number:.4f}"


def number(number, digits):
    return "-" if number is None else f"{number:.{digits}f}"


def percentile(document, group, measure):
    found, interval = document["percentile"][group][measure], document["percentile_interval"][group][measure]
    if found is None:
        return "-"
    return f"{found:.1f}" + (f" [{interval[0]:.0f}, {interval[1]:.0f}]" if interval else "")


def row(document):
    random = errors(document, "random")
    spread = f" [{value(document, min(random))}, {value(document, max(random))}]" if random else ""
    ratios = [
        document["ratio_to_random"]["searched"]["metric"],
        document["ratio_to_plain"]["searched"]["metric"],
        document["ratio_to_plain"]["whole"]["metric"],
    ]
    done, planned = document["finished"]
    name = document["dataset"] + ("" if done == planned else f" ({done} of {planned})")
    return [
        name,
        document["metric"],
        value(document, mean(random)) + spread,
        *(value(document, mean(errors(document, group))) for group in ("plain", "paper", "searched", "whole")),
        percentile(document, "searched", "metric"),
        percentile(document, "searched", "loss"),
        percentile(document, "whole", "metric"),
        percentile(document, "paper", "metric"),
        *(number(ratio, 3) for ratio in ratios),
    ]


def last(documents):
    def percentiles(group, measure):
        found = [document["percentile"][group][measure] for document in documents]
        return number(mean([f for f in found if f is not None]), 1)

    def ratios(to, group):
        found = [document[to][group]["metric"] for document in documents]
        return number(geometric_mean([f for f in found if f is not None]), 3)

    return [
        f"all {len(documents)}", "", "", "", "", "", "",
        percentiles("searched", "metric"), percentiles("searched", "loss"),
        percentiles("whole", "metric"), percentiles("paper", "metric"),
        ratios("ratio_to_random", "searched"), ratios("ratio_to_plain", "searched"), ratios("ratio_to_plain", "whole"),
    ]


CEILING = [
    "data set", "random networks", "mean", "best by the test split", "best by validation", "its percentile",
    "searched", "percentile", "percentile by loss", "Kendall's tau of the validation loss",
]


def ceiling_row(document):
    random = [network for network in document["random"] if network["test"] is not None]
    found = min(random, key=lambda network: network["validation"])
    others = [network for network in random if network is not found]
    worse = sum(1.0 if o["test"] > found["test"] else 0.5 if o["test"] == found["test"] else 0.0 for o in others)
    signals = {signal["signal"]: signal for signal in document["kendall"]}
    return [
        document["dataset"], str(len(random)),
        value(document, mean([network["test"] for network in random])),
        value(document, min(network["test"] for network in random)),
        value(document, found["test"]),
        f"{100 * worse / len(others):.0f}",
        value(document, mean(errors(document, "searched"))),
        percentile(document, "searched", "metric"),
        percentile(document, "searched", "loss"),
        number(signals["validation loss"]["tau"], 2),
    ]


def ceiling(documents):
    rows = [CEILING, ["---"] * len(CEILING), *map(ceiling_row, documents)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def table(documents):
    rows = [HEAD, ["---"] * len(HEAD), *map(row, documents), last(documents)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paths = [argument for argument in sys.argv[1:] if argument != "--ceiling"]
    documents = []
    for path in paths:
        with open(path) as file:
            documents.append(json.load(file))
    documents.sort(key=lambda document: document["dataset"])
    print(ceiling(documents) if "--ceiling" in sys.argv else table(documents))


if __name__ == "__main__":
    main()
