"""mamori.conf(5) has every setting with the default and the range of lib/base/settings.c."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GIBIBYTE = 1 << 30
ROW = re.compile(r"\{AT\((\w+), (\w+)\), MM_SETTING_(\w+),\s*([^,]+?),\s*([^,]+),\s*([^,]+),")
ITEM = re.compile(r"^\.It Cm (\w+) No = ?(?:Pa )?(.*?)(?: \[(\d+) to (\d+)\])?$")


def settings_of_code():
    text = (ROOT / "lib/base/settings.c").read_text(encoding="utf-8")
    table = text[text.index("table[] = {"):text.index("SETTING_COUNT")]
    settings = {}
    for section, key, kind, default, least, most in ROW.findall(table):
        limits = None
        if kind in ("I64", "DOUBLE"):
            most = str(eval(most, {"GIBIBYTE": GIBIBYTE}))  # a product of literals in our source
            limits = (least, most)
        settings[section, key] = (default.strip('"'), limits)
    return settings, table.count("{AT(")


def settings_of_manual():
    settings, section = {}, None
    for line in (ROOT / "man/mamori.conf.5").read_text(encoding="utf-8").splitlines():
        if line.startswith(".Ss Section "):
            section = line.removeprefix(".Ss Section ")
        elif section and (match := ITEM.match(line)):
            key, default, least, most = match.groups()
            settings[section, key] = (default, (least, most) if least else None)
    return settings


class ManualTest(unittest.TestCase):
    def test_every_setting__stands_in_the_manual_as_in_the_code(self):
        code, rows = settings_of_code()
        manual = settings_of_manual()
        self.assertEqual(len(code), rows, "a row of the table was not understood")
        self.assertEqual(sorted(code), sorted(manual))
        for name, (default, limits) in code.items():
            with self.subTest(".".join(name)):
                self.assertEqual(manual[name][1], limits)
                if not default.startswith("MM_"):
                    self.assertEqual(manual[name][0], default)


if __name__ == "__main__":
    unittest.main()
