/*
 * token: proof that a conversation is its holder's (floor 0).
 *
 * Shape    text: base64url without padding of
 *          HMAC-SHA256(secret, "conversation:" followed by the 16 bytes of the conversation's id)
 * Units    43 characters and a NUL
 * Own      written where the caller says
 * Errors   none
 * Threads  any
 * Source   RFC 2104, RFC 4648 section 5
 *
 * Nothing is stored, so a token cannot be revoked alone: changing the server's secret ends all.
 */
#ifndef MM_BASE_TOKEN_H
#define MM_BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include "base/secret.h"

enum { MM_TOKEN_TEXT = 44 };

/* Writes the token of `conversation` and a NUL. */
void mm_token_make(const struct mm_secret *secret, const struct mm_id *conversation,
		   char out[MM_TOKEN_TEXT]);

/*
 * Whether the `length` bytes at `token` are exactly the token of `conversation`. The time it takes
 * tells nothing about where a wrong token differs. `token` may be NULL when `length` is 0.
 */
bool mm_token_is_valid(const struct mm_secret *secret, const struct mm_id *conversation,
		       const char *token, size_t length);

#endif
