/*
 * chain: the providers of mamori.conf in their order, with the built-in responder at the end
 * (floor 3).
 *
 * Shape    struct mm_chain is opaque; mm_chain_provider() is the interface that chat uses. What
 *          happens to a question, provider by provider:
 *            admitted   time is left, max_concurrent and daily_tokens are not used up, the breaker
 *                       is closed; else the next provider
 *            asked      once; a second time after a fault that may pass and cannot be paid for
 *                       twice, after the pause that the provider asks for (at most
 *                       MM_CHAIN_WAIT_MAX_MS) or a short one of our own, with jitter
 *            judged     the customer's language, and what the request's `accept` says
 *          A refusal is an answer: the next provider is not asked to say what one would not.
 * Units    milliseconds; deadlines of the monotonic clock
 * Own      a chain owns its keys, its connections and their thread (transport.h), and its ledger;
 *          settings and replies are borrowed and outlive it. Who waits for an answer waits in its
 *          own thread, with some kilobytes of stack and no lock held
 * Errors   at the opening MM_BAD_INPUT for what the administrator has to mend. A reply always comes,
 *          in time, from the built-in responder at the latest: only a request with a schema, which
 *          it cannot fill, ends in MM_UPSTREAM or MM_TIMEOUT
 * Threads  opened and closed by one thread; asked by any number
 */
#ifndef MM_AI_CHAIN_H
#define MM_AI_CHAIN_H

#include "ai/breaker.h"
#include "ai/provider.h"
#include "ai/replies.h"
#include "base/clock.h"
#include "base/settings.h"

enum {
	MM_CHAIN_WAIT_MAX_MS = 8000, /* longer is no pause but an absence */
	MM_CHAIN_RESERVE_MS = 1000,  /* of the deadline, for everything after the providers */
};

struct mm_chain;

struct mm_chain_options {
	const struct mm_settings *settings;
	const char *app; /* whose ledger it is, such as "chat" */
	const struct mm_replies *replies;
	const struct mm_clock *clock;
};

/* Reads keys and prompt, starts the connections' thread if there is a provider to ask. */
enum mm_status mm_chain_open(const struct mm_chain_options *options, struct mm_chain **out,
			     struct mm_error *err);

/* No question is under way. NULL is allowed. */
void mm_chain_close(struct mm_chain *chain);

/* The chain as a provider, which borrows it. */
struct mm_provider mm_chain_provider(struct mm_chain *chain);

/* One provider for health, in the chain's order. */
struct mm_chain_state {
	const char *provider;
	const char *model; /* NULL: builtin */
	enum mm_breaker_state breaker;
	enum mm_fault last_fault;
	int64_t last_fault_utc_ms; /* 0: none is known */
	int64_t tokens_today;
};

/*
 * What the ledger of `app` says of the providers in the settings; asks nobody. Without a ledger
 * every breaker counts as closed. MM_BAD_INPUT: ai.chain is wrong; MM_NO_MEMORY.
 */
enum mm_status mm_chain_read_states(const struct mm_settings *settings, const char *app,
				    int64_t now_utc_ms, struct mm_chain_state **states_out,
				    size_t *count_out, struct mm_arena *arena,
				    struct mm_error *err);

#endif
