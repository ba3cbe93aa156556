"""The figures on the corpus's test split do not fall below those recorded in floors.json."""

import json
import unittest

from evaluate import HERE, evaluate

# Less is better; of everything else more is.
COSTS = {"false_positive_rate", "hard_false_positive_rate", "calibration_error"}


class Figures(unittest.TestCase):
    def check(self, name, options, floors):
        figures = evaluate(HERE / name, *options)
        for key, floor in floors.items():
            with self.subTest(f"{name} {key}"):
                if key in COSTS:
                    self.assertLessEqual(figures[key], floor)
                else:
                    self.assertGreaterEqual(figures[key], floor)

    def test_split__each_figure__keeps_its_floor(self):
        floors = json.loads((HERE / "floors.json").read_text(encoding="utf-8"))
        for name, entry in floors.items():
            self.check(name, entry["options"], entry["figures"])


if __name__ == "__main__":
    unittest.main()
