/* field: reads and checks what analyze and chat have in common; knows no endpoint. */
#include "config.h"

#include "service/field.h"

#include <string.h>

#include "base/clock.h"
#include "text/utf8.h"

/* Whether the text has anything but blanks (ASCII, U+3000, U+00A0). */
static bool is_blank(const struct mm_message *message)
{
	for (size_t at = 0; at < message->length;) {
		uint32_t code_point;
		const size_t step =
		    mm_utf8_decode(message->text + at, message->length - at, &code_point);
		const bool is_space = code_point == ' ' ||
				      (code_point >= 0x09 && code_point <= 0x0D) ||
				      code_point == 0x3000 || code_point == 0xA0;
		if (step == 0 || !is_space)
			return false;
		at += step;
	}
	return true;
}

enum mm_status mm_field_check_message(const struct mm_message *message, size_t max_code_points,
				      const char *field, struct mm_error *err)
{
	if (is_blank(message))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field,
				    "%s must not be empty", field);
	/* A text of n bytes has at most n code points: only a long one need be counted. */
	if (message->length > max_code_points &&
	    mm_utf8_count(message->text, message->length) > max_code_points)
		return mm_error_set(err, MM_TOO_LARGE, NULL, field,
				    "%s must have at most %zu characters", field, max_code_points);
	return MM_OK;
}

enum mm_status mm_field_message(struct json_object *body, size_t max_code_points,
				struct mm_message *out, struct mm_error *err)
{
	struct mm_message message;
	enum mm_status status =
	    mm_json_text(body, "message", true, &message.text, &message.length, err);
	if (status == MM_OK)
		status = mm_field_check_message(&message, max_code_points, "message", err);
	if (status == MM_OK)
		*out = message;
	return status;
}

enum mm_status mm_field_conversation_id(struct json_object *body, struct mm_id *out,
					bool *is_given_out, struct mm_error *err)
{
	const char *text;
	size_t length;
	const enum mm_status status =
	    mm_json_text(body, "conversation_id", false, &text, &length, err);
	if (status != MM_OK)
		return status;
	if (text && !mm_id_parse(text, length, out))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "conversation_id",
				    "conversation_id must be a UUID");
	*is_given_out = text != NULL;
	return MM_OK;
}

enum mm_status mm_field_customer_name(struct json_object *body, const char **out,
				      struct mm_error *err)
{
	const char *text;
	size_t length;
	const enum mm_status status =
	    mm_json_text(body, "customer_name", false, &text, &length, err);
	if (status != MM_OK)
		return status;
	if (text && mm_utf8_count(text, length) > MM_CUSTOMER_NAME_MAX)
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "customer_name",
				    "customer_name must have at most %d characters",
				    MM_CUSTOMER_NAME_MAX);
	*out = length > 0 ? text : NULL;
	return MM_OK;
}

static const struct {
	const char *name;
	bool is_customer;
} roles[] = {
    {"user", true}, {"customer", true}, {"assistant", false}, {"bot", false}, {"agent", false},
};

static enum mm_status read_role(struct json_object *item, bool *is_customer_out,
				struct mm_error *err)
{
	const char *role;
	size_t length;
	const enum mm_status status = mm_json_text(item, "role", true, &role, &length, err);
	if (status != MM_OK)
		return status;
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
		if (strcmp(roles[i].name, role) == 0) {
			*is_customer_out = roles[i].is_customer;
			return MM_OK;
		}
	}
	return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "role",
			    "role must be one of user, customer, assistant, bot, agent");
}

/* When an item was sent. A client's own idea of a time is no reason to refuse what it says: a member
 * that is no moment of RFC 3339 is ignored, as an unknown one is. */
static int64_t time_of(struct json_object *item)
{
	struct json_object *time;
	int64_t utc_ms;
	if (!json_object_object_get_ex(item, "timestamp", &time) ||
	    !json_object_is_type(time, json_type_string) ||
	    !mm_clock_parse_utc(json_object_get_string(time),
				(size_t)json_object_get_string_len(time), &utc_ms))
		return 0;
	return utc_ms;
}

static enum mm_status read_history_item(struct json_object *item, size_t max_code_points,
					struct mm_past_message *out, struct mm_error *err)
{
	if (!json_object_is_type(item, json_type_object))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "history",
				    "an item must be an object with role and content");
	enum mm_status status = read_role(item, &out->is_customer, err);
	if (status == MM_OK)
		status = mm_json_text(item, "content", true, &out->text, &out->length, err);
	if (status == MM_OK && out->length > max_code_points &&
	    mm_utf8_count(out->text, out->length) > max_code_points)
		status = mm_error_set(err, MM_TOO_LARGE, NULL, "content",
				      "content must have at most %zu characters", max_code_points);
	if (status == MM_OK)
		out->utc_ms = time_of(item);
	return status;
}

/* Says which item of the history an error is about. */
static enum mm_status name_item(struct mm_error *err, enum mm_status status, size_t index)
{
	const struct mm_error inner = err ? *err : (struct mm_error){.status = status};
	return mm_error_set(err, status, inner.code, "history", "history[%zu]: %s", index,
			    inner.message);
}

enum mm_status mm_field_history(struct json_object *body, size_t max_code_points,
				struct mm_past *out, struct mm_arena *arena, struct mm_error *err)
{
	struct json_object *array;
	enum mm_status status = mm_json_array(body, "history", false, &array, err);
	const size_t count = status == MM_OK && array ? json_object_array_length(array) : 0;
	if (status != MM_OK || count == 0)
		return status;
	if (count > MM_HISTORY_MAX)
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "history",
				    "history must have at most %d items", MM_HISTORY_MAX);
	struct mm_past_message *messages = mm_arena_array(arena, count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "history: no memory");
	for (size_t i = 0; i < count; i++) {
		status = read_history_item(json_object_array_get_idx(array, i), max_code_points,
					   &messages[i], err);
		if (status != MM_OK)
			return name_item(err, status, i);
	}
	out->messages = messages;
	out->count = count;
	return MM_OK;
}
