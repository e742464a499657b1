/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - walks the command line by a command's table
 *
 * Written out rather than put on getopt_long(): an option that takes several words, "did you mean",
 * and messages that name the value are not to be had there.
 */
#include "bench/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/nearest.h"
#include "bench/options_priv.h"
#include "profiler/diag.h"

#define OPTS_MAX 128

/* Which options of the table the last parse met. */
static const struct zb_command *given_command;
static bool given[OPTS_MAX];

struct walk {
	const struct zb_command *c;
	void *conf;
	char **argv;
	int argc, i;	   /* i: the word at hand */
	const char **args; /* positional */
	unsigned arg_nr;
};

/* "-x" and "--x" are options; "-" is a file name, "-5" a value, if a wrong one. */
static bool looks_like_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && word[1] != '.' &&
	       !(word[1] >= '0' && word[1] <= '9');
}

static const struct zb_opt *find_long(const struct zb_command *c, const char *name, size_t len)
{
	for (unsigned i = 0; i < c->opt_nr; i++) {
		const char *n = c->opts[i].name;

		if (n != NULL && strlen(n) == len && memcmp(n, name, len) == 0)
			return &c->opts[i];
	}
	return NULL;
}

static const struct zb_opt *find_short(const struct zb_command *c, char letter)
{
	for (unsigned i = 0; i < c->opt_nr; i++) {
		if (c->opts[i].name != NULL && c->opts[i].short_name == letter)
			return &c->opts[i];
	}
	return NULL;
}

static int say_unknown(const struct zb_command *c, const char *word, size_t len)
{
	const char *best_name = NULL;
	unsigned best = ZB_NOT_NEAR;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)(len > 60 ? 60 : len), word);
	for (unsigned i = 0; i < c->opt_nr; i++) {
		unsigned rank = c->opts[i].name != NULL ? zb_nearest_rank(name, c->opts[i].name)
							: ZB_NOT_NEAR;

		if (rank < best) {
			best = rank;
			best_name = c->opts[i].name;
		}
	}
	if (best_name != NULL)
		zb_err("--%s: no such option; did you mean --%s?", name, best_name);
	else
		zb_err("--%s: no such option; zbench %s --help lists them", name, c->name);
	return -EINVAL;
}

/* The first value given for a list replaces its default; later ones are added. */
static void mark_given(const struct walk *w, const struct zb_opt *o)
{
	bool *seen = &given[o - w->c->opts];

	if (!*seen && (o->type == ZB_OPT_STRINGS || o->type == ZB_OPT_EACH))
		((struct zb_opt_list *)(void *)((char *)w->conf + o->offset))->nr = 0;
	*seen = true;
}

/* Stores the value of o: attached ("=VALUE", "-xVALUE"), or the word or words that follow. */
static int take_value(struct walk *w, const struct zb_opt *o, const char *attached)
{
	int ret;

	mark_given(w, o);
	if (o->type == ZB_OPT_FLAG) {
		if (attached == NULL)
			return zb_opt_store(o, "", w->conf);
		zb_err("--%s=%s: takes no value; give just --%s", o->name, attached, o->name);
		return -EINVAL;
	}
	if (attached != NULL)
		return zb_opt_store(o, attached, w->conf);
	if (w->i + 1 >= w->argc || looks_like_option(w->argv[w->i + 1])) {
		zb_err("--%s: needs a value; give --%s %s", o->name, o->name,
		       o->arg != NULL ? o->arg : "VALUE");
		return -EINVAL;
	}
	do {
		ret = zb_opt_store(o, w->argv[++w->i], w->conf);
	} while (ret == 0 && o->type == ZB_OPT_STRINGS && w->i + 1 < w->argc &&
		 !looks_like_option(w->argv[w->i + 1]));
	return ret;
}

/* --name, --name=VALUE. 0: go on, 1: stop, help or version was printed. */
static int take_long(struct walk *w, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t len = eq != NULL ? (size_t)(eq - word) : strlen(word);
	const struct zb_opt *o = find_long(w->c, word, len);

	if (o != NULL)
		return take_value(w, o, eq != NULL ? eq + 1 : NULL);
	if (strcmp(word, "help") == 0) {
		zb_opt_help(w->c);
		return 1;
	}
	if (strcmp(word, "version") == 0) {
		printf("zbench %s\n", ZB_VERSION);
		return 1;
	}
	return say_unknown(w->c, word, len);
}

/* -x, -xVALUE, -xy for flags x and y. */
static int take_short(struct walk *w, const char *letters)
{
	int ret = 0;

	for (; *letters != '\0' && ret == 0; letters++) {
		const struct zb_opt *o = find_short(w->c, *letters);

		if (o == NULL && *letters == 'h') {
			zb_opt_help(w->c);
			return 1;
		}
		if (o == NULL) {
			zb_err("-%c: no such option; zbench %s --help lists them", *letters,
			       w->c->name);
			return -EINVAL;
		}
		if (o->type != ZB_OPT_FLAG)
			return take_value(w, o, letters[1] != '\0' ? letters + 1 : NULL);
		ret = take_value(w, o, NULL);
	}
	return ret;
}

static int take_argument(struct walk *w, const char *word)
{
	if (w->c->args == NULL) {
		zb_err("%s: unexpected argument; zbench %s takes only options, see zbench %s "
		       "--help",
		       word, w->c->name, w->c->name);
		return -EINVAL;
	}
	w->args[w->arg_nr++] = word;
	return 0;
}

static int walk_words(struct walk *w)
{
	bool options_ended = false;
	int ret = 0;

	for (w->i = 1; w->i < w->argc && ret == 0; w->i++) {
		const char *word = w->argv[w->i];

		if (options_ended || !looks_like_option(word))
			ret = take_argument(w, word);
		else if (strcmp(word, "--") == 0)
			options_ended = true;
		else if (word[1] == '-')
			ret = take_long(w, word + 2);
		else
			ret = take_short(w, word + 1);
	}
	return ret;
}

/* Defaults go through the same parser as what a person gives; a bad one is a bug in the table. */
static int set_defaults(const struct zb_command *c, void *conf)
{
	int ret = 0;

	memset(conf, 0, c->conf_size);
	for (unsigned i = 0; i < c->opt_nr && ret == 0; i++) {
		if (c->opts[i].name != NULL && c->opts[i].def != NULL)
			ret = zb_opt_store(&c->opts[i], c->opts[i].def, conf);
	}
	return ret;
}

int zb_opt_parse(const struct zb_command *c, int argc, char **argv, void *conf, const char **args,
		 unsigned *arg_nr)
{
	struct walk w = {.c = c, .conf = conf, .argv = argv, .argc = argc, .args = args};
	int ret;

	assert(c->opt_nr <= OPTS_MAX);
	given_command = c;
	memset(given, 0, sizeof(given));
	ret = set_defaults(c, conf);
	if (ret == 0)
		ret = walk_words(&w);
	*arg_nr = w.arg_nr;
	return ret;
}

bool zb_opt_given(const struct zb_command *c, const char *name)
{
	const struct zb_opt *o = find_long(c, name, strlen(name));

	assert(o != NULL);
	return o != NULL && c == given_command && given[o - c->opts];
}
