/* SPDX-License-Identifier: Apache-2.0 */
/* profile_yaml.c - documents, maps and errors */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/profile_yaml.h"
#include "profiler/diag.h"

#define SAID_MAX 256

int zb_yaml_open(struct zb_yaml *y, const char *name, const char *text, size_t len)
{
	yaml_parser_t parser;
	int ok;

	memset(y, 0, sizeof(*y));
	y->name = name;
	if (!yaml_parser_initialize(&parser)) {
		zb_err("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	ok = yaml_parser_load(&parser, &y->doc);
	if (!ok)
		zb_err("%s: line %zu: no YAML: %s", name, parser.problem_mark.line + 1,
		       parser.problem != NULL ? parser.problem : "cannot be read");
	yaml_parser_delete(&parser);
	return ok ? 0 : -EINVAL;
}

void zb_yaml_close(struct zb_yaml *y)
{
	yaml_document_delete(&y->doc);
}

yaml_node_t *zb_yaml_root(struct zb_yaml *y)
{
	return yaml_document_get_root_node(&y->doc);
}

int zb_yaml_bad(const struct zb_yaml *y, const yaml_node_t *node, const char *key, const char *fmt,
		...)
{
	char why[SAID_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	zb_err("%s: line %zu: %s: %s", y->name, node != NULL ? node->start_mark.line + 1 : 1, key,
	       why);
	return -EINVAL;
}

const char *zb_yaml_text(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SCALAR_NODE ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return NULL;
	return (const char *)node->data.scalar.value;
}

static int no_such_key(const struct zb_yaml *y, const yaml_node_t *node, const char *name,
		       const struct zb_yaml_key *keys, unsigned key_nr)
{
	char there_are[SAID_MAX];
	size_t len = 0;

	there_are[0] = '\0';
	for (unsigned i = 0; i < key_nr && len < sizeof(there_are); i++) {
		int n = snprintf(there_are + len, sizeof(there_are) - len, "%s%s",
				 i > 0 ? ", " : "", keys[i].name);

		len += n > 0 ? (size_t)n : 0;
	}
	return zb_yaml_bad(y, node, name, "no such key; there are %s", there_are);
}

int zb_yaml_map(struct zb_yaml *y, yaml_node_t *map, const char *what,
		const struct zb_yaml_key *keys, unsigned key_nr, void *into, uint64_t *given)
{
	*given = 0;
	if (map == NULL || map->type != YAML_MAPPING_NODE)
		return zb_yaml_bad(y, map, what, "give keys with values");
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *k = yaml_document_get_node(&y->doc, p->key);
		const char *name = zb_yaml_text(k);
		unsigned i = 0;
		int ret;

		if (name == NULL)
			return zb_yaml_bad(y, k, what, "a key is no word");
		while (i < key_nr && strcmp(keys[i].name, name) != 0)
			i++;
		if (i == key_nr)
			return no_such_key(y, k, name, keys, key_nr);
		if (*given & 1ull << i)
			return zb_yaml_bad(y, k, name, "is there twice");
		*given |= 1ull << i;
		ret = keys[i].set(y, &keys[i], yaml_document_get_node(&y->doc, p->value), into);
		if (ret < 0)
			return ret;
	}
	return 0;
}
