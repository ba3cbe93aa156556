#!/usr/bin/env python3
"""Runs a command once for each file, as many at a time as there are processors; prints TAP.

usage: per_file.py COMMAND… -- FILE…    the file is the command's last argument

A file passes when the command exits 0. What a failing command printed is shown as comments.
"""

import concurrent.futures
import os
import subprocess
import sys


def run(command, file):
    done = subprocess.run([*command, file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def main():
    split = sys.argv.index("--")
    command, files = sys.argv[1:split], sys.argv[split + 1:]
    failed = 0
    print(f"1..{len(files)}")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = pool.map(lambda file: run(command, file), files)
        for number, (file, (status, output)) in enumerate(zip(files, results), 1):
            print(f"{'not ' if status else ''}ok {number} - {file}", flush=True)
            if status:
                failed += 1
                for line in output.splitlines():
                    print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
