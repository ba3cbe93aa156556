"""The corpus is what its README says: columns, codes, no message twice or nearly so."""

import collections
import pathlib
import re
import unicodedata
import unittest

CORPUS = pathlib.Path(__file__).resolve().parent
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


NEAR = 0.8     # from which similarity on a row is another one's near-duplicate
COMMON = 300   # a trigram in more rows than this says nothing


def letters(text):
    """The text without what may differ between copies: case, width, signs and blanks."""
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text).lower()) or text


def near_duplicates(texts):
    """Pairs of texts whose character trigrams are nearly the same (Jaccard's coefficient)."""
    sets, places, pairs = [], collections.defaultdict(list), []
    for number, text in enumerate(map(letters, texts)):
        own = frozenset(text[i:i + 3] for i in range(len(text) - 2))
        shared = collections.Counter(other for trigram in own if len(places[trigram]) < COMMON
                                     for other in places[trigram])
        for other, count in shared.items():
            if count / (len(own) + len(sets[other]) - count) >= NEAR:
                pairs.append((texts[other], texts[number]))
        sets.append(own)
        if len(own) > 4:
            for trigram in own:
                places[trigram].append(number)
    return pairs


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
            key = letters(row["text"])
            self.assertNotIn(key, seen, f"{where} repeats line {seen.get(key)}")
            seen[key] = number
        return len(seen)

    def test_japanese(self):
        self.assertGreaterEqual(self.check_file("ja.tsv"), 8000)

    def test_english(self):
        self.assertGreaterEqual(self.check_file("en.tsv"), 3000)

    def test_near_duplicates(self):
        for name in ("ja.tsv", "en.tsv"):
            texts = [fields[-1] for _, _, fields in rows(name)]
            pairs = near_duplicates(texts)
            self.assertLessEqual(len(pairs), len(texts) // 500, f"{name}: {pairs[:10]}")

    def test_tables_of_the_rules(self):
        for name in ("labels-ja.tsv", "labels-en.tsv"):
            for number, header, fields in rows(name):
                self.assertEqual(len(fields), len(header), f"{name}:{number}")
                self.check_row(f"{name}:{number}", dict(zip(header, fields)))


if __name__ == "__main__":
    unittest.main()
