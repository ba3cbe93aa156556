/*
 * turn_stream: a turn that is answered in events (floor 4).
 *
 * Shape    struct mm_turn_stream hangs on a turn, and is filled by chat.c. The events, in order:
 *            meta    ids, token, sentiment, harassment
 *            delta   {attempt, text}, any number: the texts of one attempt put together are the
 *                    reply's beginning; a greater attempt takes back what was sent before it
 *            done    what POST /api/chat answers without a stream, and usage. The deltas of the
 *                    last attempt are its `response`, or there are none and it is null
 *          Errors before meta are no events, and those after it are the caller's to tell
 * Own      the audience is borrowed
 * Errors   a client that has left is none: the turn is kept, and ends with MM_OK. MM_STOPPING: the
 *          server is about to stop; what was shown is kept
 * Threads  the turn's
 *
 * What is kept when: where a model is asked, the customer's message before `meta` and before the
 * model, the reply before `done`; everything else in one record before `meta`. So a message whose meta
 * the client has seen is durable, and so is a reply whose done it has seen. A client that leaves stops
 * the model, and what it was shown is kept as the reply; a reply that was complete by then is kept
 * whole.
 */
#ifndef MM_SERVICE_TURN_STREAM_H
#define MM_SERVICE_TURN_STREAM_H

#include "service/audience.h"
#include "service/turn.h"

struct mm_turn_stream {
	const struct mm_audience *audience;
	/* Makes the part of the turn that turn->part names durable. */
	enum mm_status (*keep)(struct mm_turn *turn, struct mm_error *err);
	bool has_begun;        /* meta is out, and the message kept */
	int attempt;           /* from 1 */
	struct mm_buffer sent; /* the texts of this attempt */
	enum mm_audience_state state;
};

void mm_turn_stream_init(struct mm_turn_stream *stream, const struct mm_audience *audience,
			 struct mm_arena *arena);

/* A model will be asked: keeps the customer's message, then sends meta. Asked again, what was shown
 * of the last reply is void. */
enum mm_status mm_turn_stream_begin(struct mm_turn *turn, struct mm_error *err);

/* Sends a part of the reply. False: end the reply. */
bool mm_turn_stream_show(struct mm_turn *turn, const char *text, size_t length);

/* What was shown is void. */
void mm_turn_stream_take_back(struct mm_turn *turn);

/* Nothing is to be shown yet. False: end the reply. */
bool mm_turn_stream_wait(struct mm_turn *turn);

/* The turn is decided: keeps it, or what of it is not kept yet, and sends what is missing. */
enum mm_status mm_turn_stream_end(struct mm_turn *turn, struct mm_error *err);

/* Nothing is decided: sends an answer that was given and kept before, from `meta` to `done`. */
enum mm_status mm_turn_stream_replay(struct mm_turn *turn, const struct mm_buffer *answer,
				     struct mm_error *err);

#endif
