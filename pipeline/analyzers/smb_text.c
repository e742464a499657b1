/* SPDX-License-Identifier: Apache-2.0 */
/* smb_text.c - names of files, paths and pipes; see smb_priv.h */
#include <string.h>
#include <xxhash.h>

#include "pipeline/analyzers/smb_priv.h"

/* One character, of up to four bytes; returns how many. */
static size_t put_utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* A surrogate without its other half stands for itself, as in Zeek. */
size_t smb_utf8(const uint8_t *d, size_t n, char *out, size_t room)
{
	size_t at = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t c = smb16(d + i);
		char text[4];
		size_t len;

		if (c == 0)
			break;
		if (c >> 10 == 0x36 && i + 3 < n && smb16(d + i + 2) >> 10 == 0x37) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (smb16(d + i + 2) & 0x3ff));
			i += 2;
		}
		len = put_utf8(c, text);
		if (len > room - at)
			break;
		memcpy(out + at, text, len);
		at += len;
	}
	return at;
}

struct smb_path smb_path_make(const uint8_t *d, size_t n, bool wide)
{
	char text[SMB_NAME_MAX];

	if (wide) {
		n = smb_utf8(d, n, text, sizeof(text));
		d = (const uint8_t *)text;
	}
	return (struct smb_path){.hash = XXH3_64bits(d, n), .known = true};
}

/* Zeek: SMB::pipe_filenames */
bool smb_is_pipe_name(const char *name, size_t n)
{
	static const char *const pipe[] = {"spoolss", "winreg", "samr",	  "srvsvc",
					   "netdfs",  "lsarpc", "wkssvc", "MsFteWds"};

	for (size_t i = 0; i < sizeof(pipe) / sizeof(pipe[0]); i++)
		if (n == strlen(pipe[i]) && memcmp(name, pipe[i], n) == 0)
			return true;
	return false;
}
