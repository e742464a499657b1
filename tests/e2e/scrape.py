# SPDX-License-Identifier: Apache-2.0
"""scrape.py - what tests of /metrics share: a run with an endpoint of its own, and its text taken apart"""
import json
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request

import zb

SAMPLE = re.compile(r'([a-z_]+)(?:\{([^}]*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
WAIT_S = 60
CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def dashboard_expressions():
    """What Grafana's dashboard asks Prometheus, without the variables."""
    board = json.loads((CONFIGS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    for old, new in (("$instance", ".*"), ("$lcore", ".*"), ("$__rate_interval", "1m")):
        found = [text.replace(old, new) for text in found]
    assert not any("$" in text for text in found)
    return found


def parse(text):
    """{(name, frozenset of labels): value} of the samples, and {name: type} of the families."""
    samples, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        key = name, frozenset(LABEL.findall(labels or ""))
        assert key not in samples, f"{line}: twice"
        samples[key] = float(value) if "." in value or "e" in value else int(value)
    return samples, types


def total(samples, name, /, **labels):
    """Of all lcores."""
    found = [v for (n, of), v in samples.items() if n == name and labels.items() <= dict(of).items()]
    assert found, f"no sample of {name}"
    return sum(found)


class Case(zb.Case):
    def setUp(self):
        super().setUp()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.where = f"127.0.0.1:{self.port}"

    def start(self, *args, command=None, answering=True):
        run = subprocess.Popen(command or self.command(*args, "--metrics", self.where, "--out", self.out), cwd=self.dir,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, run)
        deadline = time.monotonic() + WAIT_S
        while answering:
            try:
                self.get()
                break
            except OSError:
                if run.poll() is not None or time.monotonic() > deadline:
                    self.fail(f"no endpoint; {run.communicate()}")
                time.sleep(0.02)
        return run

    @staticmethod
    def end(run):
        if run.poll() is None:
            run.kill()
        run.communicate()

    def paced(self, *args):
        """A run that would take minutes if nobody stopped it."""
        trace = self.trace("--packets", 20000)
        return self.start("--pcap", trace.path, "--rate", "20kpps", "--duration", 300, "--sample-hz", 0,
                          *args)

    def stop(self, run):
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=zb.TIMEOUT_S)
        self.assertEqual(run.returncode, 3, out + err)

    def get(self, path="/metrics", accept=None, method="GET"):
        request = urllib.request.Request(f"http://{self.where}{path}", method=method,
                                         headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.headers["Content-Type"], answer.read().decode()
