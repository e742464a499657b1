#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_golden.py - compares what zbench prints with golden files

Each case runs zbench once in an empty folder and keeps command line, stdout, stderr and exit status
in NAME.golden beside this script. --update rewrites the files (look at the diff before committing it).
Help must also fit on a screen: 80 columns, 50 lines.
"""
import argparse
import copy
import difflib
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS, LINES = 80, 50

GATE = ["gate", "--baseline", "old.json", "new.json"]


class Case:
    """One command line; new: {path: value} edits of result.json for new.json, old likewise."""

    def __init__(self, name, words, is_help=False, new=None, old=None, files=None):
        self.name, self.words, self.is_help = name, words, is_help
        self.new, self.old, self.files = new, old, files or {}


CASES = [
    # The words a person types first.
    Case("overview", ["--help"], is_help=True),
    Case("overview_by_help", ["help"], is_help=True),
    Case("no_words", []),
    Case("version", ["--version"]),
    Case("unknown_command_near", ["tpoo"]),
    Case("unknown_command", ["frobnicate", "--cores", "2"]),
    Case("unknown_command_is_file", ["trace.pcap"], files={"trace.pcap": ""}),
    Case("help_of_unknown_command", ["help", "frobnicate"]),
    Case("help_run", ["run", "--help"], is_help=True),
    Case("help_topo", ["topo", "--help"], is_help=True),
    Case("help_top", ["top", "--help"], is_help=True),
    Case("help_gate", ["help", "gate"], is_help=True),
    Case("help_gen", ["gen", "--help"], is_help=True),
    Case("help_flame", ["flame", "--help"], is_help=True),
    Case("help_heap", ["heap", "--help"], is_help=True),
    # Bad usage.
    Case("run_unknown_option", ["--frobnicate"]),
    Case("run_option_near", ["--pcpa", "x"]),
    Case("gate_no_baseline", ["gate", "new.json"]),
    Case("gate_no_result", ["gate", "--baseline", "old.json"]),
    Case("gate_two_results", GATE + ["more.json"]),
    Case("gate_value_missing", ["gate", "--baseline", "--allow", "pps:5%"]),
    Case("gate_bad_rule", GATE + ["--allow", "pps:many"], new={}),
    # Comparisons.
    Case("gate_same", GATE, new={}),
    Case("gate_regression", GATE,
         new={"totals.bytes_recv": 387800, "totals.pkts_proc": 3999, "totals.pkts_dropped": 1,
              "totals.residual_pkts": 2, "totals.log_rows_lost": 4, "totals.pps": 3899.5}),
    Case("gate_allowed", GATE + ["--allow", "pps:±5%", "--allow", "mem:+10%",
                                 "--allow=pkts_dropped:+3", "--allow", "log_rows.conn:0",
                                 "--allow", "cycles_per_pkt_by_stage.decode:-50%"],
         new={"totals.pps": 3900.0, "memory.peak_rss_bytes": 9800, "totals.pkts_dropped": 3,
              "totals.cycles_per_pkt_by_stage.decode": 300.0}),
    Case("gate_not_allowed", GATE + ["--allow", "pps:±2%", "--allow", "mem:+5%",
                                     "--allow", "lcores.1.cycles_per_pkt:1%"],
         new={"totals.pps": 3900.0, "memory.peak_rss_bytes": 9800,
              "lcores.1.cycles_per_pkt": 1010.01}),
    Case("gate_unknown_metric", GATE + ["--allow", "cycles_per_packet:5%"], new={}),
    Case("gate_other_input", GATE, new={"input.digest": "00000000000000ff", "input.loops": 2}),
    Case("gate_other_cores", GATE + ["--allow", "lcores.0.pps:5%"], new={"lcores": []}),
    Case("gate_interrupted", GATE, new={"verdict.status": "interrupted"}),
    Case("gate_other_schema", GATE, new={"schema": 2}),
    Case("gate_folder", ["gate", "--baseline", "old.json", "run"], old={},
         files={"run/result.json": (HERE / "result.json").read_text()}),
    Case("gate_broken_json", GATE, old={}, files={"new.json": '{"schema": 1,\n'}),
    Case("gate_no_file", GATE, old={}),
]


def edited(base, edits):
    """A copy of base with the values at dotted paths replaced."""
    doc = copy.deepcopy(base)
    for path, value in edits.items():
        *parents, last = path.split(".")
        at = doc
        for name in parents:
            at = at[int(name)] if isinstance(at, list) else at[name]
        if last not in at:
            raise KeyError(f"result.json has no {path}")
        at[last] = value
    return doc


def run_case(case, zbench):
    """What the case's golden file should hold."""
    base = json.loads((HERE / "result.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        if case.new is not None:
            (top / "new.json").write_text(json.dumps(edited(base, case.new), indent=1))
        if case.new is not None or case.old is not None:
            (top / "old.json").write_text(json.dumps(edited(base, case.old or {}), indent=1))
        for name, text in case.files.items():
            (top / name).parent.mkdir(exist_ok=True)
            (top / name).write_text(text)
        done = subprocess.run([zbench] + case.words, cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)
    if done.returncode not in (0, 1, 2, 3):
        sys.exit(f"{case.name}: zbench broke: exit status {done.returncode}: "
                 f"{done.stderr.decode()}")
    return (f"$ zbench {' '.join(case.words)}".rstrip() + "\n"
            f"--- stdout\n{done.stdout.decode()}--- stderr\n{done.stderr.decode()}"
            f"--- exit status {done.returncode}\n")


def too_big(text):
    """Why a help text does not fit on a screen, or None."""
    lines = text.split("--- stdout\n")[1].split("--- stderr\n")[0].splitlines()
    wide = [line for line in lines if len(line) > COLUMNS]
    if wide:
        return f"{len(wide)} lines over {COLUMNS} columns: {wide[0]!r}"
    if len(lines) > LINES:
        return f"{len(lines)} lines, more than {LINES}"
    return None


def check_case(case, zbench, update):
    """True when the case is as its golden file says."""
    golden = HERE / f"{case.name}.golden"
    text = run_case(case, zbench)
    why = too_big(text) if case.is_help else None
    if why:
        print(f"FAIL {case.name}: help does not fit: {why}")
        return False
    if update:
        golden.write_text(text)
        return True
    if not golden.exists():
        print(f"FAIL {case.name}: no {golden.name}; write it with --update")
        return False
    want = golden.read_text()
    if want == text:
        return True
    print(f"FAIL {case.name}:")
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), text.splitlines(True),
                                               golden.name, "now"))
    return False


def main():
    parser = argparse.ArgumentParser(description="compare what zbench prints with golden files")
    parser.add_argument("--zbench", required=True, type=pathlib.Path, help="the binary")
    parser.add_argument("--update", action="store_true", help="rewrite the golden files")
    parser.add_argument("names", nargs="*", help="only these cases")
    args = parser.parse_args()
    known = {case.name for case in CASES}
    stray = {path.stem for path in HERE.glob("*.golden")} - known
    unknown = set(args.names) - known
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    cases = [case for case in CASES if not args.names or case.name in args.names]
    good = [check_case(case, args.zbench.resolve(), args.update) for case in cases]
    for name in sorted(stray):
        print(f"FAIL {name}.golden: belongs to no case")
    print(f"{sum(good)} of {len(good)} golden cases as they should be")
    return 0 if all(good) and not stray else 1


if __name__ == "__main__":
    sys.exit(main())
