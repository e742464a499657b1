/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - one const table per command describes its options: parsing, checking and --help come
 * from it
 *
 * A value is stored at its offset in the command's conf struct. Long options may be given as --name
 * VALUE or
 * --name=VALUE; a unique prefix is not accepted. "--" ends options. A bad value is one line on
 * stderr naming option, value and what it should be: "zbench: --loop x: not a number; give a whole
 * number from 1".
 *
 * Threading: main only. Ownership: strings point into argv or into the table.
 */
#ifndef ZB_BENCH_OPTIONS_H
#define ZB_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zb_opt_type {
	ZB_OPT_FLAG,	/* bool, no value */
	ZB_OPT_STRING,	/* const char * */
	ZB_OPT_STRINGS, /* struct zb_opt_list; may be repeated, and takes several values: --pcap A B
			   C */
	ZB_OPT_U64,	/* uint64_t, with min and max; suffixes k, M, G (powers of ten) */
	ZB_OPT_BYTES,	/* uint64_t; suffixes K, M, G, T (powers of 1024) */
	ZB_OPT_SECONDS, /* double, > 0, or 0 where that is the default; suffixes ms, s, m, h */
	ZB_OPT_CHOICE,	/* int: index into choices */
	ZB_OPT_EACH, /* struct zb_opt_list; may be repeated, one value each time: --allow A --allow
			B */
};

#define ZB_OPT_LIST_MAX 256
struct zb_opt_list {
	const char *v[ZB_OPT_LIST_MAX];
	unsigned nr;
};

struct zb_opt {
	const char *name; /* "cores"; NULL: no option, help is a heading for those that follow */
	char short_name;  /* 'C' or 0 */
	enum zb_opt_type type;
	const char *arg;   /* "LIST", as shown in help; NULL for flags */
	const char *def;   /* default as text, parsed like a value; NULL: zero, false, NULL */
	uint64_t min, max; /* U64 and BYTES; max 0: no limit */
	const char *const *choices; /* NULL-terminated */
	const char *help;	    /* one line, ends without a full stop; NULL: not listed */
	size_t offset;		    /* in the conf struct */
};

struct zb_command {
	const char *name;    /* "run" */
	const char *usage;   /* "zbench [run] --pcap FILE... [options]" */
	const char *summary; /* one line */
	const struct zb_opt *opts;
	unsigned opt_nr;
	const char *args;     /* positional arguments as shown in help, NULL: none are taken */
	const char *examples; /* several lines, shown last in --help, indented there */
	size_t conf_size;
	/*
	 * Runs the command; returns the exit status. conf is filled, args are the positional
	 * arguments, argc and argv the whole command line.
	 */
	int (*run)(const void *conf, const char *const *args, unsigned arg_nr, int argc,
		   char **argv);
};

/*
 * Parses argv[1..] into conf (of c->conf_size bytes; zeroed and filled with defaults here).
 * Positional arguments go to args (room for argc). 0: go on; 1: --help or --version was printed,
 * exit 0; -EINVAL: said, exit 2.
 */
int zb_opt_parse(const struct zb_command *c, int argc, char **argv, void *conf, const char **args,
		 unsigned *arg_nr);

/* Bytes, with a suffix K, M, G or T; -EINVAL: no size, -ERANGE: too large. Says nothing. */
int zb_opt_parse_bytes(const char *text, uint64_t *bytes);

/* Seconds from 0 on, or a number with ms, s, m or h; -EINVAL or -ERANGE as above. Says nothing. */
int zb_opt_parse_seconds(const char *text, double *seconds);

/* True when the option was given on the command line of the last zb_opt_parse(). */
bool zb_opt_given(const struct zb_command *c, const char *name);

/* The text of --help, at most 80 columns and one screen (50 lines) for each command. */
void zb_opt_help(const struct zb_command *c);

extern const struct zb_command zb_cmd_run, zb_cmd_top, zb_cmd_topo, zb_cmd_gate, zb_cmd_gen,
	zb_cmd_flame, zb_cmd_heap;

/* Exit statuses of every command. */
enum {
	ZB_EXIT_OK = 0,
	ZB_EXIT_FAILED = 1, /* finished, but what was asked for did not hold */
	ZB_EXIT_USAGE = 2,  /* bad usage or input; nothing was started */
	ZB_EXIT_BROKE = 3,  /* broke off; what was measured is on disk and says so */
};

#endif
