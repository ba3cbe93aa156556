/*
 * turn: one message of a customer and what becomes of it (floor 4).
 *
 * Shape    a plain value that the steps of chat.c fill in order; nothing outside lib/service
 *          reads it
 * Own      everything is borrowed from the request's body or arena
 * Threads  a turn belongs to the thread that serves its request
 */
#ifndef MM_SERVICE_TURN_H
#define MM_SERVICE_TURN_H

#include "ai/provider.h"
#include "base/id.h"
#include "detect/detector.h"
#include "service/field.h"
#include "service/handoff.h"
#include "service/runtime.h"
#include "store/conversation_store.h"

/*
 * What could not be done as usual; told to the client in `degraded`. Another value there, "journal"
 * (kept on this server's disk; the database gets it later), is known last: mm_turn_add_spooled.
 */
enum mm_degradation {
	MM_DEGRADED_HISTORY,         /* the stored history could not be read */
	MM_DEGRADED_CONVERSATION_ID, /* whose conversation it is could not be told: a fresh one */
	MM_DEGRADED_AI,              /* the provider that should have answered did not */
	MM_DEGRADED__MAX
};

struct mm_turn {
	struct mm_runtime *runtime;
	struct mm_detector *detector; /* borrowed for this turn */
	struct mm_arena *arena;
	const char *request_id;
	int64_t now_utc_ms;
	int64_t deadline_mono_ms; /* of the answer; 0: the chain's own */

	/* what the client sent */
	struct mm_message message;
	const char *customer_name; /* or NULL */
	struct mm_past past;   /* the client's history, replaced by the stored one if there is */
	bool has_conversation; /* a conversation_id came with the request */
	bool is_proved;        /* and its token */

	/* what is known and found */
	struct mm_id conversation_id;
	struct mm_stored_conversation stored;
	struct mm_id record_id;
	struct mm_id message_id;
	struct mm_analysis analysis;
	enum mm_language language;
	const char *order_number; /* the last one that the customer named, or NULL */

	/* what becomes of it */
	bool is_answered; /* `reply` is there; false while a person owns the conversation */
	struct mm_ai_reply reply;
	struct mm_id reply_id;
	bool has_handoff;
	struct mm_handoff handoff;
	unsigned degradations;           /* bit set of enum mm_degradation */
	const struct mm_source *sources; /* the articles that answer the question */
	size_t source_count;
	struct mm_message gap; /* the masked question that none answers; text NULL: there is none */
	struct mm_buffer *answer;
};

#endif
