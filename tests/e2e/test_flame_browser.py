#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flame_browser.py - a flame graph does in a real browser what it promises

    test_flame_browser.py FLAME.svg | ZBENCH

Given the program, it first makes a trace, runs it, and takes the picture of that run. Opens the picture in headless Chromium, once by itself and once inside an HTML page that allows no
request, and lets a script press its buttons: zoom changes the widths, reset restores them, a search
reports the share that this file computes for itself from the SVG, labels stay inside their frames,
nothing is loaded.
Exit status 77: skipped, there is no Chromium.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.dom.minidom

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--virtual-time-budget=3000", "--dump-dom"]
CSP = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"

# Runs after the picture's own script; leaves what it saw as JSON in <desc id="seen">.
DRIVER = r"""
const seen = {violations: [], errors: []};
addEventListener('securitypolicyviolation', function (e) { seen.violations.push(e.blockedURI); });
addEventListener('error', function (e) { seen.errors.push(String(e.message)); });
setTimeout(function () {
  seen.resources = performance.getEntriesByType('resource').map(function (r) { return r.name; });
  const out = document.createElementNS('http://www.w3.org/2000/svg', 'desc');
  out.setAttribute('id', 'seen');
  out.textContent = encodeURIComponent(JSON.stringify(seen));
  svg.appendChild(out);
}, 300);
const TARGET = @TARGET@, TERM = @TERM@;
const svg = document.querySelector('svg.zbf');
const frames = Array.from(svg.querySelectorAll('g.f'));
const rect = function (g) { return g.querySelector('rect'); };
function widths() {
  return frames.map(function (g) {
    return g.classList.contains('hide') ? 0 : Number(rect(g).getAttribute('width'));
  });
}
function places() {
  return frames.map(function (g) {
    return [Number(rect(g).getAttribute('x')), Number(rect(g).getAttribute('y'))];
  });
}
function overflowing() {
  return frames.filter(function (g) {
    const t = g.querySelector('text');
    return t && t.textContent && !g.classList.contains('hide') &&
      t.getComputedTextLength() > Number(rect(g).getAttribute('width'));
  }).map(function (g) { return g.querySelector('text').textContent; });
}
function labels() {
  return frames.filter(function (g) {
    const t = g.querySelector('text');
    return t && t.textContent;
  }).length;
}
function click(e) { e.dispatchEvent(new MouseEvent('click', {bubbles: true})); }
function key(target, name, ctrl) {
  return !target.dispatchEvent(new KeyboardEvent('keydown',
    {key: name, ctrlKey: Boolean(ctrl), bubbles: true, cancelable: true}));
}
const input = svg.querySelector('input');
const matched = svg.querySelector('.matched');
function search(term) {
  input.value = term;
  input.dispatchEvent(new Event('input'));
  return matched.textContent;
}
seen.before = {widths: widths(), places: places(), overflowing: overflowing(), labels: labels()};
click(frames[TARGET]);
seen.zoomed = {widths: widths(), overflowing: overflowing(), labels: labels(),
  info: svg.querySelector('.info').textContent,
  dim: frames.map(function (g) { return g.classList.contains('dim'); }),
  reset_shown: !svg.querySelector('.reset').classList.contains('hide')};
click(svg.querySelector('.reset'));
seen.reset = {widths: widths(), places: places(), labels: labels(),
  reset_shown: !svg.querySelector('.reset').classList.contains('hide')};
seen.matched_any = search('.');
seen.matched = search(TERM);
seen.hits = frames.map(function (g) { return g.classList.contains('hit'); });
seen.bad = search('(');
key(svg, 'Escape');
seen.cleared = [input.value, matched.textContent,
  frames.some(function (g) { return g.classList.contains('hit'); })];
click(svg.querySelector('.key'));
seen.turned = places();
click(svg.querySelector('.key'));
seen.turned_back = places();
input.blur();
seen.ctrl_f_taken = key(document.documentElement, 'f', true);
seen.ctrl_f_focus = document.activeElement === input;
input.blur();
seen.slash_focus = key(svg, '/') && document.activeElement === input;
input.blur();
click(frames[0]);
key(svg, 'ArrowUp');
seen.child = svg.querySelector('.cur title').textContent;
key(svg, 'Enter');
seen.key_zoom = widths();
key(svg, 'Escape');
seen.key_reset = widths();
"""


class Frame:
    def __init__(self, g):
        title = g.getElementsByTagName("title")[0].firstChild.data
        self.name, self.facts = title.split("\n", 1)
        self.start, self.value, self.depth = (int(g.getAttribute("data-" + k)) for k in "svd")

    def holds(self, other):
        return (self.start <= other.start
                and self.start + self.value >= other.start + other.value)


def read_frames(path):
    dom = xml.dom.minidom.parse(str(path))
    return [Frame(g) for g in dom.getElementsByTagName("g") if g.getAttribute("class") == "f"]


def matched_share(frames, term):
    """The share of the samples that have a matching frame anywhere in their stack."""
    pattern = re.compile(term, re.IGNORECASE if term == term.lower() else 0)
    spans = sorted((f.start, f.start + f.value) for f in frames[1:] if pattern.search(f.name))
    total, end = 0, 0
    for start, stop in spans:
        total += max(0, stop - max(start, end))
        end = max(end, stop)
    return total / frames[0].value


def run_chromium(page):
    with tempfile.TemporaryDirectory(prefix="zb-flame-") as profile:
        done = subprocess.run([CHROMIUM, *FLAGS, "--user-data-dir=" + profile, page.as_uri()],
                              capture_output=True, timeout=90, check=False)
    found = re.search(r'id="seen"[^>]*>([^<]*)<', done.stdout.decode())
    if found is None:
        raise AssertionError("the page left no result:\n" + done.stderr.decode()[-2000:]
                             + done.stdout.decode()[-2000:])
    return json.loads(urllib.parse.unquote(found[1]))


def fill_driver(target, term):
    return DRIVER.replace("@TARGET@", str(target)).replace("@TERM@", json.dumps(term))


class FlameBrowser(unittest.TestCase):
    svg_path = None

    @classmethod
    def setUpClass(cls):
        cls.svg = cls.svg_path.read_text()
        cls.frames = read_frames(cls.svg_path)
        narrow = [i for i, f in enumerate(cls.frames) if f.value < cls.frames[0].value]
        if not narrow:
            raise AssertionError("the picture has one stack only; there is nothing to zoom into")
        cls.target = max(narrow, key=lambda i: (cls.frames[i].value, cls.frames[i].depth))
        cls.term = "^" + re.escape(cls.frames[cls.target].name) + "$"
        cls.dir = tempfile.TemporaryDirectory(prefix="zb-flame-pages-")
        script = fill_driver(cls.target, cls.term)
        cls.alone = cls.open_page("alone.svg", cls.svg.replace(
            "</svg>", "<script><![CDATA[" + script + "]]></script></svg>"))
        cls.inside = cls.open_page("inside.html", cls.html_page("", script))

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    @classmethod
    def html_page(cls, extra, script):
        return ("<!doctype html><meta charset=utf-8><title>t</title>\n"
                "<meta http-equiv=Content-Security-Policy content=\"" + CSP + "\">\n"
                "<script>window.early = []; addEventListener('securitypolicyviolation', "
                "function (e) { early.push(e.blockedURI); });</script>\n"
                + cls.svg + extra + "<script>" + script + "\nseen.violations = early;</script>")

    @classmethod
    def open_page(cls, name, text):
        page = pathlib.Path(cls.dir.name, name)
        page.write_text(text)
        return run_chromium(page)

    def both(self):
        return self.alone, self.inside

    def test_no_script_error(self):
        for seen in self.both():
            self.assertEqual(seen["errors"], [])

    def test_zoom_gives_the_frame_the_whole_width(self):
        z = self.frames[self.target]
        for seen in self.both():
            before, after = seen["before"]["widths"], seen["zoomed"]["widths"]
            self.assertNotEqual(before, after)
            self.assertAlmostEqual(after[self.target], 1179.5, delta=0.02)
            self.assertTrue(seen["zoomed"]["reset_shown"])
            self.assertTrue(seen["zoomed"]["info"].startswith(z.name[:20]))
            for i, f in enumerate(self.frames):
                above = f.depth < z.depth and f.holds(z)
                self.assertEqual(seen["zoomed"]["dim"][i], above, f.name)
                wide = 1180 if above else 0
                if f.depth >= z.depth and z.holds(f):
                    wide = 1180 * f.value / z.value
                self.assertAlmostEqual(after[i], wide, delta=0.52, msg=f.name)

    def test_reset_restores_every_frame(self):
        for seen in self.both():
            self.assertFalse(seen["reset"]["reset_shown"])
            self.assertEqual(seen["before"]["labels"], seen["reset"]["labels"])
            for a, b in zip(seen["before"]["widths"], seen["reset"]["widths"]):
                self.assertAlmostEqual(a, b, delta=0.02)
            for a, b in zip(seen["before"]["places"], seen["reset"]["places"]):
                self.assertAlmostEqual(a[0], b[0], delta=0.02)
                self.assertEqual(a[1], b[1])

    def test_labels_stay_inside_their_frames(self):
        for seen in self.both():
            self.assertEqual(seen["before"]["overflowing"], [])
            self.assertEqual(seen["zoomed"]["overflowing"], [])
            self.assertGreater(seen["zoomed"]["labels"], 0)

    def test_search_reports_the_matched_share(self):
        share = matched_share(self.frames, self.term)
        for seen in self.both():
            shown = re.fullmatch(r"matched: ([0-9.]+) %", seen["matched"])
            self.assertIsNotNone(shown, seen["matched"])
            self.assertAlmostEqual(float(shown[1]), 100 * share, delta=0.006)
            self.assertTrue(seen["hits"][self.target])
            self.assertFalse(seen["hits"][0])
            # Every frame matches, yet a stack counts once.
            every = 100 * matched_share(self.frames, ".")
            self.assertAlmostEqual(float(seen["matched_any"].split()[1]), every, delta=0.006)

    def test_bad_expression_is_said_and_escape_clears(self):
        for seen in self.both():
            self.assertEqual(seen["bad"], "not a regular expression")
            self.assertEqual(seen["cleared"], ["", "", False])

    def test_turning_puts_the_root_on_top_and_back(self):
        for seen in self.both():
            self.assertEqual(seen["turned"][0][1], min(y for _, y in seen["turned"]))
            self.assertEqual(seen["before"]["places"][0][1], max(y for _, y in seen["turned"]))
            self.assertEqual([y for _, y in seen["turned_back"]],
                             [y for _, y in seen["before"]["places"]])

    def test_keys_search_walk_and_zoom(self):
        for seen in self.both():
            self.assertTrue(seen["slash_focus"])
            top = max((i for i, f in enumerate(self.frames) if f.depth == 1),
                      key=lambda i: self.frames[i].value)
            self.assertEqual(seen["child"].split("\n")[0], self.frames[top].name)
            self.assertAlmostEqual(seen["key_zoom"][top], 1179.5, delta=0.02)
            for a, b in zip(seen["before"]["widths"], seen["key_reset"]):
                self.assertAlmostEqual(a, b, delta=0.02)

    def test_ctrl_f_is_taken_only_when_the_picture_is_the_document(self):
        self.assertTrue(self.alone["ctrl_f_taken"] and self.alone["ctrl_f_focus"])
        self.assertFalse(self.inside["ctrl_f_taken"] or self.inside["ctrl_f_focus"])

    def test_nothing_is_requested(self):
        for seen in self.both():
            self.assertEqual(seen["resources"], [])
            self.assertEqual(seen["violations"], [])
        own = re.sub("<title>[^<]*</title>", "", self.svg)
        links = set(re.findall(r"[a-z]+://[^\s\"'<>)]+", own))
        self.assertLessEqual(links, {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"})

    def test_a_request_would_be_noticed(self):
        page = self.html_page("<img src='http://127.0.0.1:9/x.png'>", fill_driver(self.target, "x"))
        self.assertNotEqual(self.open_page("control.html", page)["violations"], [])


def draw(zbench, folder):
    """The picture of a run that is long enough for some hundred samples."""
    trace, out = pathlib.Path(folder, "trace.pcap"), pathlib.Path(folder, "out")
    subprocess.run([zbench, "gen", "--out", trace, "--packets", "50k"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([zbench, "--pcap", trace, "--duration", "2", "--sample-hz", "499", "--logs", "none", "--out", out],
                   check=True, stdout=subprocess.DEVNULL)
    return out / "flame" / "all.svg"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: test_flame_browser.py FLAME.svg | ZBENCH")
    if CHROMIUM is None:
        print("skipped: no chromium")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        given = pathlib.Path(sys.argv[1]).resolve()
        FlameBrowser.svg_path = given if given.suffix == ".svg" else draw(given, folder)
        done = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False)
    sys.exit(not done.result.wasSuccessful())


if __name__ == "__main__":
    main()
