/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_one.h - a row of a single value, for the tests of rows
 */
#ifndef ZB_TESTS_UNIT_ROW_ONE_H
#define ZB_TESTS_UNIT_ROW_ONE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "profiler/row.h"
#include "profiler/row_priv.h"

struct one {
	struct zb_row_field field;
	struct zb_row_def def;
	struct zb_row_shape *shape;
	struct zb_row row;
	char buf[ZB_ROW_FIXED_MAX + 8 * 4096];
};

static struct one one;

static inline void one_begin(enum zb_row_type type, enum zb_row_format fmt)
{
	one.field = (struct zb_row_field){"v", type};
	one.def = (struct zb_row_def){"test", &one.field, 1};
	assert_int_equal(zb_row_shape_create(&one.def, fmt, &one.shape), 0);
	zb_row_begin(&one.row, one.shape, one.buf);
	one.row.limit = one.buf + sizeof(one.buf);
}

/* The value's text without what stands around it. */
static inline const char *one_end(void)
{
	size_t len = zb_row_end(&one.row);
	char *text = one.buf;

	assert_int_equal(text[len - 1], '\n');
	text[len - 1] = '\0';
	if (one.shape->format == ZB_ROW_JSON) {
		assert_int_equal(text[len - 2], '}');
		text[len - 2] = '\0';
		assert_memory_equal(text, "{\"v\":", 5);
		text += 5;
	}
	zb_row_shape_destroy(one.shape);
	return text;
}

#endif
