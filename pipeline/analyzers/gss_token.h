/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss_token.h - what a security token of SMB or DCE/RPC says about how it authenticates
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_GSS_TOKEN_H
#define ZB_PIPELINE_ANALYZERS_GSS_TOKEN_H

#include "pipeline/analyzer.h"

/*
 * Adds the services gssapi, ntlm and krb to a's connection as the token at d shows them: SPNEGO
 * (RFC 4178), NTLMSSP inside it or bare, a Kerberos token inside it (RFC 4121). The token may be
 * cut: its first bytes tell.
 */
void zb_gss_token(struct zb_analyzer *a, const uint8_t *d, size_t n);

#endif
