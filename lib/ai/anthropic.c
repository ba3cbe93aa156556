/* anthropic: the Messages API. */
#include "config.h"

#include "ai/protocol.h"

#include <string.h>

static void write_path(struct mm_buffer *url, const char *model, bool is_streamed)
{
	(void)model;
	(void)is_streamed;
	mm_buffer_add_text(url, "/v1/messages");
}

static void write_tool(struct mm_json_writer *writer)
{
	mm_json_key(writer, "tools");
	mm_json_array_begin(writer);
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "name", MM_TOOL_NAME);
	mm_json_pair_text(writer, "description", MM_TOOL_DESCRIPTION);
	mm_json_pair_raw(writer, "input_schema", MM_TOOL_SCHEMA, strlen(MM_TOOL_SCHEMA));
	mm_json_object_end(writer);
	mm_json_array_end(writer);
}

static void write_schema(struct mm_json_writer *writer, const char *schema)
{
	mm_json_key(writer, "output_config");
	mm_json_object_begin(writer);
	mm_json_key(writer, "format");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "type", "json_schema");
	mm_json_pair_raw(writer, "schema", schema, strlen(schema));
	mm_json_object_end(writer);
	mm_json_object_end(writer);
}

/* Sampling parameters are left out: some models refuse them. */
static void write_body(struct mm_json_writer *writer, const struct mm_question *question)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "model", question->settings->model);
	mm_json_pair_i64(writer, "max_tokens", question->settings->max_output_tokens);
	mm_json_pair_text(writer, "system", question->prompt);
	mm_json_key(writer, "messages");
	mm_json_array_begin(writer);
	mm_write_messages(writer, question);
	mm_json_array_end(writer);
	if (question->has_tool)
		write_tool(writer);
	if (question->request->schema)
		write_schema(writer, question->request->schema);
	mm_json_pair_bool(writer, "stream", question->is_streamed);
	mm_json_object_end(writer);
}

static void read_usage(struct json_object *usage, struct mm_reading *reading)
{
	static const char *const inputs[] = {"input_tokens", "cache_creation_input_tokens",
					     "cache_read_input_tokens"};
	const int64_t output = mm_member_i64(usage, "output_tokens");
	int64_t input = 0;
	for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
		const int64_t tokens = mm_member_i64(usage, inputs[i]);
		input += tokens > 0 ? tokens : 0;
	}
	if (input > 0)
		reading->input_tokens = input;
	if (output >= 0)
		reading->output_tokens = output; /* cumulative in a stream */
}

static void read_stop(struct json_object *holder, struct mm_reading *reading)
{
	static const struct mm_finish_name names[] = {
	    {"end_turn", MM_FINISH_STOP},
	    {"stop_sequence", MM_FINISH_STOP},
	    {"max_tokens", MM_FINISH_LENGTH},
	    {"model_context_window_exceeded", MM_FINISH_LENGTH},
	    {"refusal", MM_FINISH_REFUSAL},
	    {"tool_use", MM_FINISH_TOOL},
	    {NULL, MM_FINISH_BAD}};
	const char *reason = mm_member_text(holder, "stop_reason");
	if (reason)
		reading->finish = mm_finish_parse(names, reason);
}

/* The answer is the first block of text: thinking may stand before it. */
static void read_block(struct json_object *block, int64_t index, struct mm_reading *reading)
{
	const char *type = mm_member_text(block, "type");
	const char *name = mm_member_text(block, "name");
	if (type && strcmp(type, "tool_use") == 0 && name && strcmp(name, MM_TOOL_NAME) == 0)
		reading->is_handed_over = true;
	if (!type || strcmp(type, "text") != 0 || reading->text_block >= 0)
		return;
	reading->text_block = index;
	mm_reading_add(reading, mm_member_text(block, "text"));
}

static enum mm_fault read_whole(struct json_object *document, struct mm_reading *reading)
{
	struct json_object *content = mm_member_array(document, "content");
	if (!content)
		return MM_FAULT_INVALID;
	for (size_t i = 0; i < json_object_array_length(content); i++)
		read_block(json_object_array_get_idx(content, i), (int64_t)i, reading);
	read_usage(mm_member(document, "usage"), reading);
	read_stop(document, reading);
	return MM_FAULT_NONE;
}

static enum mm_fault read_start(struct json_object *document, struct mm_reading *reading)
{
	read_usage(mm_member(mm_member(document, "message"), "usage"), reading);
	return MM_FAULT_NONE;
}

static enum mm_fault read_block_start(struct json_object *document, struct mm_reading *reading)
{
	read_block(mm_member(document, "content_block"), mm_member_i64(document, "index"), reading);
	return MM_FAULT_NONE;
}

static enum mm_fault read_delta(struct json_object *document, struct mm_reading *reading)
{
	struct json_object *delta = mm_member(document, "delta");
	const char *type = mm_member_text(delta, "type");
	if (type && strcmp(type, "text_delta") == 0 && reading->text_block >= 0 &&
	    mm_member_i64(document, "index") == reading->text_block)
		mm_reading_add(reading, mm_member_text(delta, "text"));
	return MM_FAULT_NONE;
}

static enum mm_fault read_message_delta(struct json_object *document, struct mm_reading *reading)
{
	read_usage(mm_member(document, "usage"), reading);
	read_stop(mm_member(document, "delta"), reading);
	return MM_FAULT_NONE;
}

static const struct {
	const char *type;
	enum mm_fault (*read)(struct json_object *document, struct mm_reading *reading);
} documents[] = {
    {"content_block_delta", read_delta},
    {"content_block_start", read_block_start},
    {"message", read_whole},
    {"message_start", read_start},
    {"message_delta", read_message_delta},
};

static enum mm_fault read_document(struct json_object *document, struct mm_reading *reading)
{
	const char *type = mm_member_text(document, "type");
	if (!type)
		return MM_FAULT_INVALID;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
		if (strcmp(documents[i].type, type) == 0)
			return documents[i].read(document, reading);
	return MM_FAULT_NONE; /* ping, message_stop, and events of the future */
}

const struct mm_protocol mm_protocol_anthropic = {
    .key_header = "x-api-key: ",
    .header = "anthropic-version: 2023-06-01",
    .needs_key = true,
    .write_path = write_path,
    .write_body = write_body,
    .read = read_document,
};
