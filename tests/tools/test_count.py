"""tools/lib/count.py: every kind of log that tools/check reads is counted as it is meant."""

import importlib.util
import pathlib
import unittest

PATH = pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib" / "count.py"
SPEC = importlib.util.spec_from_file_location("count", PATH)
COUNT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(COUNT)

LOGS = [
    ("empty", "", [0, 0, 0]),
    ("automake", "# TOTAL: 9\n# PASS:  4\n# SKIP:  1\n# XFAIL: 1\n# FAIL:  2\n# XPASS: 0\n"
                 "# ERROR: 1\n", [5, 3, 1]),
    ("unittest_ok", "Ran 12 tests in 0.1s\n\nOK\n", [12, 0, 0]),
    ("unittest_one_test_skipped", "Ran 1 test in 0.1s\n\nOK (skipped=1)\n", [0, 0, 1]),
    ("unittest_failed", "Ran 9 tests in 3s\n\nFAILED (failures=1, errors=2, skipped=3)\n",
     [3, 3, 3]),
    ("unittest_class_failed", "Ran 0 tests in 0.1s\n\nFAILED (errors=1)\n", [0, 1, 0]),
    ("unittest_twice", "Ran 2 tests in 0s\n\nOK\nRan 3 tests in 0s\n\nFAILED (failures=1)\n",
     [4, 1, 0]),
    ("bare_tap", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no tool\n", [1, 1, 1]),
    ("tap_words_in_prose", "okay\nnot okay\nall ok\n", [0, 0, 0]),
    ("prove_ok", "a.sql .. ok\nAll tests successful.\nFiles=2, Tests=31,  1 wallclock secs\n"
                 "Result: PASS\n", [31, 0, 0]),
    ("prove_verbose_counts_once", "ok 1 - a\nok 2 - b\nFiles=1, Tests=2,  0 wallclock secs\n",
     [2, 0, 0]),
    ("prove_failed", "# Failed test 3: \"x\"\na.sql .. Failed 2/8 subtests\n"
                     "Files=1, Tests=8,  1 wallclock secs\nResult: FAIL\n", [6, 2, 0]),
    ("prove_skipped", "a.sql .. ok\n\t(less 2 skipped subtests: 6 okay)\n"
                      "Files=1, Tests=8,  1 wallclock secs\n", [6, 0, 2]),
]


class CountTest(unittest.TestCase):
    def test_logs__of_every_kind__are_counted(self):
        for name, log, want in LOGS:
            with self.subTest(name):
                self.assertEqual(COUNT.count(log.splitlines()), want)


if __name__ == "__main__":
    unittest.main()
