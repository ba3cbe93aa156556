"""The corpus is what its README says: columns, codes, no message twice."""

import pathlib
import re
import unicodedata
import unittest

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
SEVERITIES = {"none", "low", "medium", "high", "critical"}
SENTIMENTS = {"positive", "neutral", "negative", "anger"}
CATEGORIES = {"threat", "verbal_abuse", "defamation", "intimidation", "exposure_threat",
              "dogeza_demand", "persistence", "restraint", "discrimination", "sexual",
              "personal_attack", "excessive_demand"}
SIGNALS = {"urgent", "legal_mention", "churn", "self_harm", "accommodation", "injection",
           "pii_present", "human_requested"}


def rows(name):
    """The rows of a file as dictionaries, with their line numbers."""
    lines = (CORPUS / name).read_text(encoding="utf-8").split("\n")
    header = lines[0].split("\t")
    for number, line in enumerate(lines[1:-1], 2):
        yield number, header, line.split("\t")


def codes(text):
    return {code for code in text.split(",") if code}


class Corpus(unittest.TestCase):
    def check_row(self, where, row):
        self.assertIn(row["severity"], SEVERITIES, where)
        self.assertIn(row["sentiment"], SENTIMENTS, where)
        self.assertLessEqual(codes(row["categories"]), CATEGORIES, where)
        self.assertLessEqual(codes(row.get("signals", "")), SIGNALS, where)
        self.assertEqual(bool(codes(row["categories"])),
                         row["severity"] in ("medium", "high", "critical"), where)
        self.assertEqual(row["text"], row["text"].strip("\r\n"), where)
        self.assertTrue(1 <= len(row["text"]) <= 1000, where)

    def check_file(self, name):
        seen = {}
        for number, header, fields in rows(name):
            where = f"{name}:{number}"
            self.assertEqual(len(fields), len(header), where)
            row = dict(zip(header, fields))
            self.check_row(where, row)
            key = re.sub(r"\W", "", unicodedata.normalize("NFKC", row["text"]).lower()) or row["text"]
            self.assertNotIn(key, seen, f"{where} repeats line {seen.get(key)}")
            seen[key] = number
        return len(seen)

    def test_japanese(self):
        self.assertGreaterEqual(self.check_file("ja.tsv"), 8000)

    def test_english(self):
        self.assertGreaterEqual(self.check_file("en.tsv"), 3000)

    def test_tables_of_the_rules(self):
        for name in ("labels-ja.tsv", "labels-en.tsv"):
            for number, header, fields in rows(name):
                self.assertEqual(len(fields), len(header), f"{name}:{number}")
                self.check_row(f"{name}:{number}", dict(zip(header, fields)))


if __name__ == "__main__":
    unittest.main()
