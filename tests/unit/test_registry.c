/* SPDX-License-Identifier: Apache-2.0 */
/* test_registry.c - analyzers by port, and by what their matches say to a first byte */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "pipeline/registry.h"

static struct zb_registry *made;

static int set_up(void **state)
{
	(void)state;
	made = zb_registry_create();
	return made == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	free(made);
	return 0;
}

static bool has_port(const uint16_t *p, unsigned port)
{
	for (; p != NULL && *p != 0; p++)
		if (*p == port)
			return true;
	return false;
}

/* Every port finds exactly the analyzers that name it, on its own transport. */
static void registry_every_port_finds_those_that_name_it(void **state)
{
	(void)state;
	for (unsigned port = 0; port < 65536; port++) {
		uint64_t tcp = zb_registry_by_port(made, true, (uint16_t)port);
		uint64_t udp = zb_registry_by_port(made, false, (uint16_t)port);

		for (unsigned id = 0; id < ZB_A_NR; id++) {
			assert_int_equal(tcp >> id & 1, has_port(made->def[id]->tcp_ports, port));
			assert_int_equal(udp >> id & 1, has_port(made->def[id]->udp_ports, port));
		}
	}
	assert_true(zb_registry_by_port(made, true, 445) >> ZB_A_smb & 1);
	assert_int_equal(zb_registry_by_port(made, false, 445), 0);
}

/* A byte is worth asking about exactly when the match does not refuse it. */
static void registry_first_bytes_are_those_not_refused(void **state)
{
	(void)state;
	for (unsigned id = 0; id < ZB_A_NR; id++) {
		const struct zb_analyzer_def *def = made->def[id];

		for (unsigned i = 0; i < 4 * 256; i++) {
			unsigned via = i >> 9, side = i >> 8 & 1;
			uint8_t byte = (uint8_t)i;
			unsigned over = via == ZB_VIA_TCP ? ZB_OVER_TCP : ZB_OVER_UDP;
			bool asks = def->match_over & over && def->match[side] != NULL;

			assert_int_equal(made->match_any[via][side] >> id & 1, asks);
			assert_int_equal(made->first_byte[via][side][byte] >> id & 1,
					 asks && def->match[side](&byte, 1) != ZB_MATCH_NO);
		}
	}
}

/* Every analyzer has a name, its own state, and a kind of memory. */
static void registry_every_definition_is_whole(void **state)
{
	(void)state;
	for (unsigned id = 0; id < ZB_A_NR; id++) {
		const struct zb_analyzer_def *def = made->def[id];

		assert_non_null(def->name);
		assert_true(def->name[0] != '\0');
		assert_true(def->state_bytes >= sizeof(struct zb_analyzer));
		assert_true(def->mem < ZB_MEM_NR);
		assert_int_equal(made->match_both >> id & 1, def->match_both);
		if (def->match_both) {
			assert_non_null(def->match[ZB_ORIG]);
			assert_non_null(def->match[ZB_RESP]);
		}
		/* Two that wait for each other would never be asked; alone nothing is waited for.
		 */
		assert_false(def->match_late[ZB_ORIG] && def->match_late[ZB_RESP]);
		for (unsigned side = 0; side < 2; side++) {
			assert_int_equal(made->match_late[side] >> id & 1, def->match_late[side]);
			assert_true(def->match_both || !def->match_late[side]);
		}
		if (def->match[ZB_ORIG] != NULL || def->match[ZB_RESP] != NULL)
			assert_true(def->match_over != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_every_port_finds_those_that_name_it),
		cmocka_unit_test(registry_first_bytes_are_those_not_refused),
		cmocka_unit_test(registry_every_definition_is_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
