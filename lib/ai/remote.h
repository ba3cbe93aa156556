/*
 * remote: one provider across the network, asked once (floor 3).
 *
 * Shape    struct mm_remote is a provider with its key, address and account; an answer is a plain
 *          value
 * Units    times are milliseconds; deadlines of the monotonic clock
 * Own      a remote owns its key; settings, transport and ledger are borrowed and outlive it. An
 *          answer's text lives in the arena
 * Errors   at the opening MM_BAD_INPUT for what the administrator has to mend. Afterwards a fault is
 *          part of the answer
 * Threads  opened and closed by one thread, asked by any number
 *
 * It knows no retry, no breaker and no budget: those are the chain's.
 */
#ifndef MM_AI_REMOTE_H
#define MM_AI_REMOTE_H

#include "ai/ledger.h"
#include "ai/provider.h"
#include "ai/transport.h"
#include "base/settings.h"

struct mm_remote;

struct mm_remote_answer {
	enum mm_fault fault;
	enum mm_ai_outcome outcome;
	const char *text;
	size_t length;
	bool is_cut;
	bool has_delivered; /* on_delta has been given something */
	int64_t input_tokens, output_tokens;
	int64_t retry_ms; /* how long the provider wants to be left alone; -1: it did not say */
	int should_retry; /* what the provider says about it: 1, 0, or -1 for nothing */
	int http_status;  /* 0: none came */
	char request_id[MM_TRANSPORT_VALUE]; /* the provider's */
};

/* Reads the key and checks the address. `arena` lives as long as the remote. */
enum mm_status mm_remote_open(enum mm_ai_vendor vendor, const struct mm_provider_settings *settings,
			      struct mm_transport *transport, const struct mm_clock *clock,
			      struct mm_remote **out, struct mm_arena *arena, struct mm_error *err);

/* Wipes the key. NULL is allowed. */
void mm_remote_close(struct mm_remote *remote);

/* An estimate of the tokens that asking may use, answer included. */
int64_t mm_remote_estimate(const struct mm_remote *remote, const struct mm_ai_request *request,
			   const char *prompt);

/*
 * Asks once and waits, not longer than the deadline. `prompt` is what the model is told of its task.
 */
void mm_remote_ask(struct mm_remote *remote, const struct mm_ai_request *request,
		   const char *prompt, int64_t deadline_mono_ms, struct mm_remote_answer *out,
		   struct mm_arena *arena);

#endif
