#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_metrics.py - /metrics: the figures of a run while it lasts, equal to result.json at its end, whoever asks"""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import scrape
import zb
from scrape import WAIT_S, parse, total

OPEN = "application/openmetrics-text; version=1.0.0"
NR_MAX = 16  # connections at a time; profiler/metrics_http.h


class Metrics(scrape.Case):
    def raw(self, data, wait_s=WAIT_S):
        """What comes back for some bytes, until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait_s) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = b""
            try:
                while part := s.recv(65536):
                    got += part
            except ConnectionResetError:
                pass
            return got

    def test_scrapes_while_it_runs_and_at_its_end(self):
        """Counters never fall, and what the last text has is what result.json has."""
        cores = ",".join(map(str, zb.cpus(2) or zb.cpus(1)))
        run = self.paced("--cores", cores)
        before, seen = {}, set()
        deadline = time.monotonic() + WAIT_S
        while len(seen) < 4 and time.monotonic() < deadline:
            samples, types = parse(self.get()[1])
            counters = [k for k in samples if types.get(k[0]) == "counter" or
                        types.get(re.sub("_(bucket|sum|count)$", "", k[0])) == "histogram"]
            for key in counters:
                self.assertGreaterEqual(samples[key], before.get(key, 0), key)
            self.assertEqual(set(before) - set(samples), set())
            before = {k: samples[k] for k in counters}
            seen.add(total(samples, "zbench_pkts_proc_total"))
            time.sleep(0.15)
        self.assertGreaterEqual(len(seen), 4)
        self.stop(run)
        samples, _ = parse((self.out / "metrics.prom").read_text(encoding="utf-8"))
        for key, value in before.items():
            self.assertGreaterEqual(samples[key], value, key)
        self.assert_same(samples, self.result())

    def assert_same(self, samples, result):
        """Every figure that has its like in result.json."""
        for lcore in result["lcores"]:
            of = frozenset({("lcore", str(lcore["lcore"]))})
            node = frozenset({("node", f"lcore-{lcore['lcore']}")})
            for name in ("pkts_offered", "pkts_link", "pkts_proc", "pkts_dropped", "bytes_recv", "bursts", "tcp_conns",
                         "log_rows_lost", "busy_cycles", "idle_cycles", "weirds"):
                self.assertEqual(samples[f"zbench_{name}_total", of], lcore[name], name)
            for name, value in lcore["stage_cycles"].items():
                self.assertEqual(samples["zbench_stage_cycles_total", of | {("stage", name)}], value)
            for name, value in lcore["fates"].items():
                self.assertEqual(samples["zbench_fate_pkts_total", of | {("fate", name)}], value)
            for name, value in lcore["gauges"].items():
                key = (f"zbench_{name}", of)
                if name.endswith("_bytes") and name != "conn_reserved_bytes":
                    key = ("zbench_state_bytes", of | {("kind", name[:-6])})
                self.assertEqual(samples[key], value, name)
            self.assertEqual(samples["zbench_pkt_lag_seconds_bucket", of | {("le", "+Inf")}],
                             lcore["pkt_lag"]["count"])
            self.assertEqual(samples["zeek_net_received_packets_total", node], lcore["pkts_proc"])
            self.assertEqual(samples["zeek_net_received_bytes_total", node], lcore["bytes_recv"])
            self.assertEqual(samples["zeek_net_dropped_packets_total", node], lcore["pkts_dropped"])
            self.assertEqual(samples["zeek_net_link_packets_total", node], lcore["pkts_link"])
        for log, rows in result["totals"]["log_rows"].items():
            if log != "prof":
                self.assertEqual(total(samples, "zbench_log_rows_total", log=log), rows, log)
        self.assertEqual(total(samples, "zeek_log_stream_writes_total", stream="Conn::LOG"),
                         result["totals"]["log_rows"]["conn"])

    def test_replay_leaves_a_file_but_has_no_endpoint(self):
        trace = self.trace("--packets", 20000)
        self.assert_done(self.zbench("--pcap", trace.path, "--log-format", "zeek"))
        samples, _ = parse((self.out / "metrics.prom").read_text(encoding="utf-8"))
        self.assert_same(samples, self.result())
        self.assertEqual(total(samples, "zeek_net_received_packets_total"), trace.packets)
        self.assert_telemetry(zb.zeek_rows(self.out / "telemetry.log"), samples)

    def test_dashboard_names_what_there_is(self):
        """Every metric, and every label that is asked for, of each expression exists."""
        trace = self.trace("--packets", 20000)
        self.assert_done(self.zbench("--pcap", trace.path))
        samples, _ = parse((self.out / "metrics.prom").read_text(encoding="utf-8"))
        names = {name for name, _ in samples}
        labels = {label for _, of in samples for label, _ in of} | {"instance", "le"}
        expressions = scrape.dashboard_expressions()
        self.assertGreater(len(expressions), 20)
        for text in expressions:
            found = set(re.findall(r"\b(?:zbench|zeek|process)_\w+", text))
            self.assertTrue(found, text)
            if "zbench_heap_resident_bytes" not in names:  # a build without jemalloc
                found = {name for name in found if not name.startswith(("zbench_heap_", "zbench_arena_"))}
            self.assertLessEqual(found, names, text)
            asked = set(re.findall(r"(\w+)=", text)) | {w for g in re.findall(r"by \(([^)]*)\)", text) for w in g.split(",")}
            self.assertLessEqual(asked, labels, text)

    def assert_telemetry(self, rows, samples):
        """The last rows are the last figures, of all workers."""
        last = [row for row in rows if row["ts"] == rows[-1]["ts"]]
        moving = {"process_cpu_seconds_total", "process_cpu_user_seconds_total", "process_cpu_system_seconds_total",
                  "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds"}
        reporters = ("Stats::LOG", "Telemetry::LOG")  # whose rows go on
        self.assertGreater(len(last), 50)
        for row in last:
            labels = dict(zip(row["labels"], row["label_values"], strict=True))
            if row["name"] in moving or "msgthread" in row["name"] or labels.get("stream") in reporters:
                continue
            if row["name"] == "zeek_net_timestamp_seconds":
                self.assertEqual(row["value"], rows[-1]["ts"])
                continue
            self.assertAlmostEqual(row["value"], total(samples, row["name"], **labels), 5, row)

    def test_both_formats_and_nothing_else(self):
        run = self.paced()
        kind, text = self.get()
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        self.assertNotIn("# UNIT", text)
        kind, text = self.get(accept=OPEN)
        self.assertEqual(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(text.endswith("\n# EOF\n"))
        self.assertIn("# UNIT zeek_net_received_bytes bytes\n", text)
        self.assertIn("/metrics", self.get("/")[1])
        self.assertEqual(self.get(method="HEAD")[1], "")
        for path in ("/x", "/metrics/", "/metricsx", "//metrics", "/..", "/?metrics"):
            status = self.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).split(b"\r\n")[0]
            self.assertIn(b" 200 " if path == "/?metrics" else b" 404 ", status, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"):
            answer = self.raw(f"{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n".encode())
            self.assertIn(b" 405 ", answer.split(b"\r\n")[0], method)
            self.assertIn(b"Allow: GET, HEAD", answer)
        self.stop(run)

    def test_hostile_requests(self):
        """Whatever is sent, the next scrape is answered, and the run is whole."""
        run = self.paced()
        bad = [b"", b"\0" * 100000, b"GET", b"GET /metrics\r\n\r\n", b"\r\n" * 5000, b"GET /metrics HTTP/9.9\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
               b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"b" * 1000000 + b"\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(100000)) + b"\r\n",
               b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: " + b";q=1,application/openmetrics-text" * 400 + b"\r\n\r\n",
               b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), os.urandom(65536)]
        for data in bad:
            self.raw(data)
            self.assertIn("zbench_pkts_proc_total", self.get()[1])
        # Asked for much at a time, and not waited for.
        for _ in range(100):
            with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as s:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        self.assertIn("zbench_pkts_proc_total", self.get()[1])
        self.stop(run)
        self.assert_law_holds(self.result())

    turned_out = False

    def drip(self):
        """A request that never comes to its end, a byte now and then."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as s:
            begin = time.monotonic()
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
            try:
                while time.monotonic() < begin + WAIT_S:
                    s.sendall(b"x")
                    time.sleep(0.5)
            except OSError:
                self.turned_out = True

    @staticmethod
    def sockets(pid):
        """How many the program has open; its files come and go by themselves."""
        nr = 0
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                nr += os.readlink(fd).startswith("socket:")
        return nr

    def test_slow_and_many_clients(self):
        """Those who say nothing, or a byte now and then, are turned out; there is no more than there is room for."""
        run = self.paced()
        # Who found out that it answers may not be gone at once.
        before = min((time.sleep(0.05), self.sockets(run.pid))[1] for _ in range(10))
        drip = threading.Thread(target=self.drip)
        drip.start()
        crowd = [socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) for _ in range(2 * NR_MAX)]
        self.addCleanup(lambda: [s.close() for s in crowd])
        # All the places are taken, and no more, but not for ever.
        got = threading.Thread(target=self.get)
        got.start()
        most = 0
        while got.is_alive():
            most = max(most, self.sockets(run.pid) - before)
            time.sleep(0.01)
        self.assertEqual(most, NR_MAX)
        self.assertIn("zbench_pkts_proc_total", self.get()[1])
        for s in crowd:
            s.close()
        drip.join()
        self.assertTrue(self.turned_out)
        # One that asks and does not read.
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn("zbench_pkts_proc_total", self.get()[1])
        self.stop(run)

    def test_bad_addresses(self):
        """Refused before anything is begun."""
        trace = self.trace("--packets", 2000)
        for where in ("9911", ":9911", "localhost:9911", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                      "127.0.0.1:65536", "127.0.0.1:99110", "127.0.0.1:+1", "::1:9911", "[::1]", "[]:1", "1.2.3:x"):
            run = self.zbench("--pcap", trace.path, f"--metrics={where}")
            self.assert_refused(run, "--metrics", where, "ADDR:PORT")
        self.assert_refused(self.zbench("--pcap", trace.path, "--metrics", "192.0.2.1:9911"), "192.0.2.1:9911")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            run = self.zbench("--pcap", trace.path, "--metrics", self.where)
            self.assert_refused(run, self.where, "in use")

    def test_default_in_use(self):
        """A second live run says that it goes on without, since nobody asked for it."""
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("127.0.0.1", 9911))
                taken.listen()
            except OSError:
                pass  # then somebody else has it
            run = self.zbench("--port", "net_null0", "--duration", 0.3, "--prealloc", 0)
        self.assertEqual(run.status, 0, run.err)
        self.assertRegex(run.err, "--metrics 127.0.0.1:9911: .*in use; it goes on without")

    def test_ipv6(self):
        trace = self.trace("--packets", 20000)
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", self.port))
        except OSError as e:
            self.skipTest(f"no IPv6 here: {e}")
        self.where = f"[::1]:{self.port}"
        run = self.start("--pcap", trace.path, "--rate", "20kpps", "--duration", 300)
        self.assertIn("zbench_pkts_proc_total", self.get()[1])
        self.stop(run)

    def test_rights_are_dropped(self):
        """Live, as another user: a port that takes rights was taken before they were given up."""
        if os.getuid() != 0 or shutil.which("ip") is None:
            self.skipTest("needs root and ip, for a network namespace")
        space = f"zbe2em{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", space], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no network namespaces here: {made.stderr.strip()}")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", space], check=False)
        inside = ["ip", "netns", "exec", space]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        self.dir.chmod(0o755)
        run = self.start(answering=False, command=[
            *inside, *self.command("--iface", "lo", "--user", "nobody", "--duration", 300, "--metrics", "127.0.0.1:911",
                                   "--prealloc", 0, "--out", self.out)])
        ask = ("import time, urllib.request\n"
               f"for _ in range({WAIT_S * 10}):\n"
               "    try: print(urllib.request.urlopen('http://127.0.0.1:911/metrics', timeout=60).read().decode()); break\n"
               "    except OSError: time.sleep(0.1)\n")
        got = subprocess.run([*inside, sys.executable, "-c", ask], text=True, capture_output=True, check=True,
                             timeout=zb.TIMEOUT_S)
        samples, _ = parse(got.stdout.rstrip("\n"))
        self.assertEqual(total(samples, "zbench_pkts_dropped_total"), 0)
        self.assertGreater(total(samples, "process_open_fds"), 0)
        self.stop(run)


if __name__ == "__main__":
    zb.main()
