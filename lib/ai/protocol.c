/* protocol: what the vendors have in common. */
#include "config.h"

#include "ai/protocol.h"

#include <string.h>

#include "ai/retry_after.h"

const struct mm_protocol *mm_protocol_of(enum mm_ai_vendor vendor)
{
	static const struct mm_protocol *const protocols[MM_VENDOR__MAX] = {
	    [MM_VENDOR_ANTHROPIC] = &mm_protocol_anthropic,
	    [MM_VENDOR_GEMINI] = &mm_protocol_gemini,
	    [MM_VENDOR_OPENAI] = &mm_protocol_openai,
	};
	return protocols[vendor];
}

/* ---- members */

struct json_object *mm_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

struct json_object *mm_member_array(struct json_object *object, const char *key)
{
	struct json_object *value = mm_member(object, key);
	return json_object_is_type(value, json_type_array) ? value : NULL;
}

const char *mm_member_text(struct json_object *object, const char *key)
{
	struct json_object *value = mm_member(object, key);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t mm_member_i64(struct json_object *object, const char *key)
{
	struct json_object *value = mm_member(object, key);
	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
}

/* ---- errors */

/* Gemini says in details how long to wait, and whether waiting helps at all. */
static void read_detail(struct json_object *detail, struct mm_reading *reading)
{
	const char *delay = mm_member_text(detail, "retryDelay");
	const char *reason = mm_member_text(detail, "reason");
	struct json_object *violations = mm_member_array(detail, "violations");
	if (delay)
		reading->retry_ms = mm_retry_delay_parse(delay);
	if (reason && strcmp(reason, "API_KEY_INVALID") == 0)
		reading->fault = MM_FAULT_KEY;
	for (size_t i = 0; violations && i < json_object_array_length(violations); i++) {
		const char *quota =
		    mm_member_text(json_object_array_get_idx(violations, i), "quotaId");
		if (quota && strstr(quota, "PerDay"))
			reading->fault = MM_FAULT_QUOTA;
	}
}

/* The first name that is known tells the fault. */
static enum mm_fault read_error(struct json_object *error, struct mm_reading *reading)
{
	static const char *const keys[] = {"code", "type", "status"};
	struct json_object *details = mm_member_array(error, "details");
	enum mm_fault fault = MM_FAULT__MAX;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && fault == MM_FAULT__MAX; i++) {
		const char *name = mm_member_text(error, keys[i]);
		if (name)
			fault = mm_fault_of_name(name);
	}
	reading->fault = fault == MM_FAULT__MAX ? MM_FAULT_INVALID : fault;
	for (size_t i = 0; details && i < json_object_array_length(details); i++)
		read_detail(json_object_array_get_idx(details, i), reading);
	return reading->fault;
}

enum mm_fault mm_reading_take(struct mm_reading *reading, const struct mm_protocol *protocol,
			      struct json_object *document)
{
	struct json_object *error = mm_member(document, "error");
	if (error)
		return read_error(error, reading);
	const enum mm_fault fault = protocol->read(document, reading);
	if (fault == MM_FAULT_NONE && reading->text.has_failed)
		return MM_FAULT_TOO_LONG;
	return fault;
}

/* ---- readings */

void mm_reading_init(struct mm_reading *reading, size_t max_bytes)
{
	*reading = (struct mm_reading){.text_block = -1, .retry_ms = -1};
	mm_buffer_init(&reading->text, 0, max_bytes, NULL);
}

void mm_reading_free(struct mm_reading *reading)
{
	mm_buffer_free(&reading->text);
}

void mm_reading_add(struct mm_reading *reading, const char *text)
{
	if (text)
		mm_buffer_add_text(&reading->text, text);
}

enum mm_finish mm_finish_parse(const struct mm_finish_name *names, const char *name)
{
	while (names->name && strcmp(names->name, name) != 0)
		names++;
	return names->finish;
}

/* ---- questions */

static void write_message(struct mm_json_writer *writer, bool is_customer, const char *text,
			  size_t length)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "role", is_customer ? "user" : "assistant");
	mm_json_pair_bytes(writer, "content", text, length);
	mm_json_object_end(writer);
}

void mm_write_messages(struct mm_json_writer *writer, const struct mm_question *question)
{
	const struct mm_ai_request *request = question->request;
	for (size_t i = question->first_turn; i < request->history_count; i++)
		write_message(writer, request->history[i].is_customer, request->history[i].text,
			      request->history[i].length);
	write_message(writer, true, request->text, request->length);
}
