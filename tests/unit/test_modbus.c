/* SPDX-License-Identifier: Apache-2.0 */
/* test_modbus.c - Modbus is recognised by a message whose length fits its function */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static bool is_modbus(unsigned side, const uint8_t *d, size_t n, bool drip)
{
	struct analyzer_bed b;
	bool found;

	ab_open(&b, IPPROTO_TCP, 502);
	if (drip)
		ab_drip(&b, side, d, n);
	else
		ab_say(&b, side, d, n);
	found = ab_has_service(&b, "modbus");
	ab_end(&b);
	ab_close(&b);
	return found;
}

/* A request to read registers and its answer, whole or in pieces. */
static void modbus_read_registers_is_confirmed(void **state)
{
	static const uint8_t ask[] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2};
	static const uint8_t answer[] = {0, 1, 0, 0, 0, 7, 1, 3, 4, 1, 2, 3, 4};

	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		assert_true(is_modbus(ZB_ORIG, ask, sizeof(ask), drip));
		assert_true(is_modbus(ZB_RESP, answer, sizeof(answer), drip));
	}
	assert_false(is_modbus(ZB_ORIG, ask, sizeof(ask) - 1, false));
}

/* Another protocol identifier, too many registers, an odd count of bytes, no code: refused. */
static void modbus_message_that_does_not_fit_is_refused(void **state)
{
	static const uint8_t id[] = {0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 2};
	static const uint8_t many[] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 126};
	static const uint8_t odd[] = {0, 1, 0, 0, 0, 6, 1, 3, 3, 1, 2, 3};
	static const uint8_t empty[] = {0, 1, 0, 0, 0, 2, 1, 0x83};
	static const uint8_t coil[] = {0, 1, 0, 0, 0, 6, 1, 5, 0, 0, 0, 1};

	(void)state;
	assert_false(is_modbus(ZB_ORIG, id, sizeof(id), false));
	assert_false(is_modbus(ZB_ORIG, many, sizeof(many), false));
	assert_false(is_modbus(ZB_RESP, odd, sizeof(odd), false));
	assert_false(is_modbus(ZB_RESP, empty, sizeof(empty), false));
	assert_false(is_modbus(ZB_ORIG, coil, sizeof(coil), false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modbus_read_registers_is_confirmed),
		cmocka_unit_test(modbus_message_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
