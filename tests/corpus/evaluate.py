"""Runs mamori eval and gives its figures; what the report and the test of the figures share."""

import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("MAMORI_BUILD", SOURCE / "build")).resolve()


def evaluate(path, *options, models=True):
    """The figures of one file as mamori eval --json prints them."""
    variables = {**os.environ, "MAMORI_DETECT_RULES_DIR": str(SOURCE / "rules"),
                 "MAMORI_DETECT_SITE_RULES_DIR": "", "MAMORI_DETECT_CACHE_DIR": "",
                 "MAMORI_DETECT_MODEL_DIR": str(BUILD / "model") if models else ""}
    done = subprocess.run([str(BUILD / "bin" / "mamori"), "eval", "--json", *options, str(path)],
                          env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)
