#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flame_command.py - zbench flame: what it makes of a run says the same in every form, and others can read it"""
import collections
import gzip
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import zb

# How FlameScope and stackcollapse-perf.pl find events and frames in the text of perf script.
EVENT = re.compile(r"^(\S.+?)\s+(\d+)/*(\d+)*\s+(?:\[(\d+)\])?\s*([0-9.]+): +(\d+) (\S+): $")
FLAMESCOPE_EVENT = re.compile(r" +([0-9.]+): .+?:")
FRAME = re.compile(r"^\s*(\w+)\s*(.+) \((\S*)\)$")
FLAMESCOPE_FRAME = re.compile(r"^[\t ]*[0-9a-fA-F]+ (.+) \((.*?)\)$")


def folded_counts(text):
    counts = collections.Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        counts[stack] += int(count)
    return counts


def plain(stack):
    """A stack as both folded text and perf script can tell it: no kernel marks, no names of what has none."""
    frames = [f.removesuffix("_[k]") for f in stack.split(";")]
    return ";".join("[unknown]" if f.startswith("[") else f for f in frames)


def collapse(text):
    """What stackcollapse-perf.pl makes of it, and the times."""
    counts, times, stack = collections.Counter(), [], None
    for line in text.splitlines():
        if line == "":
            counts[";".join(stack)] += 1
            stack = None
        elif stack is None:
            event = EVENT.match(line)
            assert event, line
            assert FLAMESCOPE_EVENT.search(line).group(1) == event.group(5), line
            times.append(float(event.group(5)))
            stack = []
        else:
            frame, also = FRAME.match(line), FLAMESCOPE_FRAME.match(line)
            assert frame and also and frame.group(2) == also.group(1), line
            name = re.sub(r"\+0x[\da-f]+$", "", frame.group(2))
            stack.insert(0, "[unknown]" if name.startswith("[") else name)
    assert stack is None
    return counts, times


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def message(data):
    """The fields of a protocol buffer message: number -> list of values."""
    fields, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
            assert len(data) >= at
        else:
            assert key & 7 == 0, key
        fields[key >> 3].append(value)
    return fields


def packed(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


class FlameCommand(zb.Case):
    @classmethod
    def setUpClass(cls):
        cls.case = zb.Case()
        cls.case.setUp()
        trace = cls.trace("--packets", 20000)
        cls.cpu = zb.cpus(1)[0]
        run = cls.case.zbench("--pcap", trace.path, "--cores", cls.cpu, "--duration", 3, "--logs", "none",
                              "--sample-hz", 499)
        assert run.status == 0, run.err
        cls.run_folder = cls.case.out
        cls.folded = folded_counts((cls.run_folder / "flame" / "all.folded").read_text(encoding="utf-8"))
        cls.samples = sum(cls.folded.values())
        assert cls.samples > 0

    @classmethod
    def tearDownClass(cls):
        cls.case.doCleanups()

    def flame(self, *args, status=0):
        run = self.zbench(command=self.command("flame", *args))
        self.assert_done(run, status)
        return run

    def text(self, *args):
        return self.flame(*args, "-o", "-").out

    def test_folded_is_what_the_run_wrote(self):
        self.assertEqual(folded_counts(self.text(self.run_folder, "--format", "folded")), self.folded)
        self.assertEqual(folded_counts(self.text(self.run_folder, "--format", "folded", "--lcore", self.cpu)),
                         self.folded)

    def test_ranges_add_up_to_the_whole(self):
        seconds = json.loads((self.run_folder / "result.json").read_text())["wall_s"] + 10
        parts = collections.Counter()
        for a, b in ((0, 1.25), (1.25, 2), (2, seconds)):
            parts += folded_counts(self.text(f"{self.run_folder}@{a}-{b}", "--format", "folded"))
        self.assertEqual(parts, self.folded)
        late = self.text(self.run_folder, "--from", 1.25, "--format", "folded")
        self.assertEqual(late, self.text(f"{self.run_folder}@1.25-", "--format", "folded"))
        self.assertEqual(late, self.text(self.run_folder / "flame" / "samples.gz", "--from", "1250ms",
                                         "--format", "folded"))

    def test_perf_script_reads_as_perf_script(self):
        self.assertEqual(self.flame(self.run_folder, "--format", "perf").out.strip(),
                         str(self.run_folder / "flame" / "perf-script.txt"))
        text = (self.run_folder / "flame" / "perf-script.txt").read_text(encoding="utf-8")
        counts, times = collapse(text)
        want = collections.Counter()
        for stack, count in self.folded.items():
            want[plain(stack)] += count
        self.assertEqual(counts, want)
        self.assertEqual(times, sorted(times))
        self.assertTrue(text.startswith("zbench "))

    def test_pprof_has_every_sample(self):
        self.flame(self.run_folder, "--format", "pprof", "-o", self.dir / "p.gz")
        profile = message(gzip.decompress((self.dir / "p.gz").read_bytes()))
        strings = [s.decode() for s in profile[6]]
        self.assertEqual(strings[0], "")
        kinds = [tuple(strings[message(t)[n][0]] for n in (1, 2)) for t in profile[1]]
        self.assertEqual(kinds, [("samples", "count"), ("cpu", "nanoseconds")])
        functions = {f[1][0]: strings[f[2][0]] for f in map(message, profile[5])}
        mappings = {m[1][0]: m for m in map(message, profile[3])}
        self.assertIn("zbench", strings[mappings[1][5][0]])
        locations = {}
        for location in map(message, profile[4]):
            locations[location[1][0]] = functions[message(location[4][0])[1][0]]
            if 2 in location:
                mapping = mappings[location[2][0]]
                self.assertLessEqual(mapping[2][0], location[3][0])
                self.assertLess(location[3][0], mapping[3][0])
        counts = collections.Counter()
        for sample in map(message, profile[2]):
            count, nanoseconds = packed(sample[2][0])
            self.assertEqual(nanoseconds, count * (10**9 // 499))
            stack = [locations[i] for i in packed(sample[1][0])] if sample[1][0] else ["[no stack]"]
            counts[plain(";".join(reversed(stack)))] += count
            labels = {strings[label[1][0]]: label for label in map(message, sample[3])}
            self.assertEqual(strings[labels["thread"][2][0]], f"lcore-{self.cpu}")
        want = collections.Counter()
        for stack, count in self.folded.items():
            want[plain(stack)] += count
        self.assertEqual(counts, want)

    def test_speedscope_has_every_sample(self):
        profile = json.loads(self.text(self.run_folder, "--format", "speedscope"))
        self.assertEqual(profile["$schema"], "https://www.speedscope.app/file-format-schema.json")
        frames = profile["shared"]["frames"]
        self.assertTrue(all(set(f) <= {"name", "file"} and isinstance(f["name"], str) for f in frames))
        (lane,) = profile["profiles"]
        self.assertEqual((lane["type"], lane["unit"], lane["name"]), ("sampled", "nanoseconds", f"lcore-{self.cpu}"))
        self.assertEqual(len(lane["samples"]), len(lane["weights"]))
        self.assertTrue(all(0 <= f < len(frames) for stack in lane["samples"] for f in stack))
        self.assertEqual(lane["endValue"] - lane["startValue"], sum(lane["weights"]))
        self.assertEqual(sum(lane["weights"]), self.samples * (10**9 // 499))

    def test_icicle_has_the_root_on_top(self):
        def places(svg):
            found = {}
            for g in xml.etree.ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
                if g.get("class") == "f":
                    rect = g.find("{http://www.w3.org/2000/svg}rect")
                    found[g.get("data-s"), g.get("data-d")] = (int(g.get("data-d")), int(rect.get("y")))
            return found
        down, up = places(self.text(self.run_folder, "--format", "icicle")), places(self.text(self.run_folder))
        self.assertEqual(set(down), set(up))
        top = min(y for _, y in down.values())
        self.assertTrue(all(y == top + 17 * depth for depth, y in down.values()))
        bottom = max(y for _, y in up.values())
        self.assertTrue(all(y == bottom - 17 * depth for depth, y in up.values()))

    def test_diff_of_ranges_and_of_files(self):
        run = self.run_folder
        self.assertEqual(self.flame("--diff", f"{run}@0-1.5", f"{run}@1.5-").out.strip(), str(run / "flame" / "diff-from-1.5s.svg"))
        svg = (run / "flame" / "diff-from-1.5s.svg").read_text(encoding="utf-8")
        xml.etree.ElementTree.fromstring(svg)
        self.assertIn("against all lcores, 0 s to 1.5 s", svg)
        self.assertIn(" points</title>", svg)
        one, two = self.dir / "one.folded", self.dir / "two.folded"
        one.write_text("a;b 3\na;c 1\n")
        two.write_text("a;b 8\n")
        svg = self.text("--diff", one, two)
        self.assertIn("was 75.00 %: +25 points", svg)
        self.assertIn(">c  in a<", svg)
        self.assertIn("was 100.00 %: -25 points", self.text("--diff", two, one, "--format", "icicle"))

    def test_time_off_the_cpu_is_told_from_time_on_it(self):
        profile = json.loads((self.run_folder / "result.json").read_text())["profile"]
        if not profile["kernel_frames"]:
            self.skipTest("the kernel does not show its frames")
        trace = self.trace("--packets", 20000)
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                preexec_fn=lambda: os.sched_setaffinity(0, [self.cpu]))
        try:
            self.assert_done(self.zbench("--pcap", trace.path, "--cores", self.cpu, "--duration", 2, "--logs", "none"))
        finally:
            busy.kill()
            busy.wait()
        counts = folded_counts(self.text(self.out, "--off-cpu", "--format", "folded"))
        self.assertTrue(all(s.startswith(("[waiting];", "[preempted];")) for s in counts), counts)
        preempted = [s for s in counts if s.startswith("[preempted];zb_engine_run;")]
        self.assertNotEqual(preempted, [])
        self.assertTrue(all(s.split(";")[-1].endswith("_[k]") for s in preempted), preempted)
        svg = self.text(self.out, "--off-cpu")
        self.assertIn("off the CPU", svg)
        self.assertRegex(svg, r"[0-9,]+ us")

    def test_folded_files_are_merged(self):
        one, two = self.dir / "one.folded", self.dir / "two.folded"
        one.write_text("a;b 3\nk_[k] 1\n")
        two.write_text("a;b 4\na 2\n\n")
        self.assertEqual(self.text(one, two, "--format", "folded"), "a 2\na;b 7\nk_[k] 1\n")
        self.assertIn("10 samples", self.text(one, two))
        profile = message(gzip.decompress(self.raw(one, "--format", "pprof")))
        self.assertEqual(sorted(packed(message(s)[2][0])[0] for s in profile[2]), [1, 3])

    def raw(self, *args):
        self.flame(*args, "-o", self.dir / "raw")
        return (self.dir / "raw").read_bytes()

    def test_bad_usage_is_one_line(self):
        folded, run = self.dir / "one.folded", self.run_folder
        folded.write_text("a;b 3\n")
        (self.dir / "bad.folded").write_text("a;b\n")
        (self.dir / "empty").mkdir()
        (self.dir / "bad.gz").write_bytes(gzip.compress(b"what\n"))
        for words, args in {"nothing to read": [], "No such file": [self.dir / "nix"],
                            "no flame/samples.gz": [self.dir / "empty"],
                            "line 1: not a folded stack": [self.dir / "bad.folded"],
                            "line 1: not a file of samples": [self.dir / "bad.gz"],
                            "have no times": [folded, "--format", "perf"],
                            "no times to cut": [folded, "--from", 1],
                            "folded stacks have no times to": [f"{folded}@1-2"],
                            "not a range of time": [f"{run}@2-1"],
                            "not after --from": [run, "--from", 2, "--to", 1],
                            "there are no lcores": [folded, "--lcore", 1],
                            f"there {self.cpu}": [run, "--lcore", 9999],
                            "the page has all": [run, "--from", 1, "--format", "heatmap"],
                            "not two sources": [run, "--diff"],
                            "not a picture": [run, run, "--diff", "--format", "perf"],
                            "2 sources; give one": [run, run, "--format", "pprof"],
                            "cannot create": [run, "-o", self.dir / "nix" / "x"]}.items():
            with self.subTest(words):
                done = self.flame(*args, status=2)
                self.assertEqual(len(done.err.splitlines()), 1, done.err)
                self.assertIn(words, done.err)

    def test_full_disk_leaves_no_half_file(self):
        done = self.flame(self.run_folder, "-o", "/dev/full", status=3)
        self.assertIn("No space left", done.err)

    def test_empty_range_is_said(self):
        done = self.flame(f"{self.run_folder}@100000-", "-o", self.dir / "x.svg")
        self.assertIn("no samples there", done.err)
        self.assertIn("no samples", (self.dir / "x.svg").read_text())


if __name__ == "__main__":
    zb.main()
