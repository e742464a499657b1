#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flame_valid.py - the sampler agrees with perf record, and what is exported with its own readers

perf (linux-perf) and pprof (go tool pprof, or pprof) are asked where they are; without them those tests skip.
"""
import collections
import glob
import json
import re
import shutil
import subprocess
import time
import unittest

import test_flame_command as command
import test_flame_watch as watch
import zb

HZ = 4999
ROUNDS = 5000  # some 4 s of CPU time: chance alone makes less than a point at 10,000 samples
POINTS = 2.0  # of percent, for functions above FLOOR
FLOOR = 5.0
OWN = {"main", "work", "middle", "deep", "sorter", "compare", "nothing", "leaf_a", "leaf_b", "leaf_c"}  # shares.c


def pprof():
    """A command that reads profiles, as a list."""
    if shutil.which("pprof"):
        return ["pprof"]
    tools = sorted(glob.glob("/usr/lib/go*/pkg/tool/*/pprof") + glob.glob("/usr/lib/go/pkg/tool/*/pprof"))
    return tools[-1:] or (["go", "tool", "pprof"] if shutil.which("go") else None)


def shares(counts, inclusive):
    """Percent of the samples per function, on its own or with what it calls; the kernel's functions are left out."""
    total, found = sum(counts.values()), collections.Counter()
    for stack, count in counts.items():
        names = watch.user(stack)
        for name in set(names) if inclusive else names[-1:]:
            found[name] += 100 * count / total
    return found


def plain(name):
    """Without what the compiler calls pieces of a function."""
    return re.sub(r"\.(part|isra|constprop|cold|lto_priv)(\.\d+)?", "", name.split("+0x")[0])


def perf_counts(text, chains):
    """The stacks of perf script -F ip,sym,dso: an empty line ends an event, which is one line without chains."""
    counts, stack = collections.Counter(), []
    for line in [*text.splitlines(), ""]:
        if line.strip() == "":
            if stack:
                counts[tuple(stack)] += 1
            stack = []
            continue
        match = re.match(r"\s*([0-9a-f]+) (.+) \((\S*)\)$", line)
        assert match, line
        kernel = match[1].startswith("ffff") and len(match[1]) == 16
        stack.insert(0, plain(match[2]) + ("_[k]" if kernel else ""))
        if not chains:
            counts[tuple(stack)] += 1
            stack = []
    return counts


class AgainstPerf(watch.WatchCase):
    def both(self, build, options, perf_options):
        """perf record and zbench flame on one process at the same time: the stacks of both."""
        if not shutil.which("perf"):
            self.skipTest("no perf (package linux-perf)")
        process = self.helper("work", ROUNDS, build=build)
        data = self.dir / "perf.data"
        perf = subprocess.Popen(["perf", "record", "-q", "-o", data, "-e", "cpu-clock", "-F", str(HZ), *perf_options,
                                 "-p", str(process.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: perf.poll() is None and perf.kill())
        run = self.watch("-p", process.pid, "--hz", HZ, "--format", "folded", "-o", "-", *options)
        self.until(lambda: perf.poll() is not None or (data.exists() and "perf_event" in self.read(perf.pid, "maps")))
        time.sleep(0.2)  # of both, what they miss at the beginning is as good as what they see
        process.stdin.write("\n")
        process.stdin.flush()
        ours = watch.folded(self.done(run).out)
        said, _ = perf.communicate(timeout=zb.TIMEOUT_S)
        if perf.returncode != 0:
            self.skipTest(f"perf record does not work here: {said.strip()[:200]}")
        script = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso"], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=zb.TIMEOUT_S, check=True)
        theirs = perf_counts(script.stdout, "-g" in perf_options)
        self.assertGreater(sum(ours.values()), 1000)
        self.assertGreater(sum(theirs.values()), 1000)
        return ours, theirs

    def compare(self, ours, theirs, inclusive=False):
        """How far they are apart at most, in points."""
        a, b = shares(ours, inclusive), shares(theirs, inclusive)
        # The program's own functions: of a library without symbols each says in its own way that it knows no name.
        large = sorted(name for name in set(a) | set(b) if max(a[name], b[name]) > FLOOR and name in OWN)
        for name in large:
            print(f"{'with callees' if inclusive else 'by itself'} {name}: {a[name]:.2f} %, perf {b[name]:.2f} %",
                  flush=True)
        print(f"{sum(ours.values())} samples, perf {sum(theirs.values())}", flush=True)
        self.assertGreater(len(large), 2)
        return max(abs(a[name] - b[name]) for name in large)

    def assert_near(self, build, ours, theirs, kinds):
        """Within the points once in three times: two samplers in turn on a busy CPU may see other parts of the work."""
        apart = []
        while not apart or (min(apart) > POINTS and len(apart) < 3):
            pair = self.both(build, ours, theirs)
            apart.append(max(self.compare(*pair, inclusive=inclusive) for inclusive in kinds))
        self.assertLess(min(apart), POINTS)

    def test_functions_by_themselves(self):
        self.assert_near("shares_nofp", ["--call-graph", "fp"], [], (False,))

    def test_functions_with_what_they_call(self):
        """By frame pointers in both; where a library breaks the chain, both break."""
        self.assert_near("shares_fp", ["--call-graph", "fp"], ["-g"], (False, True))


def schema_errors(profile):
    """What of speedscope's file-format-schema.json does not hold: for sampled profiles, which are all that we write."""
    def number(x):
        return isinstance(x, (int, float)) and not isinstance(x, bool)

    if profile.get("$schema") != "https://www.speedscope.app/file-format-schema.json":
        yield "$schema"
    for key in ("exporter", "name"):
        if key in profile and not isinstance(profile[key], str):
            yield key
    frames = profile["shared"]["frames"]
    for frame in frames:
        if not isinstance(frame.get("name"), str) or not isinstance(frame.get("file", ""), str) or \
                not number(frame.get("line", 0)) or not number(frame.get("col", 0)):
            yield f"frame {frame}"
    if not isinstance(profile["profiles"], list):
        yield "profiles"
    for one in profile["profiles"]:
        if one["type"] != "sampled" or not isinstance(one["name"], str):
            yield "type or name"
        if one["unit"] not in ("none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"):
            yield one["unit"]
        if not number(one["startValue"]) or not number(one["endValue"]):
            yield "startValue, endValue"
        if len(one["samples"]) != len(one["weights"]) or not all(map(number, one["weights"])):
            yield "samples and weights"
        if not all(isinstance(f, int) and 0 <= f < len(frames) for stack in one["samples"] for f in stack):
            yield "a sample's frames"


class Readers(watch.WatchCase):
    """Several threads of several programs, in every form; each says the same."""

    @classmethod
    def setUpClass(cls):
        cls.case = watch.WatchCase()
        cls.case.setUp()
        shell = subprocess.Popen(
            ["sh", "-c", f"read x; for i in 1 2 3; do {watch.helper('shares_nofp')} work 200 </dev/null; done;"
             f" {watch.helper('shares_fp')} threads 100 </dev/null; :"], stdin=subprocess.PIPE, text=True)
        run = cls.case.watch("-p", shell.pid, "--hz", 997, "-o", f"{cls.case.dir}/all/")
        shell.communicate("\n")
        cls.case.done(run)
        cls.folder = cls.case.dir / "all"
        cls.folded = command.folded_counts(cls.made("folded"))

    @classmethod
    def tearDownClass(cls):
        cls.case.doCleanups()

    @classmethod
    def made(cls, form):
        done = cls.case.zbench(command=cls.case.command("flame", cls.folder, "--format", form, "-o", "-"))
        cls.case.assert_done(done)
        return done.out

    def test_speedscope_keeps_to_its_schema(self):
        profile = json.loads(self.made("speedscope"))
        self.assertEqual(list(schema_errors(profile)), [])
        self.assertGreater(len(profile["profiles"]), 3)
        self.assertEqual(sum(sum(p["weights"]) for p in profile["profiles"]),
                         sum(self.folded.values()) * (10**9 // 997))
        profile["profiles"][0]["weights"].pop()
        profile["shared"]["frames"][0].pop("name")
        self.assertEqual(len(list(schema_errors(profile))), 2, "the checker finds what is wrong")

    def test_stackcollapse_has_the_folded_stacks(self):
        """With the program in front, as stackcollapse-perf.pl puts it."""
        counts, name = collections.Counter(), None
        text = self.made("perf")
        for event in text.strip("\n").split("\n\n"):
            name = command.EVENT.match(event.split("\n")[0])[1]
            one, _ = command.collapse(event + "\n\n")
            (stack,) = one
            counts[f"{name};{stack}"] += 1
        want = collections.Counter()
        for stack, count in self.folded.items():
            first, _, rest = stack.partition(";")
            want[f"{first};{command.plain(rest)}"] += count
        self.assertEqual(counts, want)

    def test_pprof_reads_all_samples(self):
        reader = pprof()
        if reader is None:
            self.skipTest("no pprof, neither by itself nor in a Go installation")
        path = self.dir / "profile.pb.gz"
        self.assert_done(self.zbench(command=self.command("flame", self.folder, "--format", "pprof", "-o", path)))
        raw = subprocess.run([*reader, "-raw", path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=zb.TIMEOUT_S, check=True, cwd=self.dir).stdout
        samples, _, rest = raw.partition("Samples:\n")[2].partition("Locations\n")
        names = {}
        for line in rest.partition("Mappings\n")[0].splitlines():
            match = re.match(r"\s*(\d+): 0x[0-9a-f]+ (?:M=\d+ )?(.+?) :0", line)
            if match:
                names[int(match[1])] = match[2]
        counts, thread = collections.Counter(), None
        for line in samples.splitlines()[1:]:
            match = re.match(r"\s*(\d+)\s+\d+: ([\d ]*)$", line)
            if match:
                thread = int(match[1]), [names[int(i)] for i in match[2].split()]
            label = re.match(r"\s*thread:\[(.+?)\]", line)
            if label and thread:
                counts[";".join([label[1], *reversed(thread[1])])] += thread[0]
        want = collections.Counter()
        for stack, count in self.folded.items():
            want[stack.replace("_[k]", "")] += count
        self.assertEqual(sum(counts.values()), sum(want.values()), raw[:2000])
        self.assertEqual(counts, want)


if __name__ == "__main__":
    zb.main()
