#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_prometheus.py - Prometheus itself reads /metrics: promtool finds no fault, the server scrapes and counts right"""
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import scrape
import zb
from scrape import WAIT_S, parse, total

class Prometheus(scrape.Case):
    def setUp(self):
        super().setUp()
        for program in ("promtool", "prometheus"):
            if shutil.which(program) is None:
                self.skipTest(f"needs {program}: tools/install-deps metrics")

    def test_promtool(self):
        """Neither syntax nor names are found fault with."""
        trace = self.trace("--packets", 20000)
        self.assert_done(self.zbench("--pcap", trace.path))
        with open(self.out / "metrics.prom", encoding="utf-8") as f:
            check = subprocess.run(["promtool", "check", "metrics"], stdin=f, text=True, capture_output=True,
                                   check=False, timeout=zb.TIMEOUT_S)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, "", ""))

    def query(self, path, **args):
        url = f"http://127.0.0.1:{self.server}/api/v1/{path}?{urllib.parse.urlencode(args)}"
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
            return json.load(answer)["data"]

    def serve(self):
        """The real server, scraping this run every 200 ms."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.server = s.getsockname()[1]
        conf = self.dir / "prometheus.yml"
        conf.write_text("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n- job_name: zbench\n"
                        f"  static_configs: [{{targets: ['{self.where}']}}]\n", encoding="utf-8")
        server = subprocess.Popen(["prometheus", f"--config.file={conf}", f"--storage.tsdb.path={self.dir}/tsdb",
                                   f"--web.listen-address=127.0.0.1:{self.server}"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

    def test_server(self):
        """The server takes what it asks for first, OpenMetrics, and has the figures of the text."""
        run = self.paced()
        self.serve()
        deadline, scraped = time.monotonic() + WAIT_S, 0
        while scraped < 5 and time.monotonic() < deadline:
            time.sleep(0.2)
            try:
                found = self.query("query", query="count_over_time(zbench_pkts_proc_total[10m])")["result"]
                scraped = int(found[0]["value"][1]) if found else 0
            except OSError:
                continue  # not up yet
        self.assertGreaterEqual(scraped, 5)
        target, = self.query("targets")["activeTargets"]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        types = self.query("targets/metadata", metric="zbench_build")
        self.assertEqual({t["type"] for t in types}, {"info"}, "it was not OpenMetrics that was read")
        before, _ = parse(self.get()[1])
        time.sleep(1)
        value = float(self.query("query", query="sum(zeek_net_received_packets_total)")["result"][0]["value"][1])
        after, _ = parse(self.get()[1])
        name = "zeek_net_received_packets_total"
        self.assertLessEqual(total(before, name), value)
        self.assertLessEqual(value, total(after, name))
        self.assertEqual(self.query("query", query=f"resets({name}[10m]) > 0")["result"], [])
        for text in scrape.dashboard_expressions():
            self.query("query", query=text)  # or there is an HTTP error
        lag, = self.query("query", query="histogram_quantile(0.5, sum by (le) (zbench_pkt_lag_seconds_bucket))")["result"]
        self.assertGreater(float(lag["value"][1]), 0)
        self.stop(run)

    def test_scrape_config(self):
        check = subprocess.run(["promtool", "check", "config", scrape.CONFIGS / "prometheus.yml"], text=True,
                               capture_output=True, check=False, timeout=zb.TIMEOUT_S)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)


if __name__ == "__main__":
    zb.main()
