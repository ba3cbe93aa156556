/*
 * field: the fields that several requests share, read and checked (floor 4).
 *
 * Shape    a JSON body in, plain values out
 * Units    limits are code points for texts, items for arrays
 * Own      texts are borrowed from the body, arrays live in the arena
 * Errors   MM_BAD_INPUT or MM_TOO_LARGE with the field's name and what is wrong; the customer's
 *          text is never quoted
 * Threads  a body belongs to one thread
 */
#ifndef MM_SERVICE_FIELD_H
#define MM_SERVICE_FIELD_H

#include "base/arena.h"
#include "base/id.h"
#include "base/status.h"
#include "detect/detector.h"
#include "text/json.h"

enum {
	MM_HISTORY_MAX = 100,       /* items of `history` */
	MM_CUSTOMER_NAME_MAX = 200, /* code points */
};

struct mm_message {
	const char *text;
	size_t length;
};

/* Checks one message: not blank, at most `max_code_points`. `field` names it in the error. */
enum mm_status mm_field_check_message(const struct mm_message *message, size_t max_code_points,
				      const char *field, struct mm_error *err);

/* Reads the required "message". */
enum mm_status mm_field_message(struct json_object *body, size_t max_code_points,
				struct mm_message *out, struct mm_error *err);

/* Reads the optional "conversation_id"; *is_given_out is false when it is absent or null. */
enum mm_status mm_field_conversation_id(struct json_object *body, struct mm_id *out,
					bool *is_given_out, struct mm_error *err);

/* Reads the optional "customer_name"; NULL when it is absent, null or empty. */
enum mm_status mm_field_customer_name(struct json_object *body, const char **out,
				      struct mm_error *err);

/*
 * Reads the optional "history": [{"role": "user" | "customer" | "assistant" | "bot" | "agent",
 * "content": text, "timestamp"?: RFC 3339}, …], oldest first. A time that is absent or cannot be read
 * is 0, unknown. What the client says of the past is context for one answer and is never stored.
 */
enum mm_status mm_field_history(struct json_object *body, size_t max_code_points,
				struct mm_past *out, struct mm_arena *arena, struct mm_error *err);

#endif
