#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_heap_command.py - zbench heap: dumps say the same in every form as they do to jeprof"""
import collections
import ctypes.util
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import zb
from test_flame_command import folded_counts, message, packed

ROW = re.compile(r"^ *(-?[\d.]+) +(\S+%) +(\S+%) +(-?[\d.]+) +(\S+%) (.+)$")
MIB = 1 << 20


def table(text):
    """Total, and flat and cumulative MB by function."""
    head, *lines = text.splitlines()
    rows = {}
    for line in lines:
        flat, _, _, cumulative, _, name = ROW.match(line).groups()
        rows[name] = (float(flat), float(cumulative))
    return float(re.match(r"Total: (-?[\d.]+) MB$", head).group(1)), rows


def by_hand(*stacks, maps=""):
    """A dump in which each (MiB, address...) is held as one object, which is surely sampled."""
    text = "heap_v2/1024\n  t*: 1: 1 [0: 0]\n"
    for mib, *ips in stacks:
        text += "@" + "".join(f" {ip:#x}" for ip in ips) + f"\n  t*: 1: {mib * MIB} [0: 0]\n"
    return text + f"\nMAPPED_LIBRARIES:\n{maps}"


class HeapCommand(zb.Case):
    @classmethod
    def setUpClass(cls):
        cls.case = zb.Case()
        cls.case.setUp()
        trace = cls.trace("--sessions", 5000)
        run = cls.case.zbench("--pcap", trace.path, "--heap", "8M", "--sample-hz", 0, "--fault", "http-retain")
        cls.has_dumps = not (run.status == 2 and "no heap profiler" in run.err)
        assert run.status == 0 or not cls.has_dumps, run.err
        cls.run_folder = cls.case.out

    @classmethod
    def tearDownClass(cls):
        cls.case.doCleanups()

    def setUp(self):
        super().setUp()
        if not self.has_dumps and "of_a_run" in self.id():
            self.skipTest("built without jemalloc")

    def heap(self, *args, status=0):
        run = self.zbench(command=self.command("heap", *args))
        self.assert_done(run, status)
        return run

    def json(self, *args):
        return json.loads(self.heap(*args, "--format", "json").out)

    def dumps(self):
        return sorted((self.run_folder / "heap").iterdir(), key=lambda d: int(d.name.split(".")[2]))

    def same_as_jeprof(self, ours, *args):
        said = subprocess.run(["jeprof", "--text", *args[:-1], zb.BINARY, args[-1]], text=True, capture_output=True,
                              check=True, timeout=zb.TIMEOUT_S).stdout
        total, rows = table(ours)
        their_total, their_rows = table(said)
        self.assertAlmostEqual(total, their_total, delta=0.11)
        # In libraries without symbols jeprof gives the nearest name it finds; zbench gives none.
        ours, theirs = ({n: r for n, r in t.items() if "zb_" in n or "(inline)" in n} for t in (rows, their_rows))
        self.assertGreater(len(theirs), 10)
        for name in set(ours) | set(theirs):
            for a, b in zip(ours.get(name, (0, 0)), theirs.get(name, (0, 0)), strict=True):
                self.assertAlmostEqual(a, b, delta=0.11, msg=name)

    def without_libraries(self, dump):
        """jeprof takes a second for each library that is mapped."""
        stacks, maps = dump.read_text(encoding="utf-8").split("MAPPED_LIBRARIES:\n")
        path = self.dir / dump.name
        path.write_text(stacks + "MAPPED_LIBRARIES:\n" +
                        "".join(line + "\n" for line in maps.splitlines() if line.endswith(os.path.realpath(zb.BINARY))))
        return path

    def test_table_of_a_run_is_as_jeprof_has_it(self):
        if shutil.which("jeprof") is None:
            self.skipTest("there is no jeprof")
        if not os.path.exists("/usr/bin/file"):
            self.skipTest("without file(1), jeprof takes a program for one of 32 bits and sees no inlined function")
        first, last = map(self.without_libraries, (self.dumps()[0], self.dumps()[-1]))
        self.same_as_jeprof(self.heap(last, "--top", 0).out, last)
        self.same_as_jeprof(self.heap("--diff", first, last, "--top", 0).out, f"--base={first}", last)

    def test_forms_of_a_run_say_the_same(self):
        found = self.json(self.run_folder)
        self.assertEqual(found["mode"], "use")
        self.assertEqual(found["dumps"][0]["file"], str(self.dumps()[-1]))
        paths = collections.Counter()
        for p in found["paths"]:
            paths[";".join(reversed(p["path"])).replace(" ", "_")] += p["bytes"]
        self.assertAlmostEqual(sum(paths.values()), found["bytes"], delta=len(paths))
        folded = folded_counts(self.heap(self.run_folder, "--format", "folded").out)
        self.assertEqual(folded, paths)
        self.assertGreater(sum(b for s, b in folded.items() if "http_" in s), 0)
        for form in ("svg", "icicle"):
            svg = self.heap(self.run_folder, "--format", form).out
            self.assertEqual(int(xml.etree.ElementTree.fromstring(svg).get("data-total")), sum(paths.values()))
            self.assertIn("memory in use", svg)
        self.heap(self.run_folder, "--format", "pprof", "-o", self.dir / "p.gz")
        self.assertEqual(self.profile(self.dir / "p.gz"), paths)
        self.assertEqual(len(self.heap(self.run_folder, "--top", 3).out.splitlines()), 4)

    def profile(self, path):
        """Bytes by path of a profile for pprof."""
        profile = message(gzip.decompress(path.read_bytes()))
        strings = [s.decode() for s in profile[6]]
        kinds = [tuple(strings[message(t)[n][0]] for n in (1, 2)) for t in profile[1]]
        self.assertEqual(kinds, [("inuse_objects", "count"), ("inuse_space", "bytes")])
        names = {f[1][0]: strings[f[2][0]] for f in map(message, profile[5])}
        places = {l[1][0]: names[message(l[4][0])[1][0]] for l in map(message, profile[4])}
        counts = collections.Counter()
        for sample in map(message, profile[2]):
            objects, size = packed(sample[2][0])
            self.assertGreater(objects, 0)
            counts[";".join(places[i] for i in reversed(packed(sample[1][0]))).replace(" ", "_")] += size
        return counts

    def test_growth_of_a_run_finds_the_fault(self):
        found = self.json("--growth", self.run_folder)
        self.assertEqual([d["seq"] for d in found["dumps"]], list(range(len(self.dumps()))))
        self.assertIn("fault_http_retain", " ".join(found["paths"][0]["path"]))
        self.assertGreater(found["paths"][0]["fit"], 0.5)
        text = self.heap("--growth", self.run_folder, "--top", 2).out.splitlines()
        self.assertRegex(text[0], r"^\d+ dumps( in [\d.]+ s)?: [\d.]+ MB in the first, [\d.]+ MB in the last$")
        self.assertEqual(len(text), 4)

    def test_parts_of_a_run_are_dumps_too(self):
        (spool,) = (self.run_folder / "spool").iterdir()
        part, whole = self.json(spool), self.json(self.run_folder)
        self.assertLessEqual(part["bytes"], whole["bytes"])
        self.assertGreater(part["bytes"], 0)
        self.assertAlmostEqual(part["dumps"][0]["time_s"], whole["dumps"][0]["time_s"], delta=0.002)

    def write(self, name, *stacks, maps="", time_s=None):
        path = self.dir / name
        path.write_text(by_hand(*stacks, maps=maps))
        if time_s is not None:
            os.utime(path, (time_s, time_s))
        return path

    def test_growth_is_sorted_by_slope(self):
        (self.dir / "d").mkdir()
        for i, up_down in enumerate((9, 1, 12, 2)):
            self.write(f"d/x.7.{i}.i{i}.heap", (1 + 2 * i, 0x10), (5 + 10 * i, 0x20), (40, 0x30), (up_down, 0x40),
                       time_s=10**9 + 10 * i)
        found = self.json("--growth", self.dir / "d")
        self.assertEqual([p["path"] for p in found["paths"]], [["[0x1f]"], ["[0xf]"], ["[0x2f]"], ["[0x3f]"]])
        for path, mib in zip(found["paths"], (10, 2, 0), strict=False):
            self.assertAlmostEqual(path["slope_bytes_per_s"], mib * MIB / 10, delta=1)
        self.assertEqual([round(p["fit"], 2) for p in found["paths"][:3]], [1, 1, 0])
        self.assertEqual((found["paths"][0]["first_bytes"], found["paths"][0]["last_bytes"]), (5 * MIB, 35 * MIB))
        text = self.heap("--growth", self.dir / "d").out.splitlines()
        self.assertEqual(text[0], "4 dumps in 30.0 s: 55.0 MB in the first, 84.0 MB in the last")
        self.assertEqual(text[2], "     5.0     35.0     1024.0 100%  [0x1f]")
        self.assertEqual(len(text), 5)
        folded = self.heap("--growth", self.dir / "d", "--format", "folded").out
        self.assertEqual(folded_counts(folded), {"[0x1f]": 30 * MIB, "[0xf]": 6 * MIB})
        for i in range(4):  # copied without their times
            os.utime(self.dir / "d" / f"x.7.{i}.i{i}.heap", (10**9, 10**9))
        self.assertAlmostEqual(self.json("--growth", self.dir / "d")["paths"][0]["slope_bytes_per_dump"], 10 * MIB, delta=1)

    def test_diff_has_what_came_and_what_went(self):
        one, two = self.write("1.heap", (8, 0x10), (16, 0x20)), self.write("2.heap", (24, 0x10), (1, 0x30))
        self.assertEqual(table(self.heap("--diff", one, two).out),
                         (1.0, {"[0xf]": (16.0, 16.0), "[0x2f]": (1.0, 1.0), "[0x1f]": (-16.0, -16.0)}))
        svg = self.heap("--diff", one, two, "--format", "svg").out
        self.assertIn("17.0 MB grown, last against first; 16.0 MB shrunk elsewhere are not drawn", svg)
        self.assertEqual(table(self.heap(one, two).out)[0], 49.0)  # as jeprof adds them up

    def test_folder_of_several_processes_gives_the_last(self):
        self.write("x.7.0.i0.heap", (8, 0x10), time_s=10**9)
        self.write("x.7.1.i1.heap", (9, 0x10), time_s=10**9 + 2)
        self.write("x.9.0.i0.heap", (3, 0x10), time_s=10**9 + 1)
        os.mkfifo(self.dir / "x.8.0.i0.heap")
        done = self.heap(self.dir, status=0)
        self.assertIn("several processes", done.err)
        self.assertEqual(table(done.out)[0], 9.0)

    def test_names_come_from_another_file_when_told(self):
        base = 0x7f0000000000
        symbols = subprocess.run(["nm", zb.BINARY], text=True, capture_output=True, check=False).stdout \
            if shutil.which("nm") else ""
        found = re.search(r"(?m)^([0-9a-f]+) [tT] main$", symbols)
        if found is None:
            self.skipTest("nm does not say where main is")
        copy = self.dir / "prog"
        shutil.copy(zb.BINARY, copy)
        maps = f"{base:x}-{base + os.stat(copy).st_size:x} r-xp 00000000 08:01 5  /nonexistent/prog\n"
        dump = self.write("1.heap", (64, base + int(found.group(1), 16) + 5), maps=maps)
        done = self.heap(dump)
        self.assertNotIn("main", done.out)
        self.assertIn("--binary", done.err)
        done = self.heap(dump, "--binary", copy)
        self.assertEqual(table(done.out)[1], {"main": (64.0, 64.0)})
        self.assertEqual(done.err, "")
        dump = self.write("2.heap", (64, base + int(found.group(1), 16) + 5),
                          maps=maps.replace("/nonexistent/prog", str(copy)), time_s=10**9)
        self.assertIn("changed since", self.heap(dump).err)

    def test_any_program_with_jemalloc(self):
        """What a foreign program that had jemalloc preloaded has written."""
        lib = ctypes.util.find_library("jemalloc")
        if lib is None:
            self.skipTest("there is no jemalloc to preload")
        done = subprocess.run(
            [sys.executable, "-c", "import time; x = [(bytearray(1 << 24), time.sleep(0.03)) for _ in range(40)]"],
            cwd=self.dir, check=True, capture_output=True, text=True, timeout=zb.TIMEOUT_S,
            env={**os.environ, "LD_PRELOAD": lib, "PYTHONMALLOC": "malloc",
                 "MALLOC_CONF": "prof:true,lg_prof_interval:27,prof_prefix:py"})
        if not list(self.dir.glob("py.*.heap")):
            self.skipTest(f"this jemalloc does not profile: {done.stderr}")
        found = self.json("--growth", self.dir)
        self.assertGreaterEqual(len(found["dumps"]), 4)
        self.assertGreater(found["paths"][0]["bytes"], 256 * MIB)
        self.assertGreater(found["paths"][0]["fit"], 0.9)
        self.assertNotIn("jemalloc", found["paths"][0]["path"][0])

    def test_bad_usage_is_one_line(self):
        good = self.write("good.heap", (1, 0x10))
        (self.dir / "empty").mkdir()
        for name, text in {"cut": by_hand((1, 0x10))[:-30], "old": "heap profile: 1: 2 [3: 4] @ heapprofile\n",
                           "bytes": "\0\xff\n"}.items():
            (self.dir / name).write_text(text, encoding="latin-1")
        for words, args in {"nothing to read": [], "No such file": [self.dir / "nix"],
                            "no heap dumps there": [self.dir / "empty"],
                            "not whole": [self.dir / "cut"], "line 1: no heap dump": [self.dir / "old"],
                            "line 1:": [self.dir / "bytes"],
                            "1 dump; give two": ["--diff", good],
                            "3 sources; give two": ["--diff", good, good, good],
                            "2 dumps; give at least three": ["--growth", good, good],
                            "contradicts --diff": ["--growth", "--diff", good, good],
                            "--binary": [good, "--binary", self.dir / "nix"],
                            "cannot create": [good, "-o", self.dir / "nix" / "x"]}.items():
            with self.subTest(words):
                done = self.heap(*args, status=2)
                self.assertEqual(len(done.err.splitlines()), 1, done.err)
                self.assertIn(words, done.err)

    def test_full_disk_leaves_no_half_file(self):
        for form in ("text", "json", "svg", "folded"):
            done = self.heap(self.write("good.heap", (1, 0x10)), "--format", form, "-o", "/dev/full", status=3)
            self.assertIn("No space left", done.err)


if __name__ == "__main__":
    zb.main()
