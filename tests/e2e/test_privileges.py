#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_privileges.py - zbench works with what rights there are: no perf_event, an ordinary user"""
import ctypes
import os
import platform
import pwd
import shutil
import struct

import zb

PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
EPERM = 1
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000


class Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def forbid(syscall):
    """Makes a system call fail with EPERM in this process and its children, as a container's rules may."""
    program = b"".join(struct.pack("=HBBI", *op) for op in (
        (0x20, 0, 0, 0),                          # load the system call's number
        (0x15, 0, 1, syscall),                    # another one: skip the next
        (0x06, 0, 0, SECCOMP_RET_ERRNO | EPERM),
        (0x06, 0, 0, SECCOMP_RET_ALLOW)))
    libc = ctypes.CDLL(None, use_errno=True)
    conf = Filter(len(program) // 8, program)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(conf), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Privileges(zb.Case):
    def test_no_right_to_sample(self):
        """Without perf_event a timer samples instead; the run is as good otherwise."""
        syscall = PERF_EVENT_OPEN.get(platform.machine())
        if syscall is None:
            self.skipTest(f"number of perf_event_open on {platform.machine()} is not known here")
        trace = self.trace("--packets", 20000)
        self.assert_done(self.zbench("--pcap", trace.path, "--duration", 2, "--logs", "none",
                                     preexec_fn=lambda: forbid(syscall)))
        result = self.result()
        self.assert_law_holds(result)
        self.assertGreater(result["profile"]["samples"], 0)
        self.assertNotIn("perf", result["profile"]["method"])

    def test_ordinary_user(self):
        """Everything works without root."""
        if os.getuid() != 0:
            self.skipTest("every other test does that when not root")
        nobody = pwd.getpwnam("nobody")
        binary = self.dir / "zbench"  # where nobody can reach it, wherever the build is
        shutil.copy(zb.BINARY, binary)
        binary.chmod(0o755)
        os.chown(self.dir, nobody.pw_uid, nobody.pw_gid)
        trace = self.trace("--packets", 20000)
        command = [binary, "--pcap", trace.path, "--out", self.out]
        self.assert_done(self.zbench(command=command, user=nobody.pw_uid, group=nobody.pw_gid,
                                     extra_groups=[], env={"PATH": os.environ["PATH"], "HOME": str(self.dir)}))
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assertGreater(result["totals"]["log_rows"]["conn"], 0)
        self.assert_nothing_left()


if __name__ == "__main__":
    zb.main()
