/*
 * mac: names for things that only this server can make (floor 0).
 *
 * Shape    text: hexadecimal of HMAC-SHA256(secret, each part as its length in 8 bytes, lowest
 *          first, and its bytes), so that parts cannot run into each other
 * Units    64 characters and a NUL
 * Own      written where the caller says
 * Errors   none
 * Threads  any
 * Source   RFC 2104
 *
 * The first part says what the name is for: another use of the secret makes other names.
 */
#ifndef MM_BASE_MAC_H
#define MM_BASE_MAC_H

#include <stddef.h>

#include "base/secret.h"

enum { MM_MAC_TEXT = 65 };

struct mm_mac_part {
	const void *bytes; /* may be NULL when length is 0 */
	size_t length;
};

/* Writes the name of the parts and a NUL. */
void mm_mac_make(const struct mm_secret *secret, const struct mm_mac_part *parts, size_t count,
		 char out[MM_MAC_TEXT]);

#endif
