/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.h - the log streams of a run, in the order of their port numbers
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_LOGS_H
#define ZB_PIPELINE_LOGS_H

#include "profiler/log_set.h"

enum zb_log_stream {
	ZB_LOG_CONN,
	ZB_LOG_DNS,
	ZB_LOG_HTTP,
	ZB_LOG_SSL,
	ZB_LOG_SMTP,
	ZB_LOG_FILES,
	ZB_LOG_FTP,
	ZB_LOG_SSH,
	ZB_LOG_NTP,
	ZB_LOG_DHCP,
	ZB_LOG_TUNNEL,
	ZB_LOG_KNOWN_HOSTS,
	ZB_LOG_KNOWN_SERVICES,
	ZB_LOG_WEIRD,
	ZB_LOG_ENGINE_NR, /* streams that workers write; the rest is the reporter's */
	ZB_LOG_STATS = ZB_LOG_ENGINE_NR,
	ZB_LOG_LCORE,
	ZB_LOG_TELEMETRY,
	ZB_LOG_NR,
	ZB_LOG_PROF = ZB_LOG_NR, /* no rows, no port: lines of profiler/prof_log.h */
	ZB_LOG_NAME_NR
};

extern const struct zb_row_def zb_conn_log_def, zb_dns_log_def, zb_http_log_def, zb_ssl_log_def,
	zb_files_log_def, zb_smtp_log_def, zb_ftp_log_def, zb_ssh_log_def, zb_ntp_log_def,
	zb_dhcp_log_def, zb_tunnel_log_def, zb_known_hosts_log_def, zb_known_services_log_def,
	zb_weird_log_def;

/* Those of the streams that workers write. */
extern const struct zb_row_def *const zb_engine_log_defs[ZB_LOG_ENGINE_NR];

#endif
