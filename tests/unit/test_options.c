/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c - the command line: values, errors, help */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/nearest.h"
#include "bench/options.h"
#include "tests/unit/caught.h"

struct conf {
	bool verbose, quiet;
	const char *out;
	struct zb_opt_list pcap, allow, fault;
	uint64_t loop, sample_hz, buf;
	double duration;
	int format;
};

static const char *const formats[] = {"json", "zeek", "raw", NULL};

#define AT(member) .offset = offsetof(struct conf, member)
static const struct zb_opt opts[] = {
	{.help = "Input"},
	{"pcap", 'p', ZB_OPT_STRINGS, "FILE...", NULL, 0, 0, NULL, "capture files to replay",
	 AT(pcap)},
	{"loop", 'l', ZB_OPT_U64, "N", "1", 1, 0, NULL, "passes", AT(loop)},
	{"duration", 0, ZB_OPT_SECONDS, "S", NULL, 0, 0, NULL, "stop after that time",
	 AT(duration)},
	{.help = "Output"},
	{"out", 'o', ZB_OPT_STRING, "DIR", "here", 0, 0, NULL, "folder of the run", AT(out)},
	{"log-format", 0, ZB_OPT_CHOICE, NULL, "zeek", 0, 0, formats, "of log files", AT(format)},
	{"sample-hz", 0, ZB_OPT_U64, "N", "99", 0, 10000, NULL,
	 "samples per second and thread, with a help text that is long enough to be broken twice "
	 "at "
	 "the right margin of the screen; 0 is off",
	 AT(sample_hz)},
	{"buffer-of-a-very-long-name", 0, ZB_OPT_BYTES, "BYTES", "64K", 4096, 0, NULL, "size",
	 AT(buf)},
	{"allow", 0, ZB_OPT_EACH, "RULE", NULL, 0, 0, NULL, "one rule", AT(allow)},
	{"fault", 0, ZB_OPT_EACH, "NAME", "none", 0, 0, NULL, "a list with a default", AT(fault)},
	{"verbose", 'v', ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "say more", AT(verbose)},
	{"quiet", 'q', ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "say less", AT(quiet)},
};

static const struct zb_command command = {
	.name = "test",
	.usage = "zbench test --pcap FILE... [options]",
	.summary = "try the options",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.examples = "zbench test --pcap a.pcap\nzbench test",
	.conf_size = sizeof(struct conf),
};

#define WORDS_MAX 300
static struct conf conf;
static const char *args[WORDS_MAX];
static unsigned arg_nr;
static char *words[WORDS_MAX];
static int word_nr;
static char said[8192];

/* Parses a line split at blanks ("_" stands for an empty word) and keeps what was said on stderr.
 */
static int parse_by(const struct zb_command *c, const char *line)
{
	static char copy[8192];
	struct caught caught;
	int ret;

	snprintf(copy, sizeof(copy), "%s", line);
	word_nr = 0;
	words[word_nr++] = (char *)"zbench";
	for (char *w = strtok(copy, " "); w != NULL && word_nr < WORDS_MAX; w = strtok(NULL, " "))
		words[word_nr++] = strcmp(w, "_") == 0 ? w + 1 : w;
	catch_fd(&caught, STDERR_FILENO);
	ret = zb_opt_parse(c, word_nr, words, &conf, args, &arg_nr);
	release_fd(&caught);
	memcpy(said, caught.text, sizeof(said));
	return ret;
}

static int parse(const char *line)
{
	return parse_by(&command, line);
}

static void assert_refused(const char *line, const char *message)
{
	char whole[512];

	assert_int_equal(parse(line), -EINVAL);
	snprintf(whole, sizeof(whole), "zbench: %s\n", message);
	assert_string_equal(said, whole);
}

/* Without words, every option has its default. */
static void options_no_words_defaults_hold(void **state)
{
	(void)state;
	memset(&conf, 0xff, sizeof(conf));
	assert_int_equal(parse(""), 0);
	assert_string_equal(said, "");
	assert_string_equal(conf.out, "here");
	assert_int_equal(conf.loop, 1);
	assert_int_equal(conf.sample_hz, 99);
	assert_int_equal(conf.buf, 65536);
	assert_int_equal(conf.format, 1);
	assert_true(conf.duration == 0);
	assert_int_equal(conf.pcap.nr, 0);
	assert_int_equal(conf.fault.nr, 1);
	assert_string_equal(conf.fault.v[0], "none");
	assert_false(conf.verbose);
	assert_int_equal(arg_nr, 0);
	assert_false(zb_opt_given(&command, "out"));
}

/* Every way to write an option and its value is understood. */
static void options_all_spellings_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse("--out a --loop=3 --log-format raw -v"), 0);
	assert_string_equal(conf.out, "a");
	assert_int_equal(conf.loop, 3);
	assert_int_equal(conf.format, 2);
	assert_true(conf.verbose);
	assert_false(conf.quiet);
	assert_true(zb_opt_given(&command, "loop"));
	assert_false(zb_opt_given(&command, "sample-hz"));

	assert_int_equal(parse("-vql7 -o b"), 0);
	assert_true(conf.verbose && conf.quiet);
	assert_int_equal(conf.loop, 7);
	assert_string_equal(conf.out, "b");

	assert_int_equal(parse("--out=--x=y --loop 1 --loop 2"), 0);
	assert_string_equal(conf.out, "--x=y");
	assert_int_equal(conf.loop, 2);
}

/* A list takes words up to the next option, can be repeated, and "=" takes exactly one. */
static void options_list_takes_words_to_the_next_option(void **state)
{
	(void)state;
	assert_int_equal(parse("--pcap A - C --loop 2 --pcap D --pcap=E -p F G"), 0);
	assert_int_equal(conf.pcap.nr, 7);
	assert_string_equal(conf.pcap.v[0], "A");
	assert_string_equal(conf.pcap.v[1], "-");
	assert_string_equal(conf.pcap.v[2], "C");
	assert_string_equal(conf.pcap.v[3], "D");
	assert_string_equal(conf.pcap.v[6], "G");
	assert_refused(
		"--pcap=A B",
		"B: unexpected argument; zbench test takes only options, see zbench test --help");
	assert_refused("--pcap --loop 2", "--pcap: needs a value; give --pcap FILE...");
}

/* More values than a list holds are refused, not cut. */
static void options_list_full_is_refused(void **state)
{
	char line[4096] = "--pcap";

	(void)state;
	for (int i = 0; i < ZB_OPT_LIST_MAX; i++)
		strcat(line, " x");
	assert_int_equal(parse(line), 0);
	assert_int_equal(conf.pcap.nr, ZB_OPT_LIST_MAX);
	strcat(line, " y");
	assert_refused(line, "--pcap y: too many values; at most 256 are taken");
}

/* An option of the kind "each" takes one word each time, and its first value replaces the default.
 */
static void options_each_takes_one_word_each_time(void **state)
{
	struct zb_command c = command;

	(void)state;
	c.args = "NEW";
	assert_int_equal(parse_by(&c, "--allow a one --allow b --fault x --fault y two"), 0);
	assert_int_equal(conf.allow.nr, 2);
	assert_string_equal(conf.allow.v[1], "b");
	assert_int_equal(conf.fault.nr, 2);
	assert_string_equal(conf.fault.v[0], "x");
	assert_int_equal(arg_nr, 2);
	assert_string_equal(args[0], "one");
	assert_string_equal(args[1], "two");
}

/* After "--" every word is an argument. */
static void options_double_dash_ends_options(void **state)
{
	struct zb_command c = command;

	(void)state;
	c.args = "FILE";
	assert_int_equal(parse_by(&c, "-v -- --loop -q --"), 0);
	assert_int_equal(arg_nr, 3);
	assert_string_equal(args[0], "--loop");
	assert_string_equal(args[2], "--");
	assert_false(conf.quiet);
}

/* Numbers take the suffixes of their kind, and nothing else. */
static void options_numbers_take_their_suffixes(void **state)
{
	(void)state;
	assert_int_equal(parse("--loop 5k --buffer-of-a-very-long-name 2G"), 0);
	assert_int_equal(conf.loop, 5000);
	assert_int_equal(conf.buf, 2147483648u);
	assert_int_equal(parse("--loop 3M --buffer-of-a-very-long-name 8m"), 0);
	assert_int_equal(conf.loop, 3000000);
	assert_int_equal(conf.buf, 8388608);
	assert_int_equal(parse("--loop 18446744073709551615"), 0);
	assert_true(conf.loop == UINT64_MAX);
	assert_refused("--loop 3m", "--loop 3m: not a number; give a whole number from 1");
	assert_refused("--loop 3T", "--loop 3T: not a number; give a whole number from 1");
	assert_refused("--loop 3kk", "--loop 3kk: not a number; give a whole number from 1");
	assert_refused("--loop 1.5", "--loop 1.5: not a number; give a whole number from 1");
	assert_refused("--loop 0x1", "--loop 0x1: not a number; give a whole number from 1");
	assert_refused(
		"--buffer-of-a-very-long-name big",
		"--buffer-of-a-very-long-name big: not a size; give a size in bytes, as 4096, "
		"64K or 2G, from 4096");
}

/* What does not fit, or lies outside the limits, is refused with the limits. */
static void options_numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_refused("--loop 0", "--loop 0: out of range; give a whole number from 1");
	assert_refused("--loop -5", "--loop -5: not a number; give a whole number from 1");
	assert_refused("--loop 18446744073709551616",
		       "--loop 18446744073709551616: out of range; give a whole number from 1");
	assert_refused("--loop 18446744073709551615k",
		       "--loop 18446744073709551615k: out of range; give a whole number from 1");
	assert_refused("--sample-hz 10001",
		       "--sample-hz 10001: out of range; give a whole number from 0 to 10000");
	assert_int_equal(parse("--sample-hz 10k"), 0);
}

/* Times take ms, s, m and h; zero, negative, endless and unreadable ones are refused. */
static void options_seconds_take_units(void **state)
{
	static const struct {
		const char *line;
		double seconds;
	} good[] = {{"--duration 2", 2},    {"--duration 1.5s", 1.5}, {"--duration 250ms", 0.25},
		    {"--duration 2m", 120}, {"--duration 1h", 3600},  {"--duration .5", 0.5}};
	static const char *const bad[] = {"inf", "nan", "0x10", "1e3", "1.2.3",
					  "1d",	 "s",	".",	"+1"};
	char line[64], message[160];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse(good[i].line), 0);
		assert_true(conf.duration == good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "--duration %s", bad[i]);
		snprintf(message, sizeof(message),
			 "--duration %s: not a time; give seconds, or a number with ms, s, m or h",
			 bad[i]);
		assert_refused(line, message);
	}
	assert_refused("--duration 0",
		       "--duration 0: out of range; give a time above 0, at most 1000000000 s");
	assert_refused(
		"--duration 9999999999",
		"--duration 9999999999: out of range; give a time above 0, at most 1000000000 s");
}

/* A wrong choice is answered with all of them. */
static void options_wrong_choice_names_all(void **state)
{
	(void)state;
	assert_refused("--log-format xml",
		       "--log-format xml: not a choice; give json, zeek or raw");
	assert_refused("--log-format js", "--log-format js: not a choice; give json, zeek or raw");
}

/* An unknown option is answered with the nearest name, if one is near. */
static void options_unknown_name_suggests_the_nearest(void **state)
{
	(void)state;
	assert_refused("--pcpa x", "--pcpa: no such option; did you mean --pcap?");
	assert_refused("--dur 1", "--dur: no such option; did you mean --duration?");
	assert_refused("--sampel-hz=3", "--sampel-hz: no such option; did you mean --sample-hz?");
	assert_refused("--frobnicate",
		       "--frobnicate: no such option; zbench test --help lists them");
	assert_refused("-x", "-x: no such option; zbench test --help lists them");
	assert_refused("-vx", "-x: no such option; zbench test --help lists them");
}

/* Missing, empty and superfluous values are said with the option's name. */
static void options_wrong_use_of_values_is_refused(void **state)
{
	(void)state;
	assert_refused("--out", "--out: needs a value; give --out DIR");
	assert_refused("--out --loop 3", "--out: needs a value; give --out DIR");
	assert_refused("-o", "--out: needs a value; give --out DIR");
	assert_refused("--out _", "--out: the value is empty; give DIR");
	assert_refused("--out=", "--out: the value is empty; give DIR");
	assert_refused("--verbose=yes", "--verbose=yes: takes no value; give just --verbose");
	assert_refused("file",
		       "file: unexpected argument; zbench test takes only options, see zbench "
		       "test --help");
}

/* Help goes to stdout, shows every option once with its default, within 80 columns. */
static void options_help_shows_the_table(void **state)
{
	struct caught caught;
	const char *line;
	int ret;

	(void)state;
	catch_fd(&caught, STDOUT_FILENO);
	ret = parse("--loop 3 --help --nonsense");
	release_fd(&caught);
	assert_int_equal(ret, 1);
	assert_string_equal(said, "");
	for (line = caught.text; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	assert_string_equal(
		caught.text,
		"Usage: zbench test --pcap FILE... [options]\n"
		"\n"
		"Try the options.\n"
		"\n"
		"Input:\n"
		"  -p, --pcap FILE...  capture files to replay\n"
		"  -l, --loop N        passes (default 1)\n"
		"      --duration S    stop after that time\n"
		"Output:\n"
		"  -o, --out DIR       folder of the run (default here)\n"
		"      --log-format json|zeek|raw\n"
		"                      of log files (default zeek)\n"
		"      --sample-hz N   samples per second and thread, with a help text that is\n"
		"                      long enough to be broken twice at the right margin of the\n"
		"                      screen; 0 is off (default 99)\n"
		"      --buffer-of-a-very-long-name BYTES\n"
		"                      size (default 64K)\n"
		"      --allow RULE    one rule\n"
		"      --fault NAME    a list with a default\n"
		"  -v, --verbose       say more\n"
		"  -q, --quiet         say less\n"
		"  -h, --help          show this help and exit\n"
		"\n"
		"Examples:\n"
		"  zbench test --pcap a.pcap\n"
		"  zbench test\n");
}

/* The version is one line on stdout. */
static void options_version_is_one_line(void **state)
{
	struct caught caught;
	int ret;

	(void)state;
	catch_fd(&caught, STDOUT_FILENO);
	ret = parse("--version");
	release_fd(&caught);
	assert_int_equal(ret, 1);
	assert_string_equal(caught.text, "zbench " ZB_VERSION "\n");
}

/* Any line of random words ends in one of the three outcomes, with at most one line said. */
static void options_random_words_are_survived(void **state)
{
	static const char *const bits[] = {
		"--pcap",   "--",   "-",      "-v",    "-vq",	  "--out=",
		"--loop=9", "-l",   "x",      "=",     "--=",	  "---",
		"--help=1", "-5",   "--loop", "--qui", "--quiet", "99999999999999999999",
		"-l-",	    "-vl3", "_",      "--a=b", "-\xff",	  "\xc2\xb1"};
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char line[512] = "";

		for (int i = 0; i < 6; i++) {
			seed = seed * 1664525u + 1013904223u;
			strcat(line, bits[(seed >> 16) % (sizeof(bits) / sizeof(bits[0]))]);
			strcat(line, " ");
		}
		int ret = parse(line);
		const char *newline = strchr(said, '\n');

		if (ret == 0) {
			assert_string_equal(said, "");
		} else {
			assert_int_equal(ret, -EINVAL);
			assert_non_null(newline);
			assert_int_equal(newline[1], '\0');
		}
	}
}

/* Typing errors are near, other words are not. */
static void nearest_typing_errors_are_near(void **state)
{
	(void)state;
	assert_int_equal(zb_nearest_rank("pcap", "pcap"), 0);
	assert_int_equal(zb_nearest_rank("pcpa", "pcap"), 1);
	assert_int_equal(zb_nearest_rank("pca", "pcap"), 1);
	assert_int_equal(zb_nearest_rank("ppcap", "pcap"), 1);
	assert_int_equal(zb_nearest_rank("pkts_dorped", "pkts_dropped"), 2);
	assert_int_equal(zb_nearest_rank("out", "pcap"), ZB_NOT_NEAR);
	assert_int_equal(zb_nearest_rank("", "pcap"), ZB_NOT_NEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_no_words_defaults_hold),
		cmocka_unit_test(options_all_spellings_are_read),
		cmocka_unit_test(options_list_takes_words_to_the_next_option),
		cmocka_unit_test(options_list_full_is_refused),
		cmocka_unit_test(options_each_takes_one_word_each_time),
		cmocka_unit_test(options_double_dash_ends_options),
		cmocka_unit_test(options_numbers_take_their_suffixes),
		cmocka_unit_test(options_numbers_out_of_range_are_refused),
		cmocka_unit_test(options_seconds_take_units),
		cmocka_unit_test(options_wrong_choice_names_all),
		cmocka_unit_test(options_unknown_name_suggests_the_nearest),
		cmocka_unit_test(options_wrong_use_of_values_is_refused),
		cmocka_unit_test(options_help_shows_the_table),
		cmocka_unit_test(options_version_is_one_line),
		cmocka_unit_test(options_random_words_are_survived),
		cmocka_unit_test(nearest_typing_errors_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
