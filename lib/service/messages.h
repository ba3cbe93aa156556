/*
 * messages: what a customer may read of their conversation (floor 4).
 *
 * Shape    the texts of a request in, the JSON of the answer out
 * Errors   MM_BAD_INPUT: a field; MM_DENIED: no token, or another conversation's; MM_NOT_FOUND: the
 *          database does not know the conversation, also while its first record is in a spool;
 *          MM_UPSTREAM, MM_BUSY, MM_TIMEOUT: the database cannot be asked
 * Threads  any number at once over one runtime
 *
 * Messages are in the order of their ids. A person's reply has a later id than every message that
 * was there before it, so who reads on from the last id they got misses no reply of a person. A
 * customer's message and the bot's answer have the time of the question, and are there when the answer
 * leaves: who asked has them already.
 */
#ifndef MM_SERVICE_MESSAGES_H
#define MM_SERVICE_MESSAGES_H

#include "base/buffer.h"
#include "service/runtime.h"

enum {
	MM_MESSAGES_LIMIT = 100, /* messages in an answer, unless asked otherwise */
	MM_MESSAGES_LIMIT_MAX = 200,
};

struct mm_messages_request {
	const char *conversation_id; /* not checked yet, as are the others */
	size_t conversation_id_length;
	const char *authorization; /* the header, or NULL */
	const char *after;         /* the id of a message; NULL: from the first */
	size_t after_length;
	const char *limit; /* NULL: MM_MESSAGES_LIMIT */
	size_t limit_length;
};

/*
 * Writes {"conversation_id", "owner", "status", "messages": [{"id", "role", "text", "timestamp",
 * "reply_to"}], "next", "has_more"}. Needs the runtime's pool and tokens.
 */
enum mm_status mm_messages_read(struct mm_runtime *runtime,
				const struct mm_messages_request *request, struct mm_buffer *out,
				struct mm_arena *arena, struct mm_error *err);

#endif
