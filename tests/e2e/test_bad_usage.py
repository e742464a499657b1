#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_bad_usage.py - what was asked for wrongly is refused: one line, exit status 2, nothing left behind"""
import os

import zb


class BadUsage(zb.Case):
    def refuse(self, *args, words=(), **popen):
        trace = self.trace("--sessions", 10)
        self.assert_refused(self.zbench("--pcap", trace.path, *args, **popen), *words)

    def test_cores_beyond_the_machine(self):
        last = os.sysconf("SC_NPROCESSORS_CONF")
        cores = f"{last}-{last + 3}"
        self.refuse("--cores", cores, words=["--cores", cores])

    def test_cores_outside_the_affinity(self):
        allowed = zb.cpus(2)
        if allowed is None:
            self.skipTest("needs two CPUs")

        def restrict():
            os.sched_setaffinity(0, allowed[:1])

        self.refuse("--cores", allowed[1], words=["--cores"], preexec_fn=restrict)

    def test_cores_that_are_no_list(self):
        for cores in ("", "x", "1-", "3-1", "-1", "0,,1"):
            with self.subTest(cores=cores):
                self.refuse(f"--cores={cores}", words=["--cores"])

    def test_unknown_option(self):
        self.refuse("--colour", "blue", words=["--colour"])

    def test_value_that_is_no_number(self):
        self.refuse("--loop", "many", words=["--loop", "many"])

    def test_value_is_missing(self):
        self.assert_refused(self.zbench(command=self.command("--pcap")), "--pcap")

    def test_unknown_command(self):
        self.assert_refused(self.zbench(command=self.command("conquer")), "conquer")

    def test_no_input(self):
        self.assert_refused(self.zbench())

    def test_folder_that_cannot_be_written(self):
        """A path below a file: root is refused too."""
        trace = self.trace("--sessions", 10)
        (self.dir / "file").write_text("in the way\n", encoding="utf-8")
        run = self.zbench(command=self.command("--pcap", trace.path, "--out", self.dir / "file" / "out"))
        self.assert_refused(run, "file/out")


if __name__ == "__main__":
    zb.main()
