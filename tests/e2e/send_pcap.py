#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""send_pcap.py INTERFACE FILE PPS - sends the frames of a pcap (microseconds, Ethernet); PPS 0: as fast as it can"""
import errno
import socket
import struct
import sys
import time


def frames(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def main():
    interface, path, pps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    out.bind((interface, 0))
    for frame in frames(path):
        if pps != 0:
            time.sleep(1 / pps)  # at most: what is late is not made up for
        while True:
            try:
                out.send(frame)
                break
            except OSError as e:
                if e.errno != errno.ENOBUFS:  # no room now
                    raise
                time.sleep(0.001)


main()
