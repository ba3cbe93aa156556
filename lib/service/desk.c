/* desk: checks what people ask for and says what came of it; the state is kept by sql/006-people.sql. */
#include "config.h"

#include "service/desk.h"

#include <string.h>

#include "service/field.h"
#include "text/json_writer.h"
#include "text/utf8.h"

enum { DESK_TIMEOUT_MS = 5000 };

/* What an outcome is for who asked. */
static const struct {
	const char *code;
	const char *message;
	enum mm_status status;
	bool names_assigned; /* who has it ends the message */
} outcomes[MM_DESK_OUTCOME__MAX] = {
    [MM_DESK_DONE] = {NULL, "", MM_OK, false},
    [MM_DESK_UNKNOWN] = {NULL, "there is no handoff or conversation with this id", MM_NOT_FOUND,
			 false},
    [MM_DESK_ENDED] = {"handoff_ended", "the handoff is not open any more", MM_CONFLICT, false},
    [MM_DESK_TAKEN] = {"handoff_taken", "the handoff is with ", MM_CONFLICT, true},
    [MM_DESK_WAITING] = {"handoff_waiting", "nobody has accepted the handoff yet: accept it first",
			 MM_CONFLICT, false},
    [MM_DESK_CLOSED] = {"conversation_closed", "the conversation is closed", MM_GONE, false},
};

/* A line of text: a name is shown in lists. */
static enum mm_status check_name(const char *name, const char *field, struct mm_error *err)
{
	const size_t length = strlen(name);
	if (length == 0 || !mm_utf8_is_valid(name, length, NULL) ||
	    mm_utf8_count(name, length) > MM_DESK_NAME_MAX)
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field,
				    "%s must be a name of 1 to %d characters in UTF-8", field,
				    MM_DESK_NAME_MAX);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field,
					    "%s must have no control characters", field);
	return MM_OK;
}

static enum mm_status check_text(const struct mm_runtime *runtime,
				 const struct mm_desk_request *request, struct mm_error *err)
{
	const bool is_reply = request->verb == MM_DESK_REPLY;
	const char *field = is_reply ? "text" : "note";
	const struct mm_message text = {.text = request->text ? request->text : "",
					.length = request->text ? strlen(request->text) : 0};
	if (!request->text && !is_reply)
		return MM_OK;
	if (!mm_utf8_is_valid(text.text, text.length, NULL))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field, "%s must be UTF-8",
				    field);
	return mm_field_check_message(&text,
				      is_reply ? (size_t)runtime->settings->server.max_message
					       : (size_t)MM_DESK_NOTE_MAX,
				      field, err);
}

static enum mm_status read_target(const char *text, struct mm_id *out, struct mm_error *err)
{
	if (!mm_id_parse(text, strlen(text), out))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "id",
				    "the id of a handoff or a conversation is a UUID");
	return MM_OK;
}

static enum mm_status prepare(struct mm_runtime *runtime, const struct mm_desk_request *request,
			      struct mm_desk_action *action, struct mm_error *err)
{
	*action = (struct mm_desk_action){.verb = request->verb,
					  .utc_ms = mm_clock_utc_ms(runtime->clock),
					  .actor = request->actor,
					  .text = request->text,
					  .expected = request->expected};
	enum mm_status status = read_target(request->target, &action->target, err);
	if (status == MM_OK)
		status = check_name(request->actor, "actor", err);
	if (status == MM_OK && request->expected)
		status = check_name(request->expected, "expected", err);
	if (status == MM_OK)
		status = check_text(runtime, request, err);
	if (status == MM_OK && request->action_id)
		action->id = *request->action_id;
	else if (status == MM_OK)
		status = mm_id_next(runtime->ids, &action->id);
	return status == MM_OK ? mm_id_next(runtime->ids, &action->made_id) : status;
}

static enum mm_status refuse(const struct mm_desk_result *result, struct mm_error *err)
{
	const char *who = result->assigned_to ? result->assigned_to : "nobody";
	return mm_error_set(err, outcomes[result->outcome].status, outcomes[result->outcome].code,
			    NULL, "%s%s", outcomes[result->outcome].message,
			    outcomes[result->outcome].names_assigned ? who : "");
}

static void write_result(struct mm_buffer *out, const struct mm_desk_action *action,
			 const struct mm_desk_result *result)
{
	char time[MM_CLOCK_TEXT], id[MM_ID_TEXT];
	struct mm_json_writer writer;
	mm_clock_format_utc(action->utc_ms, time);
	mm_id_format(&action->id, id);
	mm_json_writer_init(&writer, out);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "action", mm_desk_verb_name(action->verb));
	mm_json_pair_text(&writer, "action_id", id);
	mm_json_pair_text(&writer, "actor", action->actor);
	mm_json_pair_text(&writer, "at", time);
	mm_json_pair_text(&writer, "handoff_id", result->handoff_id);
	mm_json_pair_text(&writer, "conversation_id", result->conversation_id);
	mm_json_pair_text(&writer, "owner", result->owner);
	mm_json_pair_text(&writer, "assigned_to", result->assigned_to);
	mm_json_pair_text(&writer, "message_id", result->message_id);
	mm_json_object_end(&writer);
}

static enum mm_status check_buffer(const struct mm_buffer *out, struct mm_error *err)
{
	return out->has_failed ? mm_error_cause(err, MM_NO_MEMORY, "desk: no memory") : MM_OK;
}

static int64_t deadline(const struct mm_runtime *runtime)
{
	return mm_clock_mono_ms(runtime->clock) + DESK_TIMEOUT_MS;
}

enum mm_status mm_desk_act(struct mm_runtime *runtime, const struct mm_desk_request *request,
			   struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_desk_action action;
	struct mm_desk_result result;
	enum mm_status status = prepare(runtime, request, &action, err);
	if (status == MM_OK)
		status = mm_desk_store_act(runtime->pool, &action, deadline(runtime), &result,
					   arena, err);
	if (status != MM_OK)
		return status;
	if (result.outcome != MM_DESK_DONE)
		return refuse(&result, err);
	write_result(out, &action, &result);
	return check_buffer(out, err);
}

enum mm_status mm_desk_list(struct mm_runtime *runtime, bool is_all, struct mm_buffer *out,
			    struct mm_arena *arena, struct mm_error *err)
{
	const char *json;
	const enum mm_status status = mm_desk_store_list(runtime->pool, is_all, MM_DESK_LIST_MAX,
							 deadline(runtime), &json, arena, err);
	if (status != MM_OK)
		return status;
	mm_buffer_add_text(out, json);
	return check_buffer(out, err);
}

enum mm_status mm_desk_show(struct mm_runtime *runtime, const char *target, struct mm_buffer *out,
			    struct mm_arena *arena, struct mm_error *err)
{
	struct mm_id id;
	const char *json = NULL;
	enum mm_status status = read_target(target, &id, err);
	if (status == MM_OK)
		status = mm_desk_store_show(runtime->pool, &id, MM_DESK_SHOWN_MAX,
					    deadline(runtime), &json, arena, err);
	if (status != MM_OK)
		return status;
	if (!json)
		return refuse(&(struct mm_desk_result){.outcome = MM_DESK_UNKNOWN}, err);
	mm_buffer_add_text(out, json);
	return check_buffer(out, err);
}
