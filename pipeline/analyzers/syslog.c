/* SPDX-License-Identifier: Apache-2.0 */
/* syslog.c - syslog over UDP: recognised by the priority that each message begins with (RFC 3164,
 * 4.1.1) */
#include "pipeline/analyzer.h"
#include "pipeline/text_char.h"

#define PRIORITY_MAX 191 /* 23 * 8 + 7 */

static void syslog_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	unsigned priority = 0;
	size_t i = 1;

	(void)side;
	for (; i < n && i <= 3 && zb_text_is_digit(d[i]); i++)
		priority = priority * 10 + (d[i] - '0');
	if (d[0] != '<' || i == 1 || i >= n || d[i] != '>' || priority > PRIORITY_MAX ||
	    i + 1 == n) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
}

static const uint16_t syslog_ports[] = {514, 0};

const struct zb_analyzer_def zb_analyzer_syslog = {
	.name = "syslog",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = syslog_ports,
	.data = syslog_data,
};
