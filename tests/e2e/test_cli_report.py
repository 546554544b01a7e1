# SPDX-License-Identifier: ISC
"""Sums of the record: report and metrics, without Postfix."""

import os
import re
import sqlite3
import time

from harness.gate import NOON, add_verdict, fill_report, utc


def test_report_of_nothing_is_one_line(gate):
    assert len(gate.must("report").splitlines()) == 1
    assert len(gate.must("report", "--by", "sender").splitlines()) == 1


def test_report_counts(gate):
    assert "0 messages" in gate.must("report")
    fill_report(gate)
    total, *days = gate.json("report")
    assert (total["messages"], total["encrypted"], total["refused"], total["would_be_refused"]) == (50, 20, 20, 1)
    assert total["bytes"] == 50 * 1234 and len(days) == 10
    assert total["verdicts"]["cleartext"] == 30 and days[0]["verdicts"]["encrypted"] == 2, days[0]
    # When they came is what the rows say, not when the day began.
    with sqlite3.connect(gate.database) as d:
        first, last = d.execute("SELECT min(time_unix), max(time_unix) FROM verdict").fetchone()
    d.close()
    assert (total["first_at"], total["last_at"]) == (utc(first), utc(last)), total
    assert days[0]["first_at"] == utc(first) and days[-1]["last_at"] == utc(last)
    assert all((d["by"], d["messages"], d["refused"]) == ("day", 5, 2) for d in days)
    assert [d["key"] for d in days] == sorted(d["key"] for d in days)
    by = {w: {r["key"]: r for r in gate.json("report", "--by", w)[1:]} for w in
          ("recipient", "sender", "domain", "verdict", "reason", "pair", "rule")}
    assert by["reason"]["no-openpgp"]["messages"] == 30
    assert by["pair"]["news@shop.test -> tips@example.org"]["messages"] == 20 and len(by["pair"]) == 2, by["pair"]
    assert by["rule"]["default"]["messages"] == 60, by["rule"]
    assert by["recipient"]["tips@example.org"]["messages"] == 30
    assert by["recipient"]["bob@example.org"]["encrypted"] == 20
    assert by["sender"]["news@shop.test"]["refused"] == 20 and by["sender"]["<>"]["would_be_refused"] == 1
    assert by["domain"]["partner.test"]["messages"] == 20
    assert by["verdict"]["cleartext"]["messages"] == 30 and by["verdict"]["encrypted"]["messages"] == 20
    assert len(gate.json("report", "--by", "recipient", "-n", "1")) == 2
    text = gate.must("report", "--by", "recipient")
    assert "50 messages" in text and "tips@example.org" in text and max(map(len, text.splitlines())) <= 80
    text = gate.must("report")
    assert re.search(r"^day +mails +clear +encr\. +refus\.$", text, re.M) and max(map(len, text.splitlines())) <= 80, text
    assert gate.json("report", "--since", "-3d")[0]["messages"] < 20
    gate.misuse("report", "--by", "colour", says="colour")


def test_report_html_is_one_page_without_anything_else(gate):
    fill_report(gate)
    add_verdict(gate, NOON, "<script>alert(1)</script>@x.test", [("tips@example.org", "encrypted", None, False)])
    page = os.path.join(gate.path, "report.html")
    gate.must("report", "--html", page, "--title", "Example & Sons")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    assert text.startswith("<!doctype html>") and "<svg" in text
    assert "<title>Encrypted mail: Example   Sons</title>" in text and "Example &amp; Sons</h1>" in text
    assert "tips@<wbr/>example.<wbr/>org" in text and "overflow-wrap:anywhere" not in text
    assert "Would be refused" in text and "What decided" in text
    assert "<script" not in text and "http://" not in text and "https://" not in text and "&lt;script&gt;" in text
    assert "prefers-color-scheme" in text and "@media print" in text and "width=device-width" in text
    import xml.etree.ElementTree as tree
    body = text[text.index("<body>"):text.index("</html>")].replace("&nbsp;", " ")
    assert tree.fromstring(body) is not None  # well-formed
    gate.misuse("report", "--html", "/nonexistent/x.html", code=73, says="/nonexistent/x.html")


def test_report_and_metrics_keep_what_prune_takes(gate):
    fill_report(gate)
    before = gate.json("report")[0]
    metrics = gate.must("metrics")
    assert 'pgpgate_messages_total{verdict="cleartext",action="refuse"} 20' in metrics
    assert 'pgpgate_unenforced_messages_total{would="refuse"} 1' in metrics
    removed = gate.json("db", "prune", "--older-than", str(int(time.time()) - (NOON - 4 * 86400 + 2 * 3600)))[0]["removed"]
    assert removed == 27
    assert len(gate.json("log")) == 23
    after = gate.json("report")[0]
    assert {k: after[k] for k in ("messages", "encrypted", "refused", "would_be_refused", "bytes")} == \
        {k: before[k] for k in ("messages", "encrypted", "refused", "would_be_refused", "bytes")}
    counters = [line for line in metrics.splitlines() if "_total" in line]
    assert counters == [line for line in gate.must("metrics").splitlines() if "_total" in line]
    assert gate.must("db", "check")
    gate.misuse("db", "prune", "--older-than", "0")
    assert gate.json("db", "prune") == [{"removed": 0}]


def test_metrics_follow_the_conventions(gate):
    gate.must("pause", "--for", "1h")
    seen = set()
    name = None
    for line in gate.must("metrics").splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in seen
            seen.add(name)
        elif line.startswith("# TYPE "):
            kind = line.split()[3]
            assert line.split()[2] == name and kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total"), line
        else:
            sample = f"{name}(_bucket|_sum|_count)" if kind == "histogram" else name
            assert re.match(rf'^{sample}(\{{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\}})? -?\d+(\.\d+)?$', line), line
    assert "pgpgate_enforce 0" in gate.must("metrics")
