/* mac: HMAC over parts whose lengths are told. */
#include "config.h"

#include "base/mac.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>

static_assert(2 * crypto_auth_hmacsha256_BYTES + 1 == MM_MAC_TEXT, "a name fits exactly");

static void add_length(crypto_auth_hmacsha256_state *state, uint64_t length)
{
	unsigned char bytes[sizeof length];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(length >> 8 * i);
	crypto_auth_hmacsha256_update(state, bytes, sizeof bytes);
}

void mm_mac_make(const struct mm_secret *secret, const struct mm_mac_part *parts, size_t count,
		 char out[MM_MAC_TEXT])
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, mm_secret_bytes(secret), mm_secret_length(secret));
	for (size_t i = 0; i < count; i++) {
		add_length(&state, parts[i].length);
		if (parts[i].length > 0)
			crypto_auth_hmacsha256_update(&state, parts[i].bytes, parts[i].length);
	}
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(out, MM_MAC_TEXT, mac, sizeof mac);
	sodium_memzero(&state, sizeof state);
}
