#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flame_watch.py - zbench flame -p and -C: any process or CPU is sampled, and what it did is named

What is sampled is tests/e2e/shares.c, which says how much of its time it spends where.
"""
import collections
import gzip
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import time
import unittest

import zb

ROUNDS = 1000  # of work: some 0.7 s of CPU time


def from_start(frames):
    """From the first function to main; what a library does not export has no name where its symbols are not installed."""
    return (tuple(frames[:2]) == ("_start", "__libc_start_main") and tuple(frames[3:4]) == ("main",) and
            re.match(r"__libc_start_call_main$|\[libc", frames[2]) is not None)


def helper(name):
    return pathlib.Path(zb.BINARY).parent.parent / "tests" / name


def folded(text):
    counts = collections.Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        counts[tuple(stack.split(";"))] += int(count)
    return counts


def user(stack):
    """Without what interrupted it: the kernel has its own share of everything."""
    return [f for f in stack if not f.endswith("_[k]")]


def may_sample():
    paranoid = pathlib.Path("/proc/sys/kernel/perf_event_paranoid")
    return paranoid.exists() and (os.getuid() == 0 or int(paranoid.read_text()) <= 2)


@unittest.skipUnless(may_sample(), "perf_event is not allowed here")
class WatchCase(zb.Case):
    """Something is sampled while it runs."""

    def helper(self, *args, build="shares_nofp", **popen):
        process = subprocess.Popen([helper(build), *map(str, args)], stdin=subprocess.PIPE, text=True, **popen)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def watch(self, *args, **popen):
        """Starts sampling, and waits until it has begun."""
        run = subprocess.Popen(self.command("flame", *args), cwd=self.dir, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=zb.SANITIZED, **popen)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        self.until(lambda: run.poll() is not None or "perf_event" in self.read(run.pid, "maps"))
        # It sleeps between two looks at what there is: it has begun.
        slept = self.sleeps(run.pid)
        self.until(lambda: run.poll() is not None or self.sleeps(run.pid) > slept + 2)
        return run

    def until(self, holds):
        deadline = time.monotonic() + zb.WAIT_S
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    @staticmethod
    def read(pid, name):
        try:
            return pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def sleeps(self, pid):
        return int((re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", self.read(pid, "status"), re.M) or [0])[0])

    def done(self, run, status=0):
        out, err = run.communicate(timeout=zb.TIMEOUT_S)
        self.assertEqual(run.returncode, status, err)
        return zb.Result(run.returncode, out, err)


class Watch(WatchCase):
    def sampled(self, *what, options=(), build="shares_nofp", hz=999):
        """The folded stacks of a helper from its first step to its end."""
        process = self.helper(*what, build=build)
        run = self.watch("-p", process.pid, "--hz", hz, "--format", "folded", "-o", "-", *options)
        process.stdin.write("\n")
        process.stdin.flush()
        counts = folded(self.done(run).out)
        self.assertEqual(process.wait(), 0)
        self.assertGreater(sum(counts.values()), 300)
        return counts

    def assert_shares(self, counts, delta=0.1):
        """5 parts, 3 and 2, and where the sort calls leaf_b from is no part of them."""
        parts = collections.Counter()
        for stack, count in counts.items():
            frames = user(stack)
            if frames and frames[-1].startswith("leaf_") and "compare" not in frames:
                parts[frames[-1]] += count
        total = sum(parts.values())
        self.assertGreater(total, 200)
        for leaf, share in (("leaf_a", 0.5), ("leaf_b", 0.3), ("leaf_c", 0.2)):
            self.assertAlmostEqual(parts[leaf] / total, share, delta=delta, msg=str(parts))

    def assert_callers(self, counts):
        """Whole stacks, from the first function to the leaf, through a library and 20 levels down."""
        whole = total = 0
        for stack, count in counts.items():
            frames = user(stack)
            if not frames or not frames[-1].startswith("leaf_"):
                continue
            total += count
            rest = frames[4:-1]
            whole += count * (from_start(frames) and (
                rest == ["work", "middle"] or rest == ["work"] + ["deep"] * 21 or
                (rest[:2] == ["work", "sorter"] and rest[2].startswith("qsort") and rest[-1] == "compare")))
        self.assertGreater(whole / total, 0.98, f"{whole} of {total}")

    def test_without_frame_pointers(self):
        counts = self.sampled("work", ROUNDS)
        self.assert_shares(counts)
        self.assert_callers(counts)

    def test_with_frame_pointers(self):
        counts = self.sampled("work", ROUNDS, build="shares_fp")
        self.assert_shares(counts)
        self.assert_callers(counts)

    def test_by_frame_pointers(self):
        """Where there are some, as far as they go, which may not be through a library."""
        counts = self.sampled("work", ROUNDS, build="shares_fp", options=["--call-graph", "fp"])
        self.assert_shares(counts)
        good = sum(c for s, c in counts.items() if user(s)[-4:] == ["main", "work", "middle", "leaf_a"])
        self.assertGreater(good, 0.98 * sum(c for s, c in counts.items() if user(s)[-1:] == ["leaf_a"]))

    def test_threads_apart(self):
        counts = self.sampled("threads", 800, options=["--threads"])
        leaves = collections.defaultdict(collections.Counter)
        for stack, count in counts.items():
            self.assertRegex(stack[0], r"^.+/\d+$")
            leaves[stack[0].partition("/")[0]][(user(stack[1:]) or ["-"])[-1]] += count
        self.assertGreater(leaves["worker-a"]["leaf_a"], 100)
        self.assertGreater(leaves["worker-b"]["leaf_b"], 100)
        self.assertEqual(leaves["worker-a"]["leaf_b"] + leaves["worker-b"]["leaf_a"], 0)

    def test_what_it_starts(self):
        """Programs that live for an instant have their own names and functions."""
        shell = subprocess.Popen(
            ["sh", "-c", f"read x; for i in 1 2 3 4 5 6 7 8 9 10; do {helper('shares_nofp')} work 40 </dev/null; done; :"],
            stdin=subprocess.PIPE, text=True)
        self.addCleanup(shell.stdin.close)
        run = self.watch("-p", shell.pid, "--hz", 999, "--format", "folded", "-o", "-")
        shell.stdin.write("\n")
        shell.stdin.flush()
        counts = folded(self.done(run).out)
        self.assertEqual(shell.wait(), 0)
        total = sum(counts.values())
        named = sum(c for s, c in counts.items() if s[0] == "shares_nofp" and from_start(s[1:]) and "work" in s)
        self.assertGreater(total, 100)
        self.assertGreater(named, 0.6 * total, str(counts.most_common(9)))
        self.assertEqual(sum(c for s, c in counts.items() if "work" in s and s[0] != "shares_nofp"), 0)

    @unittest.skipUnless(os.getuid() == 0, "a CPU is root's to sample")
    def test_cpu(self):
        """A CPU's samples are of all that runs there, by program."""
        cpu = zb.cpus(1)[0]
        process = self.helper("work", 2 * ROUNDS, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        run = self.watch("-C", cpu, "--hz", 499, "-o", f"{self.dir}/cpu/")
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait()
        run.send_signal(signal.SIGINT)
        done = self.done(run)
        self.assertEqual(done.out.strip(), f"{self.dir}/cpu/flame/flame.svg")
        # Also where nobody else ran there, who it was stands in each stack.
        self.assertIn(b"\ncomm \n", gzip.decompress((self.dir / "cpu" / "flame" / "samples.gz").read_bytes()))
        text = self.zbench(command=self.command("flame", self.dir / "cpu", "--format", "folded", "-o", "-")).out
        own = collections.Counter({s: c for s, c in folded(text).items() if s[0] == "shares_nofp"})
        # Who else runs there may do so in step with the samples.
        self.assert_shares(own, delta=0.2)
        self.assert_callers(collections.Counter({s[1:]: c for s, c in own.items()}))
        svg = (self.dir / "cpu" / "flame" / "flame.svg").read_text()
        self.assertIn("leaf_c", svg)

    def test_signal_ends_it(self):
        """Ctrl-C: what there is is written, as a run's folder that every form can be made of."""
        process = self.helper("for-ever")
        run = self.watch("-p", process.pid, "--hz", 999)
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        done = self.done(run)
        path = pathlib.Path(self.dir, done.out.strip())
        self.assertRegex(done.out, rf"^zbench-out/\d{{8}}T\d{{6}}Z-pid-{process.pid}/flame/flame\.svg\n$")
        self.assertRegex(done.err, r"^\d+ samples of \d+ threads? in [\d.]+ s, by perf ")
        for form in ("icicle", "perf", "pprof", "speedscope", "heatmap"):
            made = self.zbench(command=self.command("flame", path.parent.parent, "--format", form))
            self.assert_done(made)
            self.assertGreater(pathlib.Path(self.dir, made.out.strip()).stat().st_size, 100)
        speedscope = json.loads((path.parent / "speedscope.json").read_text())
        samples = sum(sum(p["weights"]) for p in speedscope["profiles"]) * 999 / 1e9
        self.assertEqual(round(samples), int(done.err.split()[0]))

    def test_duration(self):
        process = self.helper("for-ever")
        process.stdin.close()
        made = self.zbench(command=self.command("flame", "-p", process.pid, "--duration", "0.5", "-o", "-"))
        self.assert_done(made)
        self.assertIn("leaf_a", made.out)
        self.assertIsNone(process.poll())

    @unittest.skipUnless(os.getuid() == 0, "switches happen in the kernel, which is root's to sample")
    def test_off_cpu(self):
        process = self.helper("wait", 100)
        run = self.watch("-p", process.pid, "--off-cpu", "--format", "folded", "-o", "-")
        process.stdin.write("\n")
        process.stdin.flush()
        counts = folded(self.done(run).out)
        waited = sum(c for s, c in counts.items() if s[0] == "[waiting]" and "waiter" in s and from_start(s[1:]))
        self.assertGreater(waited, 100 * 5000 * 0.95)  # microseconds

    def test_lost_samples_are_counted(self):
        """A sampler that does not come round to its ring says what it missed."""
        process = self.helper("for-ever")
        run = self.watch("-p", process.pid, "--hz", 10000, "--format", "folded", "-o", "-")
        run.send_signal(signal.SIGSTOP)
        process.stdin.write("\n")
        process.stdin.flush()
        ticks = 2 * os.sysconf("SC_CLK_TCK")
        self.until(lambda: int(self.read(process.pid, "stat").split()[13]) > ticks)
        process.kill()
        run.send_signal(signal.SIGCONT)
        done = self.done(run)
        self.assertRegex(done.err, r"zbench: warning: \d+ samples lost: the kernel had no room for them")
        self.assertGreater(sum(folded(done.out).values()), 100)

    def test_ordinary_user(self):
        """Its own processes, without the kernel's frames where that is not allowed; no CPU."""
        if os.getuid() != 0:
            self.skipTest("every other test does that when not root")
        paranoid = int(pathlib.Path("/proc/sys/kernel/perf_event_paranoid").read_text())
        if paranoid != 2:
            self.skipTest(f"kernel.perf_event_paranoid is {paranoid}, not 2")
        nobody = pwd.getpwnam("nobody")
        binary, work = self.dir / "zbench", self.dir / "shares"
        shutil.copy(zb.BINARY, binary)
        shutil.copy(helper("shares_nofp"), work)
        for path in (self.dir, binary, work):
            path.chmod(0o755)
            os.chown(path, nobody.pw_uid, nobody.pw_gid)

        def flame(*args):
            return self.zbench(command=[binary, "flame", *map(str, args)], user=nobody.pw_uid, group=nobody.pw_gid,
                               extra_groups=[])

        process = subprocess.Popen([work, "for-ever"], stdin=subprocess.DEVNULL, user=nobody.pw_uid,
                                   group=nobody.pw_gid, extra_groups=[])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        run = flame("-p", process.pid, "--duration", 1, "--hz", 999, "--format", "folded", "-o", "-")
        self.assert_done(run)
        self.assertIn("no kernel frames: kernel.perf_event_paranoid is 2", run.err)
        self.assertNotIn("_[k]", run.out)
        self.assert_callers(folded(run.out))
        refused = flame("-C", 0, "-o", "-")
        self.assertEqual(refused.status, 2)
        self.assertRegex(refused.err, r"^zbench: -C 0: not allowed with kernel\.perf_event_paranoid 2; .+\n$")
        self.assertEqual(flame("-p", 1, "-o", "-").status, 2)

    def test_bad_usage(self):
        process = self.helper("for-ever")
        for args, words in ((("-p", 0), ("--pid 0",)), (("-p", 2 ** 22 + 1), ("no such process",)),
                            (("-C", 65535), ("no such CPU",)), (("-p", process.pid, "-C", 0), ("-p", "-C")),
                            (("--hz", 99, self.dir), ("--hz", "-p")), (("-p", process.pid, self.dir), ("-p",)),
                            (("-p", process.pid, "--lcore", 1), ("--lcore",)),
                            (("-p", process.pid, "--call-graph", "lbr"), ("lbr",)),
                            (("-p", process.pid, "--hz", 100000), ("--hz",))):
            run = self.zbench(command=self.command("flame", *args))
            self.assert_refused(run, *words)
            self.assertFalse((self.dir / "zbench-out").is_dir() and os.listdir(self.dir / "zbench-out"))


if __name__ == "__main__":
    zb.main()
