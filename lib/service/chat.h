/*
 * chat: one turn of a conversation with a customer (floor 4).
 *
 * Shape    a JSON body in, the JSON of the answer out
 * Errors   MM_BAD_INPUT, MM_TOO_LARGE: a field; MM_DENIED: the conversation is another's;
 *          MM_GONE: it is closed; MM_BUSY: nothing can keep the turn. In all of them nothing was
 *          stored
 * Threads  any number at once over one runtime
 *
 * The order is: validate, prove, load, detect, decide, answer, keep, reply. While the database is
 * down a turn goes on with the client's own history; what was not as usual is in `degraded`.
 *
 * Who owns a conversation can only be told by its token or by the database. With neither (an id
 * without its token while the database is down, or while a process of this server has records
 * in its spool) the turn gets a conversation of its own, so that a token is never handed to somebody
 * who only knows the id.
 */
#ifndef MM_SERVICE_CHAT_H
#define MM_SERVICE_CHAT_H

#include "base/buffer.h"
#include "service/keep.h"
#include "service/runtime.h"
#include "text/json.h"

struct mm_chat_request {
	struct json_object *body;
	const char *authorization; /* the header, or NULL */
	const char *request_id;
	int64_t started_mono_ms;            /* when the request came; 0: at the call */
	const struct mm_deferral *deferral; /* NULL: wait until the turn is durable */
};

/*
 * Answers one request into `out`. The answer may leave only when the turn is durable, which is
 * when this returns, or when the deferral releases it. Needs all parts of the runtime.
 */
enum mm_status mm_chat(struct mm_runtime *runtime, const struct mm_chat_request *request,
		       struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err);

#endif
