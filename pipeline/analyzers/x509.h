/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h - reads of an X.509 certificate what the TLS log needs: its extent and its host names
 *
 * A reader of DER (ITU-T X.690) that only walks: one pass, no copy, no recursion, nothing beyond
 * what it was given. It checks no signature and no dates. RFC 5280 4.1, 4.2.1.6.
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_X509_H
#define ZB_PIPELINE_ANALYZERS_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the certificate at the start of d, without what trails it; 0: it is none. */
size_t zb_x509_size(const uint8_t *d, size_t n);

/*
 * Whether a certificate is made out to a host: a common name of its subject or a DNS name of its
 * subjectAltName is the same, letter case included, or has "*" as its first label and is the same
 * from there on (as Zeek's x509_check_cert_hostname() reads RFC 6125).
 */
bool zb_x509_is_for_host(const uint8_t *d, size_t n, const char *host, size_t host_n);

#endif
