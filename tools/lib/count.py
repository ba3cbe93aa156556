#!/usr/bin/env python3
"""Counts passed, failed and skipped tests in a log, whoever wrote it.

usage: count.py EXIT-STATUS < LOG       prints "PASSED FAILED SKIPPED"

Understood are automake's totals (make check), Python's unittest, pg_prove's files of TAP, and
bare TAP. Several may stand in one log; they are added up. A stage that exits non-zero without a
counted failure, or that counted nothing at all, counts as one failure.
"""

import re
import sys

AUTOMAKE = re.compile(r"^# (PASS|FAIL|ERROR|SKIP|XFAIL|XPASS): +(\d+)$")
AUTOMAKE_KIND = {"PASS": 0, "XFAIL": 0, "FAIL": 1, "ERROR": 1, "XPASS": 1, "SKIP": 2}
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ")
UNITTEST_RESULT = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$")
UNITTEST_WORDS = {"failures": 1, "errors": 1, "unexpected successes": 1, "skipped": 2}
TAP = re.compile(r"^(not )?ok\b(.*)$")
TAP_SKIP = re.compile(r"#\s*(skip|todo)\b", re.IGNORECASE)
PROVE_TESTS = re.compile(r"^Files=\d+, Tests=(\d+),")
PROVE_FAILED = re.compile(r"\bFailed (\d+)/\d+ subtests")
PROVE_SKIPPED = re.compile(r"\(less (\d+) skipped subtests?:")


def count_unittest(ran, words):
    counts = [ran, 0, 0]
    for word in (words or "").split(", "):
        name, _, number = word.partition("=")
        if name in UNITTEST_WORDS:
            counts[UNITTEST_WORDS[name]] += int(number)
            counts[0] -= int(number)
    # A failure in setUpClass is an error without a test that ran.
    counts[0] = max(counts[0], 0)
    return counts


def count(lines):
    """Returns [passed, failed, skipped] of the log's lines."""
    total = [0, 0, 0]
    bare_tap = [0, 0, 0]
    has_prove = False
    failed_of_prove = skipped_of_prove = ran = 0

    def add(counts):
        for i in range(3):
            total[i] += counts[i]

    for line in lines:
        line = line.rstrip("\r\n")
        if match := AUTOMAKE.match(line):
            total[AUTOMAKE_KIND[match[1]]] += int(match[2])
        elif match := UNITTEST_RAN.match(line):
            ran = int(match[1])
        elif match := UNITTEST_RESULT.match(line):
            add(count_unittest(ran, match[1]))
            ran = 0
        elif match := PROVE_TESTS.match(line):
            has_prove = True
            add([int(match[1]) - failed_of_prove - skipped_of_prove, failed_of_prove,
                 skipped_of_prove])
            failed_of_prove = skipped_of_prove = 0
        elif match := PROVE_FAILED.search(line):
            failed_of_prove += int(match[1])
        elif match := TAP.match(line):
            kind = 2 if TAP_SKIP.search(match[2]) else 1 if match[1] else 0
            bare_tap[kind] += 1
        if match := PROVE_SKIPPED.search(line):
            skipped_of_prove += int(match[1])
    if not has_prove:
        add(bare_tap)
    return total


def main():
    status = int(sys.argv[1])
    counts = count(sys.stdin.buffer.read().decode("utf-8", "replace").splitlines())
    if counts[1] == 0 and (status != 0 or sum(counts) == 0):
        counts[1] = 1
    print(*counts)


if __name__ == "__main__":
    main()
