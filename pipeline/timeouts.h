/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeouts.h - when a connection ends if nothing more comes: Zeek's defaults (init-bare.zeek)
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_TIMEOUTS_H
#define ZB_PIPELINE_TIMEOUTS_H

#define ZB_SEC_NS 1000000000ull

#define ZB_TCP_INACTIVITY_NS   (300 * ZB_SEC_NS)  /* once a side is past the handshake */
#define ZB_LONG_INACTIVITY_NS  (3600 * ZB_SEC_NS) /* SSH, FTP control, telnet, rlogin */
#define ZB_SHORT_INACTIVITY_NS (60 * ZB_SEC_NS)	  /* UDP, ICMP, other, TCP before that */
#define ZB_DNS_CHECK_NS	       (10 * ZB_SEC_NS)	  /* dns_session_timeout: looked at so often, ... */
#define ZB_DNS_IDLE_NS	       (9 * ZB_SEC_NS)	  /* ... DNS over UDP ends if idle for this */
#define ZB_TCP_ATTEMPT_NS      (5 * ZB_SEC_NS)
#define ZB_TCP_CLOSE_DELAY_NS  (5 * ZB_SEC_NS)
#define ZB_TCP_LINGER_NS       (5 * ZB_SEC_NS)
#define ZB_TCP_SESSION_NS      (6 * ZB_SEC_NS)

#endif
