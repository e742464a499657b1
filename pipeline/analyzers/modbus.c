/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus.c - Modbus/TCP: recognised by a message whose length fits its function (Modbus Application
 * Protocol 1.1b3, 6; Messaging on TCP/IP 1.0b, 3.1.3)
 */
#include "pipeline/analyzers/records.h"

#define HEADER_BYTES  8	    /* transaction, protocol, length, unit, function */
#define MESSAGE_MAX   65541 /* what the length field can say */
#define QUANTITY_BITS 2000
#define QUANTITY_REGS 125

struct modbus {
	struct zb_analyzer base;
	struct zb_records half[2];
	bool had_gap;
};

static unsigned be16(const uint8_t *d)
{
	return (unsigned)d[0] << 8 | d[1];
}

static int64_t modbus_length(const uint8_t *d, size_t n)
{
	if (n >= 4 && be16(d + 2) != 0)
		return -1; /* another protocol's identifier */
	if (n < 6)
		return 0;
	return be16(d + 4) >= 2 ? 6 + (int64_t)be16(d + 4) : -1;
}

static bool request_holds(unsigned function, const uint8_t *d, size_t n)
{
	switch (function) {
	case 1:
	case 2: return n >= 4 && be16(d + 2) <= QUANTITY_BITS;
	case 3:
	case 4: return n >= 4 && be16(d + 2) <= QUANTITY_REGS;
	case 5: return n >= 4 && (be16(d + 2) == 0 || be16(d + 2) == 0xff00);
	case 6: return n >= 4;
	case 15: return n >= 5 && d[4] == (be16(d + 2) + 7) / 8 && n - 5 >= d[4];
	case 16: return n >= 5 && d[4] == 2 * be16(d + 2) && n - 5 >= d[4];
	case 20:
	case 21: return n >= 1 && n - 1 >= d[0];
	case 22: return n >= 6;
	case 23: return n >= 9 && n - 9 >= d[8];
	case 24: return n >= 2;
	default: return true;
	}
}

static bool response_holds(unsigned function, const uint8_t *d, size_t n)
{
	switch (function) {
	case 3:
	case 4:
	case 23: return n >= 1 && d[0] % 2 == 0 && n - 1 >= d[0];
	case 1:
	case 2:
	case 20:
	case 21: return n >= 1 && n - 1 >= d[0];
	case 5: return n >= 4 && (be16(d + 2) == 0 || be16(d + 2) == 0xff00);
	case 6:
	case 15:
	case 16: return n >= 4;
	case 22: return n >= 6;
	case 24: return n >= 4;
	default: return !(function & 0x80) || n >= 1; /* an exception has a code */
	}
}

static bool modbus_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	unsigned function = d[HEADER_BYTES - 1];
	bool holds = side == ZB_ORIG ? request_holds(function, d + HEADER_BYTES, n - HEADER_BYTES)
				     : response_holds(function, d + HEADER_BYTES, n - HEADER_BYTES);

	zb_analysis_event(zb_analyzer_analysis(a));
	if (holds)
		zb_analyzer_confirm(a);
	return holds;
}

static const struct zb_record_kind modbus_records = {modbus_length, modbus_record, MESSAGE_MAX};

static void modbus_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct modbus *s = (struct modbus *)a;

	if (s->had_gap)
		return;
	if (!zb_records_data(&s->half[side], &modbus_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		s->had_gap = true; /* where the next message begins is not known any more */
}

static void modbus_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	((struct modbus *)a)->had_gap = true;
}

static void modbus_end(struct zb_analyzer *a)
{
	struct modbus *s = (struct modbus *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

static const uint16_t modbus_ports[] = {502, 0};

const struct zb_analyzer_def zb_analyzer_modbus = {
	.name = "modbus",
	.state_bytes = sizeof(struct modbus),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = modbus_ports,
	.data = modbus_data,
	.gap = modbus_gap,
	.end = modbus_end,
};
