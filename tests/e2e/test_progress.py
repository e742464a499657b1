#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_progress.py - progress is for a person at a terminal: none of it in a pipe or a file"""
import os
import pty
import subprocess
import threading

import zb


class Progress(zb.Case):
    def test_none_in_a_pipe(self):
        trace = self.trace("--packets", 5000)
        run = self.zbench("--pcap", trace.path, "--duration", 2, "--logs", "none")
        self.assert_done(run)
        self.assertEqual(run.err, "")
        self.assertNotIn("\r", run.out)
        self.assertNotIn("\x1b", run.out)

    def test_shown_on_a_terminal(self):
        trace = self.trace("--packets", 5000)
        master, slave = pty.openpty()
        seen = []

        def read():
            try:
                while chunk := os.read(master, 4096):
                    seen.append(chunk)
            except OSError:  # the other end was closed
                pass

        reader = threading.Thread(target=read)
        reader.start()
        command = self.command("--pcap", trace.path, "--duration", 3, "--logs", "none", "--out", self.out)
        try:
            run = subprocess.run(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=slave, text=True, timeout=zb.TIMEOUT_S, check=False)
        finally:
            os.close(slave)
            reader.join(10)
            os.close(master)
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"\r", b"".join(seen))


if __name__ == "__main__":
    zb.main()
