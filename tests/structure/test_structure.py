#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_structure.py - what holds for every file: includes point one way, headers stand alone, nothing too long

    test_structure.py SOURCE_ROOT BUILD_ROOT

Flags for compiling headers come from BUILD_ROOT/compile_commands.json.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

ROOT = pathlib.Path()
BUILD = pathlib.Path()

ROOMS = ["profiler", "capture", "pipeline", "bench", "tests"]  # a room may include itself and those before it
LINES_MAX, HEADER_LINES_MAX = 600, 200
DEVICE_HEADERS = re.compile(r"(rte_ethdev|rte_eth_\w+|pcap|pcap/\w+)\.h")
CHECK_ONLY = ["-fsyntax-only", "-fdiagnostics-color=never", "-Wno-unused", "-x", "c", "-"]
# cmocka.h wants these in front of it, by its own design.
CMOCKA = "".join(f"#include <{h}.h>\n" for h in ("setjmp", "stdarg", "stddef", "stdint", "cmocka"))
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
# Homes and work folders of the machine something was written on; hosts that packages came from.
MACHINE_PATHS = re.compile(r"(?<![\w.$}/])/(?:work|root|home/\w+|Users|workspace)/|(?:deb|ftp)\.debian\.org")


def sources(*suffixes, rooms=ROOMS):
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in suffixes:
                yield path.relative_to(ROOT)


def all_text_files():
    """The files that make up the project: everything but build folders, results and what git keeps."""
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT)
        top = name.parts[0]
        if not path.is_file() or top.startswith(("build", "zbench-out")) or top == ".git":
            continue
        if "__pycache__" in name.parts or "corpus" in name.parts or path == pathlib.Path(__file__).resolve():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # data


def includes(name):
    """(room or None, path as included) of every include of a file."""
    for quote, target in INCLUDE.findall((ROOT / name).read_text(encoding="utf-8")):
        if quote == "<":
            yield None, target
        elif "/" in target and target.split("/")[0] in ROOMS:
            yield target.split("/")[0], target
        else:
            yield name.parts[0], str(name.parent / target)


class Structure(unittest.TestCase):
    maxDiff = None

    def test_includes_point_one_way(self):
        """bench, tests -> pipeline -> capture -> profiler, and pipeline sees of capture packet.h only."""
        wrong = []
        for name in sources(".c", ".h"):
            room = name.parts[0]
            for target_room, target in includes(name):
                if target_room is None:
                    continue
                if ROOMS.index(target_room) > ROOMS.index(room):
                    wrong.append(f"{name}: {target}")
                if room == "pipeline" and target_room == "capture" and target != "capture/packet.h":
                    wrong.append(f"{name}: {target}: not packet.h")
                if target_room != room and target.endswith("_priv.h") and room != "tests":
                    wrong.append(f"{name}: {target}: private to {target_room}")
        self.assertEqual(wrong, [])

    def test_devices_and_pcap_are_capture_only(self):
        """Only capture/ knows network devices and libpcap; and who stands in for a device in its tests."""
        wrong = [f"{name}: {target}" for name in sources(".c", ".h")
                 if name.parts[0] != "capture" and name.name != "test_source_port.c"
                 for _, target in includes(name) if DEVICE_HEADERS.fullmatch(target)]
        self.assertEqual(wrong, [])

    def test_each_header_compiles_alone(self):
        """A header includes what it needs."""
        with open(BUILD / "compile_commands.json", encoding="utf-8") as f:
            commands = json.load(f)
        flags = {}  # room: (compiler and flags, folder)
        for command in commands:
            file = pathlib.Path(command["directory"], command["file"]).resolve()
            if not file.is_relative_to(ROOT):
                continue
            args = shlex.split(command["command"])
            if os.path.basename(args[0]) == "ccache":
                args = args[1:]
            keep = [a for a in args if a.startswith(("-I", "-D", "-W", "-std", "-m", "-f", "-isystem/"))]
            keep += [v for a, b in zip(args, args[1:]) if a in ("-isystem", "-include") for v in (a, b)]
            flags.setdefault(file.relative_to(ROOT).parts[0], (args[0:1] + keep, command["directory"]))

        def compile_alone(name):
            args, folder = flags.get(name.parts[0], flags["bench"])
            before = CMOCKA if name.parts[0] == "tests" else ""
            run = subprocess.run(args + CHECK_ONLY, input=f'{before}#include "{name}"\n', cwd=folder,
                                 text=True, capture_output=True, check=False)
            return f"{name}: {run.stderr}" if run.returncode else None

        names = list(sources(".h"))
        self.assertGreater(len(names), 10)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            wrong = [w for w in pool.map(compile_alone, names) if w]
        self.assertEqual(wrong, [])

    def test_example_of_an_analyzer_is_the_code_itself(self):
        """What docs/adding-an-analyzer.rst shows is what the files hold."""
        page = (ROOT / "docs/adding-an-analyzer.rst").read_text(encoding="utf-8")
        code = "".join((ROOT / name).read_text(encoding="utf-8").expandtabs(8)
                       for name in ("pipeline/analyzers/ntp.c", "tests/unit/test_ntp.c"))
        blocks = re.findall(r"^\.\. code:: c\n\n((?:    .*\n|\n)+)", page, re.M)
        self.assertEqual(len(blocks), 5)
        for block in blocks:
            self.assertIn("\n".join(line[4:] for line in block.strip("\n").split("\n")), code)

    def test_files_are_short(self):
        """600 lines for a file, 200 for a header; clang-format sees to the columns."""
        wrong = []
        for name in sources(".c", ".h", ".py"):
            text = (ROOT / name).read_text(encoding="utf-8")
            lines = text.splitlines()
            contract = name.suffix == ".h" and name.parts[0] != "tests"  # headers of tests hold code
            if len(lines) > (HEADER_LINES_MAX if contract else LINES_MAX):
                wrong.append(f"{name}: {len(lines)} lines")
        self.assertEqual(wrong, [])

    def test_files_say_what_they_are(self):
        """SPDX line first, then `name - what it is`."""
        wrong = []
        for name in sources(".c", ".h"):
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
            if lines[:1] != ["/* SPDX-License-Identifier: Apache-2.0 */"]:
                wrong.append(f"{name}: no SPDX line")
            elif not any(line.lstrip("/* ").startswith(name.name + " - ") for line in lines[1:3]):
                wrong.append(f"{name}: does not say what it is")
        self.assertEqual(wrong, [])

    def test_no_machine_paths(self):
        """Nothing depends on the machine it was written on, or names where its packages came from."""
        wrong = [f"{name}: {match.group()}" for name, text in all_text_files()
                 for match in MACHINE_PATHS.finditer(text)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop()).resolve()
    ROOT = pathlib.Path(sys.argv.pop()).resolve()
    unittest.main(verbosity=2)
