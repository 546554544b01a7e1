# SPDX-License-Identifier: ISC
"""What dist/ holds for operators, against the real things: Debian's Prometheus scrapes the page of a policy server
behind which mail has run, loads the alerts and answers every question of the dashboard; what logcheck would pass
over in a log of ours. What is not installed is skipped."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from harness import messages
from harness.pair import TOP
from harness.place import free_port, wait_until
from harness.smtp import send

DIST = os.path.join(TOP, "dist")
ALICE, BOB = "alice@example.org", "bob@example.net"
METRIC = re.compile(r"\b(?:pgpgate|process)_[a-z0-9_]+")


def read(*names):
    with open(os.path.join(DIST, *names), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def pair(make_pair, port):
    return make_pair(metrics_listen=f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def some_mail(mx, keys):
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 250


class Prometheus:
    def __init__(self, place, target):
        self.port = free_port()
        folder = place.directory("prometheus")
        shutil.copy(os.path.join(DIST, "prometheus", "pgpgate.rules.yml"), folder)
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            file.write(read("prometheus", "scrape.yml").replace("127.0.0.1:9157", f"127.0.0.1:{target}")
                       .replace("scrape_interval: 30s", "scrape_interval: 1s")
                       .replace("rule_files:", "global: {evaluation_interval: 1s}\nrule_files:"))
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        place.at_end(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait(60)

    def ask(self, path, **what):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(what)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is starting
                return None
            raise AssertionError(f"{what}: {error.read().decode()}") from None
        except (OSError, ValueError):
            return None

    def values(self, expression):
        return (self.ask("query", query=expression) or {"result": []})["result"]

    def rules(self):
        return [rule for group in (self.ask("rules") or {"groups": []})["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def prometheus(place, pair, port, mx, some_mail):
    if not shutil.which("prometheus"):
        pytest.skip("there is no prometheus")
    running = Prometheus(place, port)
    wait_until(lambda: running.values('pgpgate_messages_total{action="refuse"} > 0') != [], "the first scrape")
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    wait_until(lambda: running.values("sum(rate(pgpgate_messages_total[1m])) > 0") != [], "a rate")
    return running


def questions_of_the_dashboard():
    board = json.loads(read("grafana", "pgpgate.json"))
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]


def test_promtool():
    if not shutil.which("promtool"):
        pytest.skip("there is no promtool")
    folder = os.path.join(DIST, "prometheus")
    for words in (["check", "rules", "pgpgate.rules.yml"], ["test", "rules", "pgpgate.rules.test.yml"],
                  ["check", "config", "scrape.yml"]):
        done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def names_on(port):
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30).read().decode()
    return set(re.findall(r"(?m)^([a-z_]+)[{ ]", page))


def test_every_metric_is_on_the_page(pair, port, some_mail):
    there = names_on(port)
    assert not any(name.startswith("pgpgate_site_") for name in there)
    with sqlite3.connect(pair.database) as d:  # what a host of a site has besides
        d.execute("INSERT INTO site (id, site_id, host_id, started, rules_no, rules_mark, feed_no, pushed_no,"
                  " last_pull_unix, offset_ms) VALUES (1, 's', 'h', '', 0, '', 0, 0, 0, 0)")
    wait_until(lambda: "pgpgate_site_change" in names_on(port), "the figures of a site")  # they are cached
    there |= names_on(port)
    with sqlite3.connect(pair.database) as d:
        d.execute("DELETE FROM site")
    asked = {name for _, question in questions_of_the_dashboard() for name in METRIC.findall(question)}
    asked |= {name for expr in re.findall(r"(?ms)expr: (.*?)\n        for:", read("prometheus", "pgpgate.rules.yml"))
              for name in METRIC.findall(expr)}
    assert len(asked) > 12 and asked - there == set()


def test_prometheus_takes_the_alerts_and_none_fires(prometheus):
    wait_until(lambda: [r for r in prometheus.rules() if r["health"] == "ok"] != [], "the first evaluation")
    wait_until(lambda: all(r["health"] == "ok" for r in prometheus.rules()), lambda: str(prometheus.rules()))
    rules = prometheus.rules()
    assert len(rules) == read("prometheus", "pgpgate.rules.yml").count("- alert:")
    assert [r["name"] for r in rules if r["state"] == "firing"] == []


def test_a_pause_is_pending_at_once(prometheus, pair):
    pair.must("pause", "--for", "1h")
    try:
        wait_until(lambda: [r for r in prometheus.rules() if (r["name"], r["state"]) == ("PgpgatePaused", "pending")],
                   lambda: str(prometheus.rules()))
    finally:
        pair.must("resume")


@pytest.mark.parametrize("title, question", questions_of_the_dashboard())
def test_the_dashboard_gets_an_answer(prometheus, title, question):
    expression = question.replace("$instance", ".*").replace("$__rate_interval", "1m")
    assert prometheus.values(expression) != [], title


def test_logcheck_passes_over_what_is_no_news(pair, some_mail):
    lines = [f"Nov 30 02:43:19 mx pgpgate-filter[7]: {line.split(': ', 1)[1] if line.startswith('pgpgate') else line}"
             for line in pair.filter.log().splitlines()]
    assert any("verdict=cleartext" in line for line in lines)
    news = "Nov 30 02:43:19 mx pgpgate-filter[7]: 4F1: verdict=cleartext form=none reason=x action=tempfail from=<a@b>"
    left = subprocess.run(["grep", "-E", "-v", "-f", os.path.join(DIST, "logcheck", "pgpgate")],
                          input="\n".join([*lines, news]) + "\n", capture_output=True, text=True, check=False).stdout
    assert left == news + "\n"
