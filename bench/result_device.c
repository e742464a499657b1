/* SPDX-License-Identifier: Apache-2.0 */
/* result_device.c - the devices of a live run in result.json */
#include <jansson.h>

#include "bench/result.h"

int64_t zb_device_residual(const struct zb_source_device *d)
{
	return (int64_t)(d->device_pkts - d->dropped_pkts - d->got_pkts);
}

static json_t *count(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

static json_t *counters(const struct zb_source_device *d)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < d->counter_nr; i++)
		if (json_object_set_new(o, d->counters[i].name, count(d->counters[i].value)) != 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *device(const struct zb_source_device *d)
{
	return json_pack("{ss ss ss so so so sb sb sb ss so so so sI so so so so}", "name", d->name,
			 "driver", d->driver, "mode", d->mode, "queues", count(d->queue_nr), "mtu",
			 count(d->mtu), "link_mbps", count(d->link_mbps), "link_up", d->link_up,
			 "went_down", d->went_down, "hw_timestamps", d->hw_timestamps, "timestamps",
			 d->hw_timestamps ? "hardware" : "host", "pkts_device",
			 count(d->device_pkts), "pkts_dropped", count(d->dropped_pkts), "pkts_read",
			 count(d->got_pkts), "residual_pkts", (json_int_t)zb_device_residual(d),
			 "errors", count(d->errors), "freezes", count(d->freezes), "segmented",
			 count(d->segmented), "xstats", counters(d));
}

json_t *zb_result_devices(const struct zb_source_device *devices, uint32_t nr)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < nr; i++) {
		if (json_array_append_new(a, device(&devices[i])) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}
