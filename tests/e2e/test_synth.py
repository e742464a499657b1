#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_synth.py - --synth, --attack and --tap: traffic made for the run is what zbench gen writes"""
import zb


class Synth(zb.Case):
    def digest(self, *options):
        self.assert_done(self.zbench(*options, "--cores", zb.cpus(1)[0]))
        result = self.result()
        self.assert_law_holds(result)
        return result["input"]["digest"], result

    def gen(self, *options):
        path = self.dir / "made.pcap"
        self.assert_done(self.zbench(command=self.command("gen", "--ns", "--out", path, *options)))
        return path

    def test_profile_is_what_gen_writes(self):
        for profile in ("office", "campus"):
            path = self.gen("--profile", profile, "--packets", 20000, "--seed", 3)
            made, result = self.digest("--synth", profile, "--count", 20000, "--seed", 3)
            self.assertEqual(made, self.digest("--pcap", path)[0], profile)
            self.assertEqual(result["input"]["kind"], "synth")
            self.assertEqual(result["input"]["profile"], profile)
            self.assertEqual(result["totals"]["pkts_proc"], 20000)

    def test_seed_makes_other_traffic(self):
        one, _ = self.digest("--synth", "office", "--count", 5000)
        two, _ = self.digest("--synth", "office", "--count", 5000, "--seed", 2)
        self.assertNotEqual(one, two)

    def test_tap_is_what_gen_does_to_a_trace(self):
        trace = self.trace("--packets", 20000)
        path = self.gen("--pcap", trace.path, "--tap", "loss=2%,burst=4")
        made, result = self.digest("--pcap", trace.path, "--tap", "loss=2%,burst=4")
        self.assertEqual(made, self.digest("--pcap", path)[0])
        self.assertEqual(result["input"]["tap"], "loss=2%,burst=4")
        self.assertLess(result["totals"]["pkts_proc"], trace.packets)

    def test_attack_is_what_gen_writes(self):
        """Alone, inside a profile, and inside a trace."""
        trace = self.trace("--packets", 5000)
        for made, written in ((("--attack", "syn-flood", "--count", 3000), ("--attack", "syn-flood", "--packets", 3000)),
                              (("--attack", "syn-flood=10%", "-a", "mice=5%", "--count", 9000),
                               ("--attack", "syn-flood=10%", "-a", "mice=5%", "--packets", 9000)),
                              (("--pcap", trace.path, "-a", "teardrop=20%"), ("--pcap", trace.path, "-a", "teardrop=20%"))):
            written = self.digest("--pcap", self.gen(*written))[0]
            digest, result = self.digest(*made)
            self.assertEqual(digest, written)
            self.assertEqual(result["input"]["kind"], "pcap" if "--pcap" in made else "synth")
            self.assertEqual(result["input"]["attacks"],
                             [made[i + 1] for i, word in enumerate(made) if word in ("-a", "--attack")])

    def test_own_profile_and_open_loop(self):
        path = self.dir / "mine.yaml"
        path.write_text("duration: 1s\nstreams:\n  - kind: packets\n    sizes: 512\n    rate: 10kpps\n    flows: 10\n")
        _, result = self.digest("--synth", path, "--rate", "10x", "--rx-desc", 1 << 20)
        self.assertEqual(result["totals"]["pkts_offered"], 10000)

    def test_contradictions_are_refused(self):
        trace = self.trace("--packets", 1000)
        self.assert_refused(self.zbench("--synth", "office", "--pcap", trace.path), "--synth")
        self.assert_refused(self.zbench("--pcap", trace.path, "--seed", 3), "--seed")
        self.assert_refused(self.zbench("--pcap", trace.path, trace.path, "--tap", "loss=1%"), "--tap")
        self.assert_refused(self.zbench("--synth", "nosuch"), "nosuch")
        self.assert_refused(self.zbench("--attack", "nosuch"), "nosuch")
        self.assert_refused(self.zbench("--synth", "office", "--attack", "syn-flood"), "syn-flood")
        self.assert_refused(self.zbench("--pcap", trace.path, trace.path, "-a", "syn-flood=1%"), "--attack")
        self.assert_refused(self.zbench("--pcap", trace.path, "--tap", "bad=1"), "bad")


if __name__ == "__main__":
    zb.main()
