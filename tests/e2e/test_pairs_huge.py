#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_pairs_huge.py - what one zbench sends another one takes, out of huge pages and files in them

They are of the pool of the whole machine, and what DPDK shares lies in its folder while it lasts: nothing else may run.
"""
import os
import pathlib
import subprocess

import test_pairs as pairs
import zb


class InHugePages(pairs.PairCase):
    """What needs huge pages, or other ways of DPDK's with them."""

    def setUp(self):
        super().setUp()
        zb.set_huge_pages(self, 400)

    def mount(self):
        """A hugetlbfs for DPDK to find."""
        path = self.dir / "huge"
        path.mkdir()
        made = subprocess.run(["mount", "-t", "hugetlbfs", "none", path], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no hugetlbfs here: {made.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", path], check=True)

    def test_vhost(self):
        """The sender's memory is the receiver's to read, page after page."""
        self.assert_trace_arrives(f"net_vhost0,iface={self.socket()}", f"virtio_user0,path={self.socket()}")

    def ring(self):
        return f"net_ring0,share=zb{os.getpid()}"

    def test_ring(self):
        """One process's ring; the other one joins it."""
        self.mount()
        self.assert_trace_arrives(self.ring(), self.ring(), "--rx-desc", 1024)

    def test_ring_flood(self):
        self.mount()
        self.assert_flood_adds_up(self.ring(), self.ring(), "--rx-desc", 1024)

    def test_ring_nobody_there(self):
        self.mount()
        run = self.zbench(command=self.command("gen", "--port", self.ring(), "--size", 64))
        self.assert_refused(run, "start the run that shares the device first")

    def test_user(self):
        run = self.zbench("--port", self.ring(), "--user", "nobody", "--duration", 1)
        self.assert_refused(run, "--user", "net_ring0")

    def test_ring_without_hugetlbfs(self):
        if any(line.split()[2] == "hugetlbfs" for line in pathlib.Path("/proc/mounts").read_text("utf-8").splitlines()):
            self.skipTest("there is one")
        self.assert_refused(self.zbench("--port", self.ring(), "--duration", 1), "hugetlbfs")


if __name__ == "__main__":
    zb.main()
