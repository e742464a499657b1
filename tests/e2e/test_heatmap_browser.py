#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_heatmap_browser.py - a heat map does in a real browser what it promises

    test_heatmap_browser.py ZBENCH

Makes a run that drops packets, takes its heat map, and lets a script in headless Chromium drag over it: the flame
graph below has the samples of the range that this file computes for itself from flame/samples.gz, and so have worker,
expression and zoom. Then the map of an hour is made, from samples written here. Exit status 77: there is no Chromium.
"""
import collections
import gzip
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--virtual-time-budget=60000", "--dump-dom"]
ZBENCH = ""
ROWS, ROW_PX, LEFT, INNER = 50, 4, 84, 1200 - 84 - 10

# Runs after the page's own script; leaves what it saw as JSON in <p id="seen">.
DRIVER = r"""
const seen = {violations: early, errors: [], steps: []};
addEventListener('error', function (e) { seen.errors.push(String(e.message)); });
const map = document.getElementById('map'), strips = document.getElementById('strips');
function mouse(canvas, kind, x, y, more) {
  const box = canvas.getBoundingClientRect();
  (kind === 'mouseup' ? window : canvas).dispatchEvent(new MouseEvent(kind, Object.assign(
    {bubbles: true, cancelable: true, button: 0, clientX: box.left + x, clientY: box.top + y}, more || {})));
}
function drag(canvas, from, to) {
  mouse(canvas, 'mousedown', from[0], from[1]);
  mouse(canvas, 'mousemove', to[0], to[1]);
  mouse(canvas, 'mouseup', to[0], to[1]);
}
function look(name) {
  const svg = document.querySelector('#flame svg'), root = svg.querySelector('g.f');
  const pixels = map.getContext('2d').getImageData(0, 0, 1200, 200).data;
  let hot = 0;
  for (let i = 0; i < pixels.length; i += 4) hot += pixels[i + 2] < 215 && pixels[i] > 200;
  seen.steps.push({name: name, title: svg.querySelector('.head').textContent,
    total: root ? Number(root.dataset.v) : 0, hot: hot, say: document.getElementById('say').textContent,
    cut: document.getElementById('cut').textContent,
    frames: Array.from(svg.querySelectorAll('g.f'), function (g) {
      const r = g.querySelector('rect');
      return [g.querySelector('title').textContent, Number(r.getAttribute('width')), r.getAttribute('fill'),
        g.classList.contains('hide')];
    })});
}
function edges(name) {
  mouse(map, 'mousemove', 85, 199);
  look(name + ' left');
  mouse(map, 'mousemove', 1189, 199);
  look(name + ' right');
}
function click(e) { e.dispatchEvent(new MouseEvent('click', {bubbles: true})); }
function set(id, value, kind) {
  const e = document.getElementById(id);
  if (e.type === 'checkbox') e.checked = value; else e.value = value;
  e.dispatchEvent(new Event(kind));
}
function act() {
@ACTIONS@
}
function finish() {
  seen.resources = performance.getEntriesByType('resource').map(function (r) { return r.name; });
  const out = document.createElement('p');
  out.id = 'seen';
  out.textContent = encodeURIComponent(JSON.stringify(seen));
  document.body.append(out);
}
let tries = 0;
(function wait() {
  if (!document.querySelector('#flame svg') && ++tries < 500) return void setTimeout(wait, 50);
  try { act(); } catch (e) { seen.errors.push(String(e.stack)); }
  finish();
})();
"""


class Samples:
    """flame/samples.gz, by name alone."""

    def __init__(self, path):
        frames, stacks, self.samples, self.lanes, self.values = [], [], [], 0, []
        column = 0
        with gzip.open(path, "rt", encoding="utf-8") as f:
            for line in f.read().splitlines():
                w = line.split(" ")
                if w[0] == "column":
                    self.column_s = int(w[1]) / 1e9
                elif w[0] == "l":
                    self.lanes += 1
                elif w[0] == "f":
                    frames.append(" ".join(w[4:]))
                elif w[0] == "s":
                    stacks.append([frames[int(i)] for i in w[1:]])
                elif w[0] == "v":
                    self.values.append([int(i) for i in w[1:]])
                elif w[0] == "t":
                    column += int(w[1])
                    for one in w[4:]:
                        stack, _, weight = one.partition("*")
                        self.samples.append((column * self.column_s, int(w[2]), int(w[3]), stacks[int(stack)],
                                             int(weight or 1)))

    def total(self, start=0, end=1e9, idle=False, match=""):
        # A page's columns are of 20 ms: what is in one has its beginning for time.
        return sum(weight for at, _, state, stack, weight in self.samples
                   if state == 0 and start <= int(at / 0.02 + 1e-6) * 0.02 + 1e-9 < end and (idle or "zb_idle_poll" not in stack)
                   and any(re.search(match, name) for name in stack or ["[no stack]"]))


def page_requests(path):
    """What the page asked for, of the log of Chromium's network stack; Chromium asks for a lot on its own account."""
    text = path.read_text(encoding="utf-8")
    try:
        log = json.loads(text)
    except ValueError:
        log = json.loads(text.rstrip().rstrip(",") + "]}")  # it had no time to end it
    kind = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [e.get("params", {}) for e in log["events"] if e["type"] == kind]
    return [p["url"] for p in asked if p.get("initiator", "not an origin") != "not an origin"]


def open_page(folder, html, actions):
    """The page with a driver behind it, in Chromium; what the driver and the network saw."""
    page = pathlib.Path(folder, "page.html")
    early = ("<script>window.early = []; addEventListener('securitypolicyviolation', "
             "function (e) { early.push(e.blockedURI); });</script>")
    page.write_text(html.replace("<title>", early + "<title>", 1).replace(
        "</body>", "<script>" + DRIVER.replace("@ACTIONS@", actions) + "</script></body>"))
    with tempfile.TemporaryDirectory(prefix="zb-heat-") as profile:
        log = pathlib.Path(profile, "net.json")
        done = subprocess.run([CHROMIUM, *FLAGS, "--user-data-dir=" + profile, f"--log-net-log={log}", page.as_uri()],
                              capture_output=True, timeout=240, check=False)
        requests = page_requests(log)
    found = re.search(r'id="seen"[^>]*>([^<]*)<', done.stdout.decode())
    if found is None:
        raise AssertionError("the page left no result:\n" + done.stderr.decode()[-1500:]
                             + done.stdout.decode()[-500:])
    seen = json.loads(urllib.parse.unquote(found[1]))
    seen["requests"] = requests
    seen["steps"] = {step["name"]: step for step in seen["steps"]}
    return seen


def zbench(*args):
    return subprocess.run([ZBENCH, *map(str, args)], check=True, capture_output=True, text=True).stdout


class HeatMap(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory(prefix="zb-heat-")
        folder = cls.dir.name
        zbench("gen", "--out", f"{folder}/t.pcap", "--packets", "20k")
        zbench("--pcap", f"{folder}/t.pcap", "--rate", "10Mpps", "--rx-desc", 512, "--duration", 4, "--logs", "none",
               "--sample-hz", 499, "--stats-interval", "0.2", "--out", f"{folder}/run")
        out = zbench("flame", f"{folder}/run", "--format", "heatmap")
        cls.path = pathlib.Path(out.strip())
        cls.html = cls.path.read_text(encoding="utf-8")
        cls.samples = Samples(f"{folder}/run/flame/samples.gz")
        with gzip.open(f"{folder}/run/flame/samples.gz", "rt") as f:
            duration = next(int(line.split()[1]) for line in f if line.startswith("duration")) / 1e9
        cls.seconds = int(duration) + (duration > int(duration))
        cls.px = INNER / cls.seconds  # of a second
        cls.seen = open_page(folder, cls.html, cls.actions())

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    @classmethod
    def at(cls, second, row):
        """Where the cell of a second's row is."""
        return [LEFT + (second + 0.5) * cls.px, (ROWS - 1 - row) * ROW_PX + 1]

    @classmethod
    def actions(cls):
        a, b = cls.at(1, 25), cls.at(2, 9)
        return f"""
  look('whole');
  drag(map, {a}, {b});
  look('range');
  set('rest', true, 'change');
  look('rest');
  set('rest', false, 'change');
  click(document.getElementById('in'));
  mouse(map, 'mousemove', {LEFT + 1}, 199);
  look('zoomed');
  click(document.getElementById('whole'));
  mouse(map, 'mousemove', {LEFT + 1}, 199);
  look('unzoomed');
  edges('all');
  for (let i = 0; i < 3; i++) map.dispatchEvent(new WheelEvent('wheel', {{deltaY: -100, bubbles: true, cancelable: true,
    clientX: map.getBoundingClientRect().left + {LEFT + 3 * cls.px}}}));
  edges('wheeled');
  click(document.getElementById('whole'));
  map.dispatchEvent(new KeyboardEvent('keydown', {{key: '+', bubbles: true}}));
  edges('plus');
  click(document.getElementById('whole'));
  set('search', 'zb_stage_stream', 'input');
  look('searched');
  set('search', '(', 'input');
  look('bad');
  seen.bad = document.getElementById('search').className;
  set('search', '', 'input');
  map.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Escape', bubbles: true}}));
  look('escaped');
  set('idle', false, 'change');
  look('idle');
  drag(strips, [{LEFT + 2.5 * cls.px}, 5], [{LEFT + 2.6 * cls.px}, 5]);
  mouse(strips, 'mousemove', {LEFT + 2.5 * cls.px}, 5);
  look('strip');
  const frames = Array.from(document.querySelectorAll('#flame g.f'));
  click(frames[frames.length > 1 ? 1 : 0]);
  look('flame zoomed');
  const input = document.querySelector('#flame input');
  input.value = 'zb_engine_run';
  input.dispatchEvent(new Event('input'));
  seen.matched = document.querySelector('#flame .matched').textContent;
"""

    def step(self, name):
        return self.seen["steps"][name]

    def test_no_error_and_no_request(self):
        self.assertEqual(self.seen["errors"], [])
        self.assertEqual(self.seen["violations"], [])
        self.assertEqual(self.seen["resources"], [])
        self.assertEqual(self.seen["requests"], [])
        self.assertIn("default-src 'none'", self.html)
        self.assertLessEqual(set(re.findall(r"[a-z]+://[^\s\"'<>)]+", self.html)),
                             {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"})

    def test_a_request_would_have_been_seen(self):
        """The same page without its policy, and with a picture from elsewhere: what the checks above look at finds it."""
        html = re.sub(r"<meta http-equiv=[^>]*>", "", self.html)
        self.assertNotEqual(html, self.html)
        seen = open_page(self.dir.name, html, "const i = new Image(); i.src = 'http://127.0.0.1:9/x'; look('whole');")
        self.assertEqual(seen["requests"], ["http://127.0.0.1:9/x"])

    def test_the_whole_has_every_sample_but_idle_polling(self):
        self.assertEqual(self.step("whole")["total"], self.samples.total())
        self.assertEqual(self.step("escaped")["total"], self.samples.total())
        self.assertEqual(self.step("idle")["total"], self.samples.total(idle=True))
        self.assertGreater(self.step("whole")["hot"], 0)

    def test_a_range_has_its_samples(self):
        self.assertEqual(self.step("range")["title"], "1.5 s to 2.2 s")
        self.assertEqual(self.step("range")["total"], self.samples.total(1.5, 2.2))
        self.assertIn("@1.5-2.2", self.step("range")["cut"])
        self.assertNotEqual(self.step("range")["total"], self.step("whole")["total"])

    def test_a_range_is_the_same_as_a_file(self):
        folder = pathlib.Path(self.dir.name, "run")
        folded = zbench("flame", f"{folder}@1.5-2.2", "--format", "folded", "-o", "-")
        total = sum(int(line.rpartition(" ")[2]) for line in folded.splitlines()
                    if "zb_idle_poll" not in line)
        self.assertEqual(self.step("range")["total"], total)

    def test_the_rest_is_compared_by_colour(self):
        tips = [f[0] for f in self.step("rest")["frames"][1:]]
        self.assertTrue(all(re.search(r"; (new|elsewhere [0-9.]+ %)$", tip) for tip in tips), tips)
        self.assertTrue(any(f[2].startswith("rgb(") for f in self.step("rest")["frames"]))
        self.assertEqual(self.step("rest")["total"], self.step("range")["total"])

    def test_zoom_shows_the_range_and_back(self):
        self.assertTrue(self.step("zoomed")["say"].startswith("1 s "), self.step("zoomed")["say"])
        self.assertTrue(self.step("unzoomed")["say"].startswith("0 s "), self.step("unzoomed")["say"])

    def test_wheel_and_keys_zoom(self):
        def span(step):
            left, right = (float(self.step(f"{step} {edge}")["say"].split()[0]) for edge in ("left", "right"))
            return right - left

        for step in ("wheeled", "plus"):
            self.assertLess(span(step), span("all"))
            self.assertEqual(self.step(f"{step} left")["total"], self.step("range")["total"], "the range stays")

    def test_search_keeps_the_stacks_that_match(self):
        self.assertEqual(self.step("searched")["total"], self.samples.total(1.5, 2.2, match="zb_stage_stream"))
        self.assertLess(self.step("searched")["hot"], self.step("unzoomed")["hot"])
        self.assertEqual(self.seen["bad"], "bad")
        self.assertEqual(self.step("bad")["total"], self.step("searched")["total"])

    def test_strips_select_seconds_and_say_the_figures(self):
        self.assertEqual(self.step("strip")["title"], "2 s to 3 s")
        self.assertEqual(self.step("strip")["total"], self.samples.total(2, 3, idle=True))
        self.assertRegex(self.step("strip")["say"], r"packets/s \d.*drops/s \d.*lag ms \d.*state bytes \d")
        self.assertGreater(sum(v[3] for v in self.samples.values), 0)

    def test_the_flame_graph_in_the_page_zooms_and_searches(self):
        zoomed = self.step("flame zoomed")["frames"]
        self.assertAlmostEqual(zoomed[1][1], 1179.5, delta=0.02)
        self.assertRegex(self.seen["matched"], r"matched: [0-9.]+ %")
        labels = collections.Counter(f[3] for f in zoomed)
        self.assertGreater(labels[False], 1)


class AnHour(unittest.TestCase):
    """An hour of two workers at 99 Hz, some 2,000 different stacks."""

    def test_page_is_small_and_exact(self):
        rnd = random.Random(1)
        with tempfile.TemporaryDirectory() as folder:
            with gzip.open(f"{folder}/samples.gz", "wt", compresslevel=1) as f:
                f.write("zbench-samples 1\nstart 1700000000000000000\nduration 3600000000000\ncolumn 1250000\n"
                        "period 10101010\nmethod perf cpu-clock\ncomm zbench\nl 0 1 2 lcore-0\nl 1 1 3 lcore-1\nm /z\n")
                for i in range(600):
                    f.write(f"f {0x1000 + i:x} 0 10 zb_some_function_{i % 300}\n")
                for i in range(2000):
                    f.write("s " + " ".join(str(rnd.randrange(600)) for _ in range(rnd.randrange(4, 24))) + "\n")
                at = total = 0
                for i in range(3600 * 99):
                    column = int(i * 10101010 / 1250000)
                    for lane in (0, 1):
                        f.write(f"t {column - at} {lane} 0 {min(int(rnd.paretovariate(0.7)), 2000) - 1}\n")
                        at = column
                        total += 1
                f.write("end\n")
            path = zbench("flame", folder, "--format", "heatmap").strip()
            html = pathlib.Path(path).read_text(encoding="utf-8")
            self.assertLess(len(html), 5_000_000)
            seen = open_page(folder, html, f"look('whole'); mouse(map, 'mousemove', {LEFT + 1}, 199); look('first');"
                             f"mouse(map, 'mousemove', {LEFT + 1}, 195); look('second');")
            self.assertEqual(seen["errors"] + seen["requests"], [])
            # Rows of 20 ms still: the page did not have to make them wider.
            first, second = (float(seen["steps"][step]["say"].split()[0]) for step in ("first", "second"))
            self.assertAlmostEqual(second - first, 0.02)
            self.assertEqual(seen["steps"]["whole"]["total"], total)
            print(f"\nan hour: {len(html)} bytes, {total} samples", file=sys.stderr)


def main():
    global ZBENCH
    if len(sys.argv) != 2:
        sys.exit("usage: test_heatmap_browser.py ZBENCH")
    if CHROMIUM is None:
        print("skipped: no chromium")
        sys.exit(77)
    ZBENCH = str(pathlib.Path(sys.argv[1]).resolve())
    done = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False)
    sys.exit(not done.result.wasSuccessful())


if __name__ == "__main__":
    main()
