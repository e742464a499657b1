/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - the analyzers there are: one line each
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_ANALYZERS_LIST_H
#define ZB_PIPELINE_ANALYZERS_LIST_H

/* X(name): analyzers/name.c defines zb_analyzer_name. In the order in which they are tried. */
#define ZB_ANALYZER_LIST(X) \
	X(dns)              \
	X(http)             \
	X(tls)              \
	X(dtls)             \
	X(ssh)              \
	X(ftp)              \
	X(ftp_data)         \
	X(imap)             \
	X(sip)              \
	X(xmpp)             \
	X(mysql)            \
	X(rdp)              \
	X(syslog)           \
	X(dhcp)             \
	X(ntp)              \
	X(snmp)             \
	X(smb)              \
	X(dce_rpc)          \
	X(krb)              \
	X(krb_tcp)          \
	X(radius)           \
	X(mqtt)             \
	X(netbios)          \
	X(modbus)           \
	X(dnp3_tcp)         \
	X(dnp3_udp)         \
	X(quic)             \
	X(rfb)              \
	X(smtp)             \
	X(pop3)             \
	X(socks)            \
	X(irc)              \
	X(irc_data)         \
	X(finger)           \
	X(rdpeudp)          \
	X(websocket)

#endif
