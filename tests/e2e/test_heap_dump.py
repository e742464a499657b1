#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_heap_dump.py - --heap leaves dumps that jeprof reads, of all and of each worker"""
import re
import shutil
import subprocess
import unittest

import zb


class HeapDump(zb.Case):
    @unittest.skipIf(shutil.which("jeprof") is None, "there is no jeprof")
    def test_jeprof_reads_it(self):
        trace = self.trace("--sessions", 5000)
        run = self.zbench("--pcap", trace.path, "--heap", "final")
        if run.status == 2 and "no heap profiler" in run.err:
            self.assert_refused(run, "--heap")
            self.skipTest("built without jemalloc")
        self.assert_done(run)
        dumps = sorted((self.out / "heap").iterdir())
        self.assertTrue(dumps, "no dump in heap/")
        dump = next(d for d in dumps if d.read_bytes().startswith(b"heap_v2/"))
        said = subprocess.run(["jeprof", "--text", zb.BINARY, dump], text=True, capture_output=True, check=True,
                              timeout=zb.TIMEOUT_S).stdout
        self.assertRegex(said, r"(?m)^Total: [0-9.]+ [kMG]?B")
        self.assertIn("zb_", said)

    def held(self, dump, name=None):
        """Bytes of all stacks: of the thread of that name (None: there is none), or what stands for all."""
        head, *stacks = dump.read_text(encoding="utf-8").split("\n\n")[0].split("\n@ ")
        thread = re.search(rf"(?m)^  (t\d+): .*\] {name}$", head) if name else re.match("(?s).*(t\\*)", head)
        if thread is None:
            return None
        lines = [line for stack in stacks for line in stack.splitlines()]
        return sum(int(line.split()[2]) for line in lines if line.startswith(f"  {thread.group(1)}: "))

    def test_each_worker_has_its_own(self):
        """As ZeekControl's spool: spool/lcore-N/jeprof.out.PID.SEQ.KIND.heap, one for each dump."""
        trace = self.trace("--sessions", 5000)
        cores = zb.cpus(2) or zb.cpus(1)
        run = self.zbench("--pcap", trace.path, "--heap", "8M", "--cores", ",".join(map(str, cores)))
        if run.status == 2 and "no heap profiler" in run.err:
            self.skipTest("built without jemalloc")
        self.assert_done(run)
        whole = sorted((self.out / "heap").iterdir())
        self.assertGreater(len(whole), 1)
        for dump in whole:
            for cpu in cores:
                part = self.out / "spool" / f"lcore-{cpu}" / dump.name.replace("zbench.", "jeprof.out.")
                held = self.held(dump, f"lcore-{cpu}")
                self.assertEqual(part.exists(), held is not None, part)
                if held is not None:
                    self.assertEqual(self.held(part), held, part)
            if ".f." in dump.name:  # at the end each holds something
                self.assertGreater(held, 0)

    def test_memory_over_time(self):
        """The last of it is what stood at the end; analyzers are at work on what they are for."""
        trace = self.trace("--sessions", 5000)
        self.assert_done(self.zbench("--pcap", trace.path, "--rate", "60kpps", "--stats-interval", 0.5))
        memory = self.result()["memory"]
        over = memory["over_time"]
        self.assertGreater(len(over["s"]), 1)
        self.assertEqual({len(v) for v in over.values()}, {len(over["s"])})
        self.assertEqual(over["s"], sorted(over["s"]))
        self.assertGreater(max(over["conns"]), 0)
        rows = zb.rows(self.out / "lcore.log")
        if "heap" in memory:
            for name in ("allocated", "active", "resident", "retained"):
                self.assertEqual(over[name][-1], memory["heap"][name])
                self.assertEqual(rows[-1][f"arena_{name}_bytes"], memory["arenas"][0][name])
        else:
            self.assertFalse([n for n in rows[-1] if n.startswith("arena_")])
        for name in ("http", "dns", "tls"):
            one = memory["analyzers"][name]
            self.assertGreaterEqual(one["active_peak"], one["active"])
            self.assertGreater(one["bytes_peak"], 0)
            self.assertEqual(one["bytes_peak"] % one["active_peak"], 0)

    def largest(self, *options):
        """The largest connections, in order and as conn.log has them; and what was said of them."""
        cores = zb.cpus(2) or zb.cpus(1)
        run = self.zbench(*options, "--cores", ",".join(map(str, cores)), "--prealloc", 0, "--sample-hz", 0)
        self.assert_done(run)
        memory = self.result()["memory"]
        largest = memory["largest_connections"]
        sizes = [c["bytes"] for c in largest]
        self.assertEqual(len({c["uid"] for c in largest}), 8)
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertLessEqual(sizes[0], sum(memory["state_peak"].values()))
        rows = {row["uid"]: row for row in zb.rows(self.out / "conn.log")}
        for c in largest:
            row = rows[c["uid"]]
            for name, theirs in (("orig_h", "id.orig_h"), ("orig_p", "id.orig_p"), ("resp_h", "id.resp_h"),
                                 ("resp_p", "id.resp_p"), ("proto", "proto")):
                self.assertEqual(c[name], row[theirs], c)
            self.assertEqual(c["service"], row.get("service"))
            self.assertIn(c["lcore"], cores)
            self.assertGreaterEqual(c["ts"], row["ts"])
        return largest, memory, run.out

    def test_largest_connections(self):
        """Those that make the engine keep megabytes are found among many that do not."""
        trace = self.trace("--packets", 40000, "--attack", "acked-hole=40%")
        largest, memory, said = self.largest("--pcap", trace.path, "--stats-interval", 0.1)
        for c in largest:
            self.assertTrue(c["resp_h"].startswith("198.19."), c)
            self.assertGreater(c["bytes"], 1000000)
        # All but the session and its analyzer are data behind the hole.
        self.assertLessEqual(largest[0]["bytes"], memory["state_peak"]["reassem_tcp_bytes"] + 20000)
        self.assertRegex(said, rf"(?m)^memory   connection {largest[0]['uid']}, .* at most [0-9.]+ MB$")

    def test_largest_of_clean_traffic_is_no_news(self):
        largest, _, said = self.largest("--pcap", self.trace("--packets", 20000).path)
        self.assertGreater(largest[-1]["bytes"], 0)
        self.assertLess(largest[0]["bytes"], 100000)
        self.assertNotIn("memory   connection", said)

    def kinds(self, *options):
        """The kinds of the dumps of a run that keeps the bodies of HTTP, in order of their numbers."""
        trace = self.trace("--sessions", 5000)
        run = self.zbench("--pcap", trace.path, "--logs", "none", "--sample-hz", 0, "--fault", "http-retain", *options)
        if run.status == 2 and "no heap profiler" in run.err:
            self.skipTest("built without jemalloc")
        self.assert_done(run)
        found = sorted((int(d.name.split(".")[2]), d.name.split(".")[3]) for d in (self.out / "heap").iterdir())
        self.assertEqual([n for n, _ in found], list(range(len(found))))
        return [kind for _, kind in found]

    def test_dumps_follow_growth(self):
        *kinds, last = self.kinds("--heap", "growth=1M", "--rate", "40kpps")
        self.assertEqual(last, "f")
        self.assertEqual(kinds, [f"u{i}" for i in range(len(kinds))])
        self.assertGreater(len(kinds), 1)

    def test_dumps_follow_time_and_allocation(self):
        *kinds, last = self.kinds("--heap", "16M,every=200ms", "--duration", 1)
        self.assertEqual(last, "f")
        self.assertEqual(kinds, [f"i{i}" for i in range(len(kinds))])
        self.assertGreater(len(kinds), 1)

    def test_other_words_are_refused(self):
        trace = self.trace("--sessions", 100)
        for word in ("growth=0.5x", "every=", "1M,often", "0"):
            self.assert_refused(self.zbench("--pcap", trace.path, "--heap", word), "--heap")

    def test_off_leaves_none(self):
        trace = self.trace("--sessions", 100)
        self.assert_done(self.zbench("--pcap", trace.path, "--heap", "off"))
        self.assertEqual(zb.listing(self.out / "heap"), [])
        self.assertEqual(list((self.out / "spool").glob("*/jeprof.out.*")), [])

    def test_each_worker_has_its_prof_log(self):
        """Connections of all are those of the workers together."""
        trace = self.trace("--sessions", 5000)
        cores = zb.cpus(2) or zb.cpus(1)
        self.assert_done(self.zbench("--pcap", trace.path, "--cores", ",".join(map(str, cores))))
        logs = [self.out / "prof.log", *(self.out / "spool" / f"lcore-{cpu}" / "prof.log" for cpu in cores)]
        totals = [re.findall(r" Conns: total=(\d+) ", log.read_text(encoding="utf-8")) for log in logs]
        self.assertEqual(int(totals[0][-1]), sum(int(t[-1]) for t in totals[1:]))
        self.assertGreater(int(totals[1][-1]), 0)
        self.assert_done(self.zbench("--pcap", trace.path, "--logs", "conn"))
        self.assertEqual([log for log in logs if log.exists()], [])


if __name__ == "__main__":
    zb.main()
