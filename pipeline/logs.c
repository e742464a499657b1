/* SPDX-License-Identifier: Apache-2.0 */
/* logs.c - the streams that workers write */
#include "pipeline/logs.h"

const struct zb_row_def *const zb_engine_log_defs[ZB_LOG_ENGINE_NR] = {
	[ZB_LOG_CONN] = &zb_conn_log_def,
	[ZB_LOG_DNS] = &zb_dns_log_def,
	[ZB_LOG_HTTP] = &zb_http_log_def,
	[ZB_LOG_SSL] = &zb_ssl_log_def,
	[ZB_LOG_SMTP] = &zb_smtp_log_def,
	[ZB_LOG_FILES] = &zb_files_log_def,
	[ZB_LOG_FTP] = &zb_ftp_log_def,
	[ZB_LOG_SSH] = &zb_ssh_log_def,
	[ZB_LOG_NTP] = &zb_ntp_log_def,
	[ZB_LOG_DHCP] = &zb_dhcp_log_def,
	[ZB_LOG_TUNNEL] = &zb_tunnel_log_def,
	[ZB_LOG_KNOWN_HOSTS] = &zb_known_hosts_log_def,
	[ZB_LOG_KNOWN_SERVICES] = &zb_known_services_log_def,
	[ZB_LOG_WEIRD] = &zb_weird_log_def,
};
