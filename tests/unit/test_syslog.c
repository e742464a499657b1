/* SPDX-License-Identifier: Apache-2.0 */
/* test_syslog.c - syslog is recognised by the priority in front */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static bool is_syslog(const char *text)
{
	struct analyzer_bed b;
	bool found;

	ab_open(&b, IPPROTO_UDP, 514);
	ab_text(&b, ZB_ORIG, text);
	found = ab_has_service(&b, "syslog");
	ab_end(&b);
	ab_close(&b);
	return found;
}

/* One message is enough. */
static void syslog_message_is_confirmed(void **state)
{
	(void)state;
	assert_true(is_syslog("<34>Oct 11 22:14:15 mymachine su: failed"));
	assert_true(is_syslog("<0>x"));
	assert_true(is_syslog("<191>x"));
}

/* A priority has one to three digits, is 191 at most, and is followed by something. */
static void syslog_bad_priority_is_refused(void **state)
{
	static const char *const bad[] = {"hello",  "<",       "<3",	"<34", "<>x",
					  "<192>x", "<1234>x", "<3a>x", "<34>"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(is_syslog(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syslog_message_is_confirmed),
		cmocka_unit_test(syslog_bad_priority_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
