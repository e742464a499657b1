/* SPDX-License-Identifier: Apache-2.0 */
/* test_local_net.c - both edges of every prefix that counts as local */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "pipeline/local_net.h"

static bool local(const char *text)
{
	uint8_t a[16] = {0};

	if (inet_pton(AF_INET, text, a) == 1)
		return zb_local_net(a, 4);
	assert_int_equal(inet_pton(AF_INET6, text, a), 1);
	return zb_local_net(a, 6);
}

/* First and last address of each IPv4 range must be local, their neighbours outside not. */
static void local_net_ipv4_ranges_end_where_they_should(void **state)
{
	static const char *const inside[] = {
		"0.0.0.0",	"0.255.255.255",   "10.0.0.0",	      "10.255.255.255",
		"100.64.0.0",	"100.127.255.255", "127.0.0.1",	      "127.255.255.255",
		"169.254.0.0",	"169.254.255.255", "172.16.0.0",      "172.31.255.255",
		"192.0.0.0",	"192.0.0.255",	   "192.0.2.0",	      "192.0.2.255",
		"192.168.0.0",	"192.168.255.255", "198.18.0.0",      "198.19.255.255",
		"198.51.100.0", "198.51.100.255",  "203.0.113.0",     "203.0.113.255",
		"240.0.0.0",	"255.255.255.254", "255.255.255.255",
	};
	static const char *const outside[] = {
		"1.0.0.0",	  "9.255.255.255",   "11.0.0.0",	"100.63.255.255",
		"100.128.0.0",	  "126.255.255.255", "128.0.0.0",	"169.253.255.255",
		"169.255.0.0",	  "172.15.255.255",  "172.32.0.0",	"191.255.255.255",
		"192.0.1.0",	  "192.0.3.0",	     "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0",	     "198.51.99.255",	"198.51.101.0",
		"203.0.112.255",  "203.0.114.0",     "8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (!local(inside[i]))
			fail_msg("%s is not local", inside[i]);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (local(outside[i]))
			fail_msg("%s is local", outside[i]);
}

/* The same for IPv6, and for IPv4 ranges within 6to4. */
static void local_net_ipv6_ranges_end_where_they_should(void **state)
{
	static const char *const inside[] = {
		"::",
		"::1",
		"64:ff9b:1::",
		"64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
		"100::",
		"100::ffff:ffff:ffff:ffff",
		"2001::",
		"2001:1ff:ffff::1",
		"2001:2::",
		"2001:db8::",
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"fc00::",
		"fdff:ffff::1",
		"fe80::",
		"febf:ffff::1",
		"2002:a00:1::",
		"2002:c0a8:1::5",
	};
	static const char *const outside[] = {
		"::2",		"64:ff9b::1",	   "64:ff9b:2::", "100:0:0:1::",
		"2001:200::",	"2001:db7:ffff::", "2001:db9::",  "fbff:ffff::",
		"fe00::",	"fe7f:ffff::",	   "fec0::",	  "2002:808:808::",
		"2a00:1450::1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (!local(inside[i]))
			fail_msg("%s is not local", inside[i]);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (local(outside[i]))
			fail_msg("%s is local", outside[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_net_ipv4_ranges_end_where_they_should),
		cmocka_unit_test(local_net_ipv6_ranges_end_where_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
