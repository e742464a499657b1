/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_help.c - writes --help from a command's table: 80 columns, options in table order
 */
#include "bench/options_priv.h"

#include <ctype.h>
#include <string.h>

#define COLUMNS 80
#define TEXT_COL_MAX                                                                \
	30 /* where help texts begin at most; a longer option has a line for itself \
	    */
#define INDENT 2

void zb_opt_print_wrapped(FILE *f, const char *text, int at, int indent)
{
	int col = at;

	while (*text != '\0') {
		int word = (int)strcspn(text, " ");

		if (col > indent && col + 1 + word > COLUMNS) {
			fprintf(f, "\n%*s", indent, "");
			col = indent;
		} else if (col > indent) {
			fputc(' ', f);
			col++;
		}
		fprintf(f, "%.*s", word, text);
		col += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

/* "LIST", or "json|zeek" where the table names no argument. */
static const char *arg_text(const struct zb_opt *o, char *buf, size_t buf_size)
{
	size_t at = 0;

	buf[0] = '\0';
	if (o->type == ZB_OPT_FLAG)
		return buf;
	if (o->arg != NULL || o->type != ZB_OPT_CHOICE)
		return o->arg != NULL ? o->arg : "VALUE";
	for (unsigned i = 0; o->choices[i] != NULL && at < buf_size; i++) {
		int n = snprintf(buf + at, buf_size - at, "%s%s", i > 0 ? "|" : "", o->choices[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static bool any_short(const struct zb_command *c)
{
	for (unsigned i = 0; i < c->opt_nr; i++) {
		if (c->opts[i].name != NULL && c->opts[i].short_name != 0)
			return true;
	}
	return false;
}

/* "  -C, --cores LIST"; returns its width. */
static int option_text(const struct zb_opt *o, bool shorts, char *buf, size_t buf_size)
{
	char head[8] = "", choices[64];
	const char *arg = arg_text(o, choices, sizeof(choices));
	int n;

	if (o->short_name != 0)
		snprintf(head, sizeof(head), "-%c, ", o->short_name);
	else if (shorts)
		snprintf(head, sizeof(head), "    ");
	n = snprintf(buf, buf_size, "%*s%s--%s%s%s", INDENT, "", head, o->name,
		     arg[0] != '\0' ? " " : "", arg);
	return n;
}

static int text_column(const struct zb_command *c, bool shorts)
{
	char text[128];
	int col = 0;

	for (unsigned i = 0; i < c->opt_nr; i++) {
		int width = c->opts[i].name != NULL
				    ? option_text(&c->opts[i], shorts, text, sizeof(text)) + 2
				    : 0;

		if (width > col && width <= TEXT_COL_MAX)
			col = width;
	}
	return col > 0 ? col : TEXT_COL_MAX;
}

static void print_option(const struct zb_opt *o, bool shorts, int col, FILE *f)
{
	char text[128], help[512];
	int width = option_text(o, shorts, text, sizeof(text));
	bool tell;

	if (o->help == NULL)
		return;
	tell = o->def != NULL && strstr(o->help, "default") == NULL;
	snprintf(help, sizeof(help), "%s%s%s%s", o->help, tell ? " (default " : "",
		 tell ? o->def : "", tell ? ")" : "");
	fputs(text, f);
	if (width + 2 > col)
		fprintf(f, "\n%*s", col, "");
	else
		fprintf(f, "%*s", col - width, "");
	zb_opt_print_wrapped(f, help, col, col);
}

static void print_lines(const char *lines, int indent, FILE *f)
{
	while (*lines != '\0') {
		int len = (int)strcspn(lines, "\n");

		fprintf(f, "%*s%.*s\n", len > 0 ? indent : 0, "", len, lines);
		lines += len;
		lines += *lines == '\n';
	}
}

void zb_opt_help_print(const struct zb_command *c, FILE *f)
{
	static const struct zb_opt help = {.name = "help",
					   .short_name = 'h',
					   .help = "show this help and exit"};
	bool heading = c->opt_nr > 0 && c->opts[0].name == NULL;
	bool shorts = any_short(c);
	int col = text_column(c, shorts);
	struct zb_opt last = help;
	char summary[256];

	if (!shorts)
		last.short_name = 0;
	fprintf(f, "Usage: %s", c->usage);
	if (c->args != NULL && strstr(c->usage, c->args) == NULL)
		fprintf(f, " %s", c->args);
	fprintf(f, "\n\n");
	/* In the list of commands a summary is a phrase, here it stands as a sentence. */
	snprintf(summary, sizeof(summary), "%s.", c->summary);
	summary[0] = (char)toupper((unsigned char)summary[0]);
	zb_opt_print_wrapped(f, summary, 0, 0);
	if (!heading)
		fprintf(f, "\nOptions:\n");
	for (unsigned i = 0; i < c->opt_nr; i++) {
		if (c->opts[i].name == NULL)
			fprintf(f, "%s%s:\n", i == 0 ? "\n" : "", c->opts[i].help);
		else
			print_option(&c->opts[i], shorts, col, f);
	}
	print_option(&last, shorts, col, f);
	if (c->examples != NULL) {
		fprintf(f, "\nExamples:\n");
		print_lines(c->examples, c->examples[0] == ' ' ? 0 : INDENT, f);
	}
}

void zb_opt_help(const struct zb_command *c)
{
	zb_opt_help_print(c, stdout);
}
