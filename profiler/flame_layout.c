/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_layout.c - merges folded stacks into the tree of a flame graph
 *
 * The lines are sorted with ';' below every other byte. Then stacks that share their first frames
 * stand together, callers before callees and siblings by name, so one walk over the lines that
 * keeps the path of open frames yields the nodes in the order of drawing, without any look-up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "profiler/diag.h"
#include "profiler/flame_priv.h"

struct zb_flame_line {
	char *text;
	size_t len; /* of the stack, without the weight */
	uint64_t weight;
	bool before;
};

/* The nodes on the way from the root to the frame last added. */
struct path {
	size_t *node;
	size_t nr, room;
};

bool zb_flame_is_stage(const char *name, size_t len)
{
	static const char prefix[] = "zb_stage_";

	return len > sizeof(prefix) - 1 && memcmp(name, prefix, sizeof(prefix) - 1) == 0;
}

/* Makes room for one more element of size bytes. */
static int grow(void *array, size_t nr, size_t *room, size_t size)
{
	void **a = array;
	size_t more;
	void *p;

	if (nr < *room)
		return 0;
	if (__builtin_mul_overflow(*room != 0 ? *room : 32, 2, &more))
		return -ENOMEM;
	p = reallocarray(*a, more, size);
	if (p == NULL)
		return -ENOMEM;
	*a = p;
	*room = more;
	return 0;
}

bool zb_flame_split(const char *s, size_t len, size_t *stack_len, uint64_t *weight)
{
	size_t at = len;
	uint64_t w = 0;

	while (at > 0 && s[at - 1] >= '0' && s[at - 1] <= '9')
		at--;
	if (at == len || at < 2 || s[at - 1] != ' ')
		return false;
	for (size_t i = at; i < len; i++) {
		if (__builtin_mul_overflow(w, 10, &w) ||
		    __builtin_add_overflow(w, (uint64_t)(s[i] - '0'), &w))
			return false;
	}
	while (at > 0 && s[at - 1] == ' ')
		at--;
	*stack_len = at;
	*weight = w;
	return at > 0;
}

static bool is_blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	}
	return true;
}

/* Keeps one line; *text goes over to the tree, and is NULL then. */
static int take_line(struct zb_flame_tree *t, char **text, size_t len, bool before, uint64_t *sum)
{
	struct zb_flame_line l = {.text = *text, .before = before};
	int ret;

	if (!zb_flame_split(*text, len, &l.len, &l.weight))
		return -EINVAL;
	if (l.weight == 0)
		return 0;
	if (__builtin_add_overflow(*sum, l.weight, sum))
		return -EINVAL;
	ret = grow(&t->line, t->line_nr, &t->line_room, sizeof(*t->line));
	if (ret < 0)
		return ret;
	t->line[t->line_nr++] = l;
	*text = NULL;
	return 0;
}

static int read_lines(struct zb_flame_tree *t, FILE *in, bool before)
{
	uint64_t line_no = 0, sum = 0;
	char *text = NULL;
	size_t room = 0;
	ssize_t got;
	int ret = 0;

	while (ret == 0 && (got = getline(&text, &room, in)) >= 0) {
		size_t len = (size_t)got;

		line_no++;
		while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			len--;
		if (is_blank(text, len))
			continue;
		ret = take_line(t, &text, len, before, &sum);
		if (text == NULL)
			room = 0;
	}
	/* getline gives -1 at the end as well as on errors. */
	if (ret == 0 && !feof(in))
		ret = errno != 0 ? -errno : -EIO;
	if (ret == -EINVAL)
		zb_err("flame graph: line %ju: not a folded stack; write CALLER;CALLEE WEIGHT",
		       (uintmax_t)line_no);
	free(text);
	return ret;
}

static int byte_rank(char c)
{
	return c == ';' ? 0 : (unsigned char)c + 1;
}

static int compare_lines(const void *a, const void *b)
{
	const struct zb_flame_line *la = a, *lb = b;
	size_t len = la->len < lb->len ? la->len : lb->len;

	for (size_t i = 0; i < len; i++) {
		if (la->text[i] != lb->text[i])
			return byte_rank(la->text[i]) - byte_rank(lb->text[i]);
	}
	return (la->len > lb->len) - (la->len < lb->len);
}

static int push_node(struct zb_flame_tree *t, struct path *p, const char *name, size_t len)
{
	uint64_t start = t->node[0].total;
	int ret = grow(&t->node, t->nr, &t->room, sizeof(*t->node));

	if (ret == 0)
		ret = grow(&p->node, p->nr, &p->room, sizeof(*p->node));
	if (ret < 0)
		return ret;
	t->node[t->nr] = (struct zb_flame_node){
		.name = len > 0 ? name : "[unnamed]",
		.name_len = len > 0 ? len : strlen("[unnamed]"),
		.depth = p->nr + 1,
		.stage = p->nr > 0 ? t->node[p->node[p->nr - 1]].stage : ZB_FLAME_NO_STAGE,
		.start = start,
	};
	if (zb_flame_is_stage(name, len))
		t->node[t->nr].stage = t->nr;
	p->node[p->nr++] = t->nr++;
	return 0;
}

static bool same_name(const struct zb_flame_node *n, const char *name, size_t len)
{
	if (len == 0)
		return n->name_len == strlen("[unnamed]") &&
		       memcmp(n->name, "[unnamed]", n->name_len) == 0;
	return n->name_len == len && memcmp(n->name, name, len) == 0;
}

/* Goes down the path while the stack is the same, opens nodes for the rest, adds the weight. */
static int merge_line(struct zb_flame_tree *t, struct path *p, const struct zb_flame_line *l)
{
	const char *s = l->text, *end = l->text + l->len;
	bool follow = true;
	size_t depth = 0;

	for (;;) {
		const char *semi = memchr(s, ';', (size_t)(end - s));
		size_t len = (size_t)((semi != NULL ? semi : end) - s);

		if (follow && (depth >= p->nr || !same_name(&t->node[p->node[depth]], s, len))) {
			follow = false;
			p->nr = depth;
		}
		if (!follow) {
			int ret = push_node(t, p, s, len);

			if (ret < 0)
				return ret;
		}
		depth++;
		if (semi == NULL)
			break;
		s = semi + 1;
	}
	p->nr = depth;
	if (l->before) {
		for (size_t i = 0; i < depth; i++)
			t->node[p->node[i]].was += l->weight;
		t->node[0].was += l->weight;
		return 0;
	}
	for (size_t i = 0; i < depth; i++)
		t->node[p->node[i]].total += l->weight;
	t->node[p->node[depth - 1]].self += l->weight;
	t->node[0].total += l->weight;
	return 0;
}

static int merge_lines(struct zb_flame_tree *t)
{
	struct path p = {0};
	int ret = grow(&t->node, t->nr, &t->room, sizeof(*t->node));

	if (ret < 0)
		return ret;
	t->node[t->nr++] = (struct zb_flame_node){.name = "all",
						  .name_len = strlen("all"),
						  .stage = ZB_FLAME_NO_STAGE};
	if (t->line_nr > 0)
		qsort(t->line, t->line_nr, sizeof(*t->line), compare_lines);
	for (size_t i = 0; ret == 0 && i < t->line_nr; i++)
		ret = merge_line(t, &p, &t->line[i]);
	free(p.node);
	return ret;
}

int zb_flame_tree_read(struct zb_flame_tree *t, FILE *in, FILE *before)
{
	int ret;

	*t = (struct zb_flame_tree){0};
	ret = read_lines(t, in, false);
	if (ret == 0 && before != NULL)
		ret = read_lines(t, before, true);
	if (ret == 0)
		ret = merge_lines(t);
	if (ret < 0)
		zb_flame_tree_fini(t);
	return ret;
}

void zb_flame_tree_fini(struct zb_flame_tree *t)
{
	for (size_t i = 0; i < t->line_nr; i++)
		free(t->line[i].text);
	free(t->line);
	free(t->node);
	*t = (struct zb_flame_tree){0};
}
