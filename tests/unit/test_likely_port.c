/* SPDX-License-Identifier: Apache-2.0 */
/* test_likely_port.c - the bit map against the ports one by one */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pipeline/likely_port.h"

static const uint16_t tcp[] = {
	21,   22,   25,	  53,	79,   80,   81,	  88,	135,  139,  143,  443,	445,   502,  563,
	585,  587,  614,  631,	636,  989,  990,  992,	993,  995,  1080, 1434, 1883,  2811, 3128,
	3306, 3389, 5222, 5223, 5269, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000,
};
static const uint16_t udp[] = {
	53,   67,   88,	  123,	137,  161,  162,  443,	514,  1812,  2123,
	2152, 3389, 3544, 4789, 5060, 5072, 5353, 5355, 6081, 20000,
};

static bool listed(const uint16_t *ports, size_t n, uint32_t port)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* The map must hold each port that an analyzer is registered for, and no other of all 65536. */
static void likely_port_of_every_port_is_as_listed(void **state)
{
	(void)state;
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		assert_int_equal(zb_likely_port(IPPROTO_TCP, (uint16_t)port),
				 listed(tcp, sizeof(tcp) / sizeof(tcp[0]), port));
		assert_int_equal(zb_likely_port(IPPROTO_UDP, (uint16_t)port),
				 listed(udp, sizeof(udp) / sizeof(udp[0]), port));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(likely_port_of_every_port_is_as_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
