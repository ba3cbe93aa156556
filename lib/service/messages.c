/* messages: proves whose conversation it is, then reads it; what is shown is sql/'s. */
#include "config.h"

#include "service/messages.h"

#include <string.h>

#include "base/number.h"
#include "base/token.h"
#include "service/field.h"
#include "store/desk_store.h"

enum { READ_TIMEOUT_MS = 2000 };

static enum mm_status prove(const struct mm_runtime *runtime,
			    const struct mm_messages_request *request, const struct mm_id *id,
			    struct mm_error *err)
{
	const char *token = mm_field_bearer_token(request->authorization);
	if (!token)
		return mm_error_set(err, MM_DENIED, NULL, "conversation_token",
				    "send the conversation_token as Authorization: Bearer");
	if (!mm_token_is_valid(runtime->token_secret, id, token, strlen(token)))
		return mm_error_set(err, MM_DENIED, NULL, "conversation_token",
				    "this is not the token of this conversation");
	return MM_OK;
}

static enum mm_status read_id(const char *text, size_t length, const char *field, struct mm_id *out,
			      struct mm_error *err)
{
	if (!text || !mm_id_parse(text, length, out))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field, "%s must be a UUID",
				    field);
	return MM_OK;
}

static enum mm_status read_limit(const struct mm_messages_request *request, int64_t *out,
				 struct mm_error *err)
{
	*out = MM_MESSAGES_LIMIT;
	if (request->limit && !mm_number_parse_i64(request->limit, request->limit_length, 1,
						   MM_MESSAGES_LIMIT_MAX, out))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "limit",
				    "limit must be a whole number from 1 to %d",
				    MM_MESSAGES_LIMIT_MAX);
	return MM_OK;
}

enum mm_status mm_messages_read(struct mm_runtime *runtime,
				const struct mm_messages_request *request, struct mm_buffer *out,
				struct mm_arena *arena, struct mm_error *err)
{
	struct mm_id id, after;
	int64_t limit;
	const char *json = NULL;
	enum mm_status status = read_id(request->conversation_id, request->conversation_id_length,
					"conversation_id", &id, err);
	if (status == MM_OK)
		status = prove(runtime, request, &id, err);
	if (status == MM_OK && request->after)
		status = read_id(request->after, request->after_length, "after", &after, err);
	if (status == MM_OK)
		status = read_limit(request, &limit, err);
	if (status == MM_OK)
		status = mm_desk_store_messages(
		    runtime->pool, &id, request->after ? &after : NULL, (int)limit,
		    mm_clock_mono_ms(runtime->clock) + READ_TIMEOUT_MS, &json, arena, err);
	if (status != MM_OK)
		return status;
	if (!json)
		return mm_error_set(err, MM_NOT_FOUND, NULL, "conversation_id",
				    "there is no such conversation");
	mm_buffer_add_text(out, json);
	return out->has_failed ? mm_error_cause(err, MM_NO_MEMORY, "messages: no memory") : MM_OK;
}
