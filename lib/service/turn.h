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
#include "base/mac.h"
#include "detect/detector.h"
#include "service/field.h"
#include "service/handoff.h"
#include "service/runtime.h"
#include "service/second_opinion.h"
#include "store/conversation_store.h"

/*
 * What could not be done as usual; told to the client in `degraded`. Another value there, "journal"
 * (kept on this server's disk; the database gets it later), is known last: mm_turn_add_spooled.
 */
enum mm_degradation {
	MM_DEGRADED_HISTORY,         /* the stored history could not be read */
	MM_DEGRADED_CONVERSATION_ID, /* whose conversation it is could not be told: a fresh one */
	MM_DEGRADED_AI,              /* the provider that should have answered did not */
	MM_DEGRADED_IDEMPOTENCY,     /* whether this is a retry could not be told */
	MM_DEGRADED__MAX
};

/* What a record of a turn holds: a streamed one is kept in two, around the asking of a model. */
enum mm_turn_part {
	MM_TURN_WHOLE,
	MM_TURN_MESSAGE, /* the customer's, and what was found in it */
	MM_TURN_REPLY,   /* the bot's, and the handoff */
};

struct mm_turn_stream;
/* The key under which the client may send this message again; see retry.h. */
struct mm_retry {
	const char *client_key; /* or NULL */
	const char *field;      /* where it came from */
	bool is_named;          /* `key` and `message` are made */
	bool is_claimed;
	char key[MM_MAC_TEXT];
	char message[MM_MAC_TEXT];
};

/* What came together with this message; see burst.h. */
struct mm_burst {
	bool has_lease;
	bool is_joined;
	struct mm_id answered_with; /* when is_joined */
	unsigned rounds;            /* questions to a model that are over */
	struct mm_message sentence; /* the message and what joined it, as one */
	struct mm_id *ids;          /* what joined */
	size_t count;
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
	struct mm_second_opinion *opinion; /* NULL: nobody was asked */
	struct mm_message question; /* what a model is asked: the message, and what joined it */
	const struct mm_analysis *question_analysis;
	struct mm_retry retry;
	struct mm_burst burst;
	enum mm_language language;
	const char *order_number; /* the last one that the customer named, or NULL */

	/* what becomes of it */
	bool is_answered; /* `reply` is there; false while a person owns the conversation */
	struct mm_ai_reply reply;
	struct mm_id reply_id;
	int64_t reply_utc_ms;
	bool has_notice; /* the reply asks for a moderate tone */
	bool has_handoff;
	struct mm_handoff handoff;
	unsigned degradations;           /* bit set of enum mm_degradation */
	enum mm_owner owner_when_kept;   /* MM_OWNER__MAX; or the reply was dropped */
	const struct mm_source *sources; /* the articles that answer the question */
	size_t source_count;
	struct mm_message gap; /* the masked question that none answers; text NULL: there is none */
	struct mm_buffer *answer;
	bool is_spooled; /* a record of the turn waits on this server's disk */

	enum mm_turn_part part;        /* that the next record is to hold */
	struct mm_turn_stream *stream; /* NULL: the answer is one document */
};

/* Whoever has the conversation instead answers: the bot says nothing. */
static inline void mm_turn_drop_reply(struct mm_turn *turn, enum mm_owner owner)
{
	turn->stored.owner = owner;
	turn->is_answered = false;
	turn->reply = (struct mm_ai_reply){.text = NULL};
}

/* Whether the reply is kept and told only if the bot has the conversation still. Words of care reach
 * the customer whoever has it. */
static inline bool mm_turn_is_reply_held(const struct mm_turn *turn)
{
	return turn->is_answered &&
	       !(turn->has_handoff && turn->handoff.reason == MM_HANDOFF_SELF_HARM);
}

#endif
