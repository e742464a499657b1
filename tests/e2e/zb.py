# SPDX-License-Identifier: Apache-2.0
"""zb.py - what the end-to-end tests share: running zbench in a folder of its own, traces, logs, results

A test file is `test_PROMISE.py ZBENCH`: it tests the binary given, prints what unittest prints, and exits 77
when every case was skipped.
"""
import collections
import fcntl
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""  # set by main()
TIMEOUT_S = 120  # for one run; far more than any needs
WAIT_S = 60  # for something that will happen in a run; far more than it needs
LEAKS = pathlib.Path(__file__).resolve().parent / "lsan.supp"  # of libraries, where a sanitizer looks
SANITIZED = {**os.environ, "LSAN_OPTIONS": f"suppressions={LEAKS}:print_suppressions=0"}
NOT_OF_TIME = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "conn_state", "history",
               "orig_bytes", "resp_bytes", "orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes", "missed_bytes",
               "vlan")

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)

Result = collections.namedtuple("Result", "status out err")
Trace = collections.namedtuple("Trace", "path packets bytes sessions")

# Where DPDK leaves files when it is not told otherwise.
SHARED_FOLDERS = ("/dev/hugepages", "/var/run/dpdk", f"/run/user/{os.getuid()}/dpdk", "/tmp/dpdk")


def record(packet, seconds=1, length=None):
    """A pcap record; length: what the header claims instead of the truth."""
    claimed = len(packet) if length is None else length
    return struct.pack("<IIII", seconds, 0, claimed, claimed) + packet


def cpus(number):
    """So many CPUs that this process may use, not the same for each process; or None when there are fewer."""
    allowed = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(allowed)
    return sorted((allowed[first:] + allowed[:first])[:number]) if len(allowed) >= number else None


def listing(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def rows(path):
    """The rows of a JSON log, as dictionaries."""
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def connections(path, but=()):
    """The rows without what depends on when and where they were seen, and without but, as a multiset."""
    if not path.exists():
        return collections.Counter()
    return collections.Counter(tuple(str(row.get(name)) for name in NOT_OF_TIME if name not in but)
                               for row in rows(path))


def _zeek_value(kind, text):
    if kind.startswith(("set[", "vector[")):
        inner = kind[kind.index("[") + 1:-1]
        return [] if text == "(empty)" else [_zeek_value(inner, t) for t in text.split(",")]
    if kind in ("count", "int", "port"):
        return int(text)
    if kind in ("time", "interval", "double"):
        return float(text)
    if kind == "bool":
        return text == "T"
    if text == "(empty)":
        return ""
    text = text.replace("\\\\", "\\x5c")
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), text)


def zeek_rows(path):
    """The rows of a tab-separated log as dictionaries; unset fields are left out, as in JSON."""
    found, names, kinds = [], [], []
    with open(path, encoding="utf-8") as f:
        for line in f.read().splitlines():
            fields = line.split("\t")
            if fields[0] == "#fields":
                names = fields[1:]
            elif fields[0] == "#types":
                kinds = fields[1:]
            elif not line.startswith("#"):
                found.append({n: _zeek_value(k, v) for n, k, v in zip(names, kinds, fields, strict=True)
                              if v != "-"})
    return found


def sanitized():
    """Whether the program looks at its own memory: then its times are not its times."""
    return b"__asan_init" in pathlib.Path(BINARY).read_bytes()


class Case(unittest.TestCase):
    """One folder per test, self.dir, in which zbench runs; nothing may be left outside it."""

    maxDiff = 4000
    _traces = {}
    _trace_dir = None

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="zb-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.before = {folder: listing(folder) for folder in SHARED_FOLDERS}

    @property
    def out(self):
        return self.dir / "out"

    def command(self, *args):
        return [BINARY, *map(str, args)]

    def zbench(self, *args, command=None, **popen):
        """Runs zbench with args and --out self.out; its streams are pipes and stdin is closed."""
        if command is None:
            command = self.command(*args, "--out", self.out)
        run = subprocess.run(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False, **popen)
        return Result(run.returncode, run.stdout, run.stderr)

    def result(self):
        with open(self.out / "result.json", encoding="utf-8") as f:
            return json.load(f)

    def need_heap_profiler(self):
        run = self.zbench("--pcap", self.trace("--packets", 100).path, "--heap", "final")
        if run.status == 2 and "no heap profiler" in run.err:
            self.skipTest("built without a heap profiler")

    def assert_done(self, run, status=0):
        self.assertEqual(run.status, status, f"exit status; stderr:\n{run.err}stdout:\n{run.out}")

    def assert_refused(self, run, *words):
        """Exit status 2, one line on stderr that has all of words, and nothing was started or left behind."""
        self.assert_done(run, 2)
        self.assertEqual(len(run.err.splitlines()), 1, run.err)
        self.assertRegex(run.err, r"\Azbench: \S.*: .+\n\Z")
        for word in words:
            self.assertIn(str(word), run.err)
        self.assertFalse(self.out.exists(), f"{self.out} was left behind")
        self.assert_nothing_left()

    def assert_nothing_left(self):
        for folder, names in self.before.items():
            self.assertEqual(listing(folder), names, f"files left in {folder}")

    def assert_law_holds(self, result):
        for part in [result["totals"], *result["lcores"]]:
            self.assertEqual(part["residual_pkts"], 0)
            self.assertEqual(part["residual_bytes"], 0)
            self.assertEqual(part["pkts_link"],
                             part["pkts_proc"] + part["pkts_dropped"] + part["pkts_filtered"])
        self.assertTrue(result["verdict"]["law_holds"])

    @classmethod
    def trace(cls, *options):
        """A generated trace, made once for all tests that ask for the same."""
        if options not in cls._traces:
            if Case._trace_dir is None:
                Case._trace_dir = tempfile.TemporaryDirectory(prefix="zb-e2e-traces-")
                os.chmod(Case._trace_dir.name, 0o755)
            path = pathlib.Path(Case._trace_dir.name, f"{len(cls._traces)}.pcap")
            made = subprocess.run([BINARY, "gen", "--out", path, *map(str, options)], text=True, check=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S)
            numbers = re.search(r": (\d+) packets, (\d+) bytes, (\d+) sessions, ", made.stdout)
            cls._traces[options] = Trace(path, *map(int, numbers.groups()))
        return cls._traces[options]


HUGE_PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
HUGE_LOCK = pathlib.Path(tempfile.gettempdir(), "zbench-huge-pages.lock")


def free_huge_pages(what="Free"):
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith(f"HugePages_{what}:"):
            return int(line.split()[1])
    return 0


def set_huge_pages(case, number):
    """The machine's pool of huge pages is this test's alone until the test ends, and is put back then."""
    lock = os.open(HUGE_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    case.addCleanup(os.close, lock)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        before = HUGE_PAGES.read_text(encoding="ascii")
        # Others may have some, which they took while another test lent them out.
        number_all = number + (free_huge_pages("Total") - free_huge_pages() if number != 0 else 0)
        HUGE_PAGES.write_text(f"{number_all}\n", encoding="ascii")
    except OSError as e:
        case.skipTest(f"may not change the pool of huge pages: {e}")
    # Also when the test is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    case.addCleanup(signal.signal, signal.SIGTERM, signal.SIG_DFL)
    case.addCleanup(HUGE_PAGES.write_text, before, encoding="ascii")
    if free_huge_pages() < number:
        case.skipTest(f"the machine has {free_huge_pages()} huge pages to spare, not {number}")


class LiveCase(Case):
    """Runs that take packets from outside while they last."""

    def inside(self, *command):
        """The command as it runs where the devices are."""
        return [*map(str, command)]

    def start(self, *args):
        """Starts a live run, and waits until it takes packets. The usual port of metrics is one for all of the machine."""
        run = subprocess.Popen(
            self.inside(*self.command(*args, "--stats-interval", 0.2, "--sample-hz", 0, "--prealloc", 0, "--metrics",
                                      "off", "--out", self.out)),
            cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=SANITIZED)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        stats, deadline = self.out / "stats.log", time.monotonic() + WAIT_S
        while not (stats.exists() and stats.stat().st_size != 0):
            if run.poll() is not None or time.monotonic() > deadline:
                self.finish(run, None)
                self.fail("the run did not begin to take packets")
            time.sleep(0.05)
        return run

    def finish(self, run, status=0, both=False):
        out, err = run.communicate(timeout=TIMEOUT_S)
        run.stdout.close()
        run.stderr.close()
        if status is None:
            sys.stderr.write(err)
        else:
            self.assertEqual(run.returncode, status, f"exit status; stderr:\n{err}stdout:\n{out}")
        return (out, err) if both else out

    def expected(self, path, but=()):
        """What a run over the file has in conn.log."""
        out = self.dir / "expected"
        self.assert_done(self.zbench(command=self.command("--pcap", path, "--out", out)))
        return connections(out / "conn.log", but)

    def assert_device_adds_up(self, result, sent):
        self.assert_law_holds(result)
        devices = result["input"]["devices"]
        self.assertEqual(sum(d["pkts_device"] for d in devices), sent)
        self.assertEqual(result["totals"]["pkts_link"], sent)
        for d in devices:
            self.assertEqual(d["residual_pkts"], 0)
        self.assertEqual(sum(d["pkts_dropped"] for d in devices) +
                         sum(d["pkts_read"] for d in devices), sent)


def main():
    global BINARY
    BINARY = os.path.abspath(sys.argv.pop(1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    program = unittest.main(verbosity=2, exit=False)
    if Case._trace_dir is not None:
        Case._trace_dir.cleanup()
    outcome = program.result
    if not outcome.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if outcome.testsRun == len(outcome.skipped) else 0)
