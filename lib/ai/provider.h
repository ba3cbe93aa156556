/*
 * provider: what answers a customer's message (floor 3).
 *
 * Shape    an interface of one function; the built-in responder and the chain implement it
 * Units    times are milliseconds of the monotonic clock
 * Own      texts in a reply live in the arena passed to the call
 * Errors   MM_UPSTREAM and MM_TIMEOUT mean that another provider may be tried; a refusal is no
 *          error but an outcome
 * Threads  `reply` may be called by many threads at once; it waits in the calling thread, and calls
 *          back in that thread only
 */
#ifndef MM_AI_PROVIDER_H
#define MM_AI_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ai/fault.h"
#include "ai/replies.h"
#include "ai/source.h"
#include "base/arena.h"
#include "base/status.h"
#include "detect/detector.h"

enum {
	MM_AI_TRIED_MAX = 4,
	MM_AI_WAIT_MS = 250, /* how often a watcher is asked while nothing comes */
};

/* An earlier message of the conversation. */
struct mm_ai_turn {
	const char *text;
	size_t length;
	bool is_customer;
};

/* What is called while an answer is made; every function may be NULL. */
struct mm_ai_watcher {
	/*
	 * A part of the answer, as soon as it is there. It may take its time: the upstream
	 * connection is read by another thread meanwhile. `text` NULL: what was given so far is
	 * void, because the provider failed and the next one begins. Returns false to stop: the
	 * call to the provider is ended, and the reply's outcome is MM_AI_STOPPED.
	 */
	bool (*on_delta)(void *context, const char *text, size_t length);
	/* Nothing has come for MM_AI_WAIT_MS, or nothing that on_delta is told of. False stops, as
	 * there. */
	bool (*on_wait)(void *context);
	/* Whether the whole answer is good. False: it counts as a fault, the next provider is asked.
	 * The built-in responder's is not asked about. */
	bool (*accept)(void *context, const char *text, size_t length);
	void *context;
};

/* One message to answer, with what is known of it. Everything is borrowed for the call. */
struct mm_ai_request {
	const char *text;
	size_t length;
	enum mm_language language;
	const struct mm_analysis *analysis;
	const char *order_number;  /* the last one that the customer named, or NULL */
	const char *customer_name; /* or NULL; never leaves the machine */

	const struct mm_ai_turn *history; /* oldest first */
	size_t history_count;
	const char *prompt; /* what the model is told of its task; NULL: ai.prompt_file */
	bool is_grounded;   /* the company has articles; without a source the answer is not known */
	const struct mm_source *sources; /* those that answer the question, the best first */
	size_t source_count;             /* at most MM_SOURCES_MAX */
	/*
	 * A JSON schema (objects with additionalProperties false, no ranges): the answer is such a
	 * document, made by the provider's own mechanism. Ranges are for `accept` to check. The
	 * built-in responder cannot: without a provider the call is MM_UPSTREAM. NULL: a text.
	 */
	const char *schema;
	bool can_hand_over;       /* the model may hand over to a person */
	int64_t deadline_mono_ms; /* 0: ai.deadline_ms from the call on */
	const char *request_id;   /* for the log, or NULL */
	struct mm_ai_watcher watcher;
};

enum mm_ai_outcome {
	MM_AI_ANSWERED,
	MM_AI_REFUSED,     /* the provider declined, or blocked question or answer: for a person */
	MM_AI_HANDED_OVER, /* the model asked for a person */
	MM_AI_STOPPED,     /* on_delta or on_wait said so, before the answer was whole */
	MM_AI_OUTCOME__MAX
};

/* A provider that should have answered and did not. */
struct mm_ai_tried {
	const char *provider;
	enum mm_fault fault;
};

struct mm_ai_reply {
	const char *text; /* "" unless answered or stopped */
	const char *provider;
	const char *model; /* NULL where there is none */
	bool is_fallback;  /* the question could not be placed */
	unsigned cited; /* bit set: the request's sources that a built-in answer comes from; those
			    * of a model's are told by lib/ai/citation */

	enum mm_ai_outcome outcome;
	bool is_cut;        /* max_output_tokens ended it; cut after its last whole sentence */
	int64_t latency_ms; /* of the whole call, with what was tried before */
	int64_t input_tokens, output_tokens;       /* 0 where they are not known */
	struct mm_ai_tried tried[MM_AI_TRIED_MAX]; /* in order; empty: the first one answered */
	size_t tried_count;
};

struct mm_provider {
	const char *name;
	enum mm_status (*reply)(void *self, const struct mm_ai_request *request,
				struct mm_ai_reply *out, struct mm_arena *arena,
				struct mm_error *err);
	void *self;
};

/* "answered", "refused", "handed_over", "stopped". */
const char *mm_ai_outcome_name(enum mm_ai_outcome outcome);

#endif
