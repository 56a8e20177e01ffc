"""Prints the results of `dashnas bench search` on several data sets as a Markdown table.

    python3 benches/search_table.py benches/search/*.json

Each file is the `bench.json` of a bench. Percentiles are the percentage of random networks that are worse, by the
metric and by the loss on the test split, with the 95 % bootstrap interval; ratios are those of mean errors. The last
line has the mean percentiles and the geometric means of the ratios. Needs only Python's standard library.
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


def table(documents):
    rows = [HEAD, ["---"] * len(HEAD), *map(row, documents), last(documents)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    documents = []
    for path in sys.argv[1:]:
        with open(path) as file:
            documents.append(json.load(file))
    print(table(sorted(documents, key=lambda document: document["dataset"])))


if __name__ == "__main__":
    main()
