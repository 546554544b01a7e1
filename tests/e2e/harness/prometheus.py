# SPDX-License-Identifier: ISC
"""A strict reader of Prometheus' text format 0.0.4: what it does not expect is an error."""

import re
import shutil
import subprocess

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (-?[0-9.e+-]+|\+Inf|NaN)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


class Metrics(dict):
    """(name with suffix, labels as written) -> value; types: name -> type."""

    def __init__(self, text):
        super().__init__()
        self.types = {}
        assert text.endswith("\n")
        name, has_help = None, False
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, words = line[7:].split(" ", 1)
                assert re.fullmatch(NAME, name) and words and name not in self.types, line
                has_help = True
            elif line.startswith("# TYPE "):
                assert has_help, line
                has_help = False
                named, kind = line[7:].split(" ")
                assert named == name and kind in ("counter", "gauge", "histogram"), line
                assert (kind == "counter") == name.endswith("_total"), line
                self.types[name] = kind
            else:
                self._sample(name, line)
        for histogram in (n for n, kind in self.types.items() if kind == "histogram"):
            self._check_histogram(histogram)

    def _sample(self, name, line):
        match = SAMPLE.fullmatch(line)
        assert match, line
        sample, labels, value = match.groups()
        assert sample in [name + s for s in SUFFIXES.get(self.types[name], ("",))], line
        assert (sample, labels or "") not in self, line
        self[sample, labels or ""] = float(value)

    def _check_histogram(self, name):
        buckets = [(labels, n) for (sample, labels), n in self.items() if sample == name + "_bucket"]
        bounds = [float(re.fullmatch(r'le="(.*)"', labels).group(1)) for labels, _ in buckets]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), bounds
        counts = [n for _, n in buckets]
        assert counts == sorted(counts) and counts[-1] == self[name + "_count", ""], counts

    def sum(self, name, labels=""):
        """Of all samples whose labels hold this text."""
        return sum(n for (sample, where), n in self.items() if sample == name and labels in where)


def promtool_complains(text):
    """What promtool says of it; "" when it is content, None where there is none."""
    if shutil.which("promtool") is None:
        return None
    run = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
    return "" if run.returncode == 0 else (run.stdout + run.stderr).decode()
