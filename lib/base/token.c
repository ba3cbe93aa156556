/*
 * token: the proof itself. Reading it from a header or a body is the HTTP floor's work.
 */
#include "config.h"

#include "base/token.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* What the proof is for, so that no other use of the secret can make a conversation's token. */
static const char PURPOSE[] = "conversation:";

static_assert(sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES,
					sodium_base64_VARIANT_URLSAFE_NO_PADDING) == MM_TOKEN_TEXT,
	      "a token fits exactly");

void mm_token_make(const struct mm_secret *secret, const struct mm_id *conversation,
		   char out[MM_TOKEN_TEXT])
{
	crypto_auth_hmacsha256_state state;
	unsigned char proof[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, mm_secret_bytes(secret), mm_secret_length(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)PURPOSE, strlen(PURPOSE));
	crypto_auth_hmacsha256_update(&state, conversation->bytes, sizeof(conversation->bytes));
	crypto_auth_hmacsha256_final(&state, proof);
	sodium_bin2base64(out, MM_TOKEN_TEXT, proof, sizeof(proof),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(proof, sizeof(proof));
}

bool mm_token_is_valid(const struct mm_secret *secret, const struct mm_id *conversation,
		       const char *token, size_t length)
{
	char right[MM_TOKEN_TEXT];

	if (length != MM_TOKEN_TEXT - 1)
		return false;
	mm_token_make(secret, conversation, right);
	bool is_valid = sodium_memcmp(right, token, length) == 0;
	sodium_memzero(right, sizeof(right));
	return is_valid;
}
