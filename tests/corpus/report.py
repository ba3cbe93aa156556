#!/usr/bin/env python3
"""Writes REPORT.md: how often the verdicts are right, on the corpus's test split and on public sets.

usage: tests/corpus/report.py [--data DIR]

MAMORI_BUILD names the build folder, by default build/ of the clone. DIR holds the public sets, by
default ../shared/data beside the clone; what is not there is left out.
"""

import argparse
import pathlib

from evaluate import HERE, SOURCE, evaluate

CORPUS = [("Japanese", "ja.tsv"), ("English", "en.tsv")]

# key, what it is, the targets in Japanese and English (<: at most)
FIGURES = [
    ("precision", "precision", None, None),
    ("recall", "recall", None, None),
    ("f1", "F1", ">= 0.93", ">= 0.88"),
    ("false_positive_rate", "false positives", "<= 0.015", "<= 0.02"),
    ("hard_false_positive_rate", "false positives of hard negatives", "<= 0.03", None),
    ("evasion_recall", "recall of evasions", ">= 0.90", None),
    ("veiled_recall", "recall of veiled harassment", None, None),
    ("critical_high_recall", "critical found as high or critical", ">= 0.97", None),
    ("severity_accuracy", "severity accuracy", ">= 0.80", None),
    ("category_recall", "category recall", ">= 0.80", None),
    ("sentiment_accuracy", "sentiment accuracy", None, None),
    ("sentiment_macro_f1", "sentiment macro-F1", ">= 0.80", ">= 0.75"),
    ("anger_f1", "anger F1", ">= 0.85", None),
    ("calibration_error", "calibration error", "<= 0.05", "<= 0.05"),
]

# file, what it is, its licence, the figures that say something, the target
PUBLIC = [
    ("ja-benign-asdc-main.tsv", "Accommodation Search Dialog Corpus, main", "CC BY 4.0",
     ("false_positive_rate",), "<= 0.0003"),
    ("ja-benign-asdc-crowd.tsv", "the same, crowd", "CC BY 4.0", ("false_positive_rate",),
     "<= 0.0003"),
    ("ja-toxic-inspectionai-wide.tsv", "inspection-ai japanese-toxic-dataset", "Apache-2.0",
     ("precision", "recall", "f1", "false_positive_rate"), None),
    ("en-benign-clinc150.tsv", "clinc150", "CC BY 3.0", ("false_positive_rate",), "<= 0.001"),
    ("en-toxic-convabuse-valid.tsv", "ConvAbuse, validation", "CC BY 4.0",
     ("precision", "recall", "f1", "false_positive_rate"), "F1 >= 0.70"),
    ("en-toxic-convabuse-train.tsv", "ConvAbuse, training", "CC BY 4.0",
     ("precision", "recall", "f1", "false_positive_rate"), None),
    ("en-emotion-goemotions-dev.tsv", "GoEmotions, four sentiments", "Apache-2.0",
     ("sentiment_accuracy", "sentiment_macro_f1"), None),
]


def value_of(figures, key):
    return figures["sentiments"]["anger"]["f1"] if key == "anger_f1" else figures.get(key)


def shown(value):
    return "" if value is None else f"{value:.4f}"


def corpus_table(models):
    results = [evaluate(HERE / name, "--split", "test", models=models) for _, name in CORPUS]
    lines = [f"| | Japanese ({results[0]['rows']} rows) | target | English ({results[1]['rows']} rows) "
             "| target |", "|---|---|---|---|---|"]
    for key, name, *targets in FIGURES:
        cells = [f"{shown(value_of(figures, key))} | {target or ''}"
                 for figures, target in zip(results, targets)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines, results


def category_table(results):
    lines = ["| category | Japanese precision | recall | English precision | recall |",
             "|---|---|---|---|---|"]
    for name in results[0]["categories"]:
        cells = [f"{shown(figures['categories'][name]['precision'])} | "
                 f"{shown(figures['categories'][name]['recall'])}" for figures in results]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def public_table(data):
    lines = ["| set | licence | rows | figures | target |", "|---|---|---|---|---|"]
    for name, what, licence, keys, target in PUBLIC:
        if not (data / name).is_file():
            continue
        figures = evaluate(data / name)
        cells = ", ".join(f"{key} {shown(figures.get(key))}" for key in keys)
        lines.append(f"| {what} | {licence} | {figures['rows']} | {cells} | {target or ''} |")
    return lines if len(lines) > 2 else ["None of the public sets was there."]


def report(data):
    together, results = corpus_table(True)
    return "\n".join([
        "# How often the verdicts are right", "",
        "Written by `tests/corpus/report.py`; the figures are those of `mamori eval`. The models are",
        "trained without the rows that are measured here: the fifth of the corpus that is kept for",
        "testing (README.md), and public sets, of which no row is in the corpus.", "",
        "## The corpus's test split, rules and models", "", *together, "",
        "### By category", "", *category_table(results), "",
        "## The same, rules alone", "", *corpus_table(False)[0], "",
        "## Public sets, rules and models", "", *public_table(data), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=pathlib.Path, default=SOURCE.parent / "shared" / "data")
    options = parser.parse_args()
    (HERE / "REPORT.md").write_text(report(options.data), encoding="utf-8")


if __name__ == "__main__":
    main()
