/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - zbench COMMAND: finds the command, parses its options, runs it
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/nearest.h"
#include "bench/options.h"
#include "bench/options_priv.h"
#include "profiler/diag.h"

static const struct zb_command *const commands[] = {
	&zb_cmd_run, &zb_cmd_top,   &zb_cmd_topo, &zb_cmd_gate,
	&zb_cmd_gen, &zb_cmd_flame, &zb_cmd_heap,
};
#define COMMAND_NR (sizeof(commands) / sizeof(commands[0]))

static const char usage[] = "Usage: zbench COMMAND [options]\n"
			    "       zbench --pcap FILE... [options]      the same as zbench run\n";

static const char examples[] =
	"Examples:\n"
	"  zbench --pcap trace.pcap                        on one core, as fast as it can\n"
	"  zbench --pcap trace.pcap --cores 2-5 --loop 20  on four cores, twenty passes\n"
	"  zbench topo --cores 2-5                         who would sit where\n"
	"  zbench gate --baseline old/result.json new/result.json\n";

static const char exit_statuses[] =
	"Exit status: 0 done; 1 finished, but what was asked for did not hold; 2 bad\n"
	"usage or input, nothing was started; 3 broke off, what was measured is on disk.\n";

static void print_overview(void)
{
	printf("%s\n", usage);
	printf("Runs traffic through a Zeek-like engine, one pinned worker per core, and\n"
	       "measures what every packet costs: cycles, call stacks, memory, drops.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < COMMAND_NR; i++) {
		printf("  %-6s ", commands[i]->name);
		zb_opt_print_wrapped(stdout, commands[i]->summary, 9, 9);
	}
	printf("  %-6s %s\n\n", "help", "show the help of a command: zbench help run");
	printf("%s\nzbench COMMAND --help lists the options of a command; zbench --version\n"
	       "prints the version.\n\n%s",
	       examples, exit_statuses);
}

static const struct zb_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_NR; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static void say_unknown_command(const char *word)
{
	const char *best_name = NULL;
	unsigned best = ZB_NOT_NEAR;
	char all[128] = "";
	size_t at = 0;

	for (size_t i = 0; i < COMMAND_NR; i++) {
		unsigned rank = zb_nearest_rank(word, commands[i]->name);
		int n = snprintf(all + at, sizeof(all) - at, "%s%s", i > 0 ? ", " : "",
				 commands[i]->name);

		at += n > 0 && (size_t)n < sizeof(all) - at ? (size_t)n : 0;
		if (rank < best) {
			best = rank;
			best_name = commands[i]->name;
		}
	}
	if (best_name != NULL)
		zb_err("%s: no such command; did you mean %s? There are %s", word, best_name, all);
	else if (access(word, F_OK) == 0)
		zb_err("%s: no command but a file; give --pcap %s to replay it", word, word);
	else
		zb_err("%s: no such command; there are %s", word, all);
}

static int run_command(const struct zb_command *c, int skip, int argc, char **argv)
{
	void *conf = calloc(1, c->conf_size > 0 ? c->conf_size : 1);
	const char **args = calloc((size_t)argc + 1, sizeof(*args));
	unsigned arg_nr = 0;
	int status = ZB_EXIT_USAGE;
	int ret;

	if (conf == NULL || args == NULL) {
		zb_err("command line: %s", strerror(ENOMEM));
		goto free_both;
	}
	ret = zb_opt_parse(c, argc - skip, argv + skip, conf, args, &arg_nr);
	if (ret == 0)
		status = c->run(conf, args, arg_nr, argc, argv);
	else if (ret == 1)
		status = ZB_EXIT_OK;

free_both:
	free(args);
	free(conf);
	return status;
}

/* zbench help [COMMAND] */
static int help(int argc, char **argv)
{
	const struct zb_command *c;

	if (argc <= 2) {
		print_overview();
		return ZB_EXIT_OK;
	}
	c = find_command(argv[2]);
	if (c == NULL) {
		say_unknown_command(argv[2]);
		return ZB_EXIT_USAGE;
	}
	zb_opt_help(c);
	return ZB_EXIT_OK;
}

static int dispatch(int argc, char **argv)
{
	const struct zb_command *c;

	if (argc < 2) {
		fprintf(stderr, "%szbench --help tells more.\n", usage);
		return ZB_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_overview();
		return ZB_EXIT_OK;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (argv[1][0] == '-') /* --version too: the option parser knows it */
		return run_command(&zb_cmd_run, 0, argc, argv);
	c = find_command(argv[1]);
	if (c == NULL) {
		say_unknown_command(argv[1]);
		return ZB_EXIT_USAGE;
	}
	return run_command(c, 1, argc, argv);
}

/*
 * A file opened while 0, 1 or 2 is closed would get that number, and messages would end up in it.
 * The wrong access mode makes a use of the stand-in an error, as it was before.
 */
static void keep_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd)
			_exit(ZB_EXIT_USAGE);
	}
}

/* What was printed must have arrived: a full disk is no success. */
static int check_stdout(int status)
{
	int err = 0;

	errno = 0;
	if (fflush(stdout) != 0)
		err = errno;
	else if (ferror(stdout))
		err = EIO;
	if (err == 0)
		return status;
	zb_err("stdout: %s", strerror(err));
	return status == ZB_EXIT_OK ? ZB_EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
	keep_standard_fds();
	return check_stdout(dispatch(argc, argv));
}
