/*
 * chain_internal: the chain's inside, for chain.c and chain_open.c (floor 3).
 *
 * Own      the chain owns all of it but settings, clock and accounts
 * Threads  only under_way and the accounts change after the opening, and those are atomic
 */
#ifndef MM_AI_CHAIN_INTERNAL_H
#define MM_AI_CHAIN_INTERNAL_H

#include <stdatomic.h>

#include "ai/chain.h"
#include "ai/ledger.h"
#include "ai/remote.h"
#include "ai/transport.h"

/* One provider of the chain. */
struct mm_link {
	enum mm_ai_vendor vendor;
	const struct mm_provider_settings *settings;
	struct mm_remote *remote;
	struct mm_account *account;
	_Atomic int64_t under_way; /* questions of this process */
};

struct mm_chain {
	const struct mm_settings *settings;
	const struct mm_clock *clock;
	struct mm_arena *arena; /* lives as long as the chain */
	struct mm_transport *transport;
	struct mm_ledger *ledger;
	struct mm_breaker_options breaker;
	struct mm_provider builtin;
	const char *prompts[MM_LANGUAGE__MAX];
	struct mm_link links[MM_VENDOR__MAX];
	size_t count;
};

#endif
