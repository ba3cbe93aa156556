/* openai: chat completions, as OpenAI, llama.cpp, Ollama and vLLM speak them. */
#include "config.h"

#include "ai/protocol.h"

#include <string.h>

static void write_path(struct mm_buffer *url, const char *model, bool is_streamed)
{
	(void)model;
	(void)is_streamed;
	mm_buffer_add_text(url, "/chat/completions");
}

static void write_system(struct mm_json_writer *writer, const char *prompt)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "role", "system");
	mm_json_pair_text(writer, "content", prompt);
	mm_json_object_end(writer);
}

static void write_tool(struct mm_json_writer *writer)
{
	mm_json_key(writer, "tools");
	mm_json_array_begin(writer);
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "type", "function");
	mm_json_key(writer, "function");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "name", MM_TOOL_NAME);
	mm_json_pair_text(writer, "description", MM_TOOL_DESCRIPTION);
	mm_json_pair_raw(writer, "parameters", MM_TOOL_SCHEMA, strlen(MM_TOOL_SCHEMA));
	mm_json_object_end(writer);
	mm_json_object_end(writer);
	mm_json_array_end(writer);
}

static void write_schema(struct mm_json_writer *writer, const char *schema)
{
	mm_json_key(writer, "response_format");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "type", "json_schema");
	mm_json_key(writer, "json_schema");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "name", "answer");
	mm_json_pair_raw(writer, "schema", schema, strlen(schema));
	mm_json_pair_bool(writer, "strict", true);
	mm_json_object_end(writer);
	mm_json_object_end(writer);
}

static void write_stream(struct mm_json_writer *writer)
{
	mm_json_pair_bool(writer, "stream", true);
	mm_json_key(writer, "stream_options");
	mm_json_object_begin(writer);
	mm_json_pair_bool(writer, "include_usage", true);
	mm_json_object_end(writer);
}

/* OpenAI's own models want the newer name of the limit; local servers read the older one. */
static const char *limit_name(const struct mm_provider_settings *settings)
{
	return strstr(settings->base_url, "//api.openai.com") ? "max_completion_tokens"
							      : "max_tokens";
}

static void write_body(struct mm_json_writer *writer, const struct mm_question *question)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "model", question->settings->model);
	mm_json_pair_i64(writer, limit_name(question->settings),
			 question->settings->max_output_tokens);
	mm_json_key(writer, "messages");
	mm_json_array_begin(writer);
	write_system(writer, question->prompt);
	mm_write_messages(writer, question);
	mm_json_array_end(writer);
	if (question->has_tool)
		write_tool(writer);
	if (question->request->schema)
		write_schema(writer, question->request->schema);
	if (question->is_streamed)
		write_stream(writer);
	mm_json_object_end(writer);
}

static void read_finish(struct json_object *choice, struct mm_reading *reading)
{
	static const struct mm_finish_name names[] = {{"stop", MM_FINISH_STOP},
						      {"length", MM_FINISH_LENGTH},
						      {"content_filter", MM_FINISH_REFUSAL},
						      {"tool_calls", MM_FINISH_TOOL},
						      {"function_call", MM_FINISH_TOOL},
						      {NULL, MM_FINISH_BAD}};
	const char *reason = mm_member_text(choice, "finish_reason");
	/* A refusal that was told before stays one, though it ends with "stop". */
	if (reason && reading->finish != MM_FINISH_REFUSAL)
		reading->finish = mm_finish_parse(names, reason);
}

/* In a stream only the first part of a call has the name. */
static void read_tools(struct json_object *message, struct mm_reading *reading)
{
	struct json_object *calls = mm_member_array(message, "tool_calls");
	for (size_t i = 0; calls && i < json_object_array_length(calls); i++) {
		const char *name = mm_member_text(
		    mm_member(json_object_array_get_idx(calls, i), "function"), "name");
		if (name && strcmp(name, MM_TOOL_NAME) == 0)
			reading->is_handed_over = true;
	}
}

static void read_usage(struct json_object *usage, struct mm_reading *reading)
{
	const int64_t input = mm_member_i64(usage, "prompt_tokens");
	const int64_t output = mm_member_i64(usage, "completion_tokens");
	if (input >= 0)
		reading->input_tokens = input;
	if (output >= 0)
		reading->output_tokens = output;
}

/* The last document of a stream has the usage and no choice. */
static enum mm_fault read_document(struct json_object *document, struct mm_reading *reading)
{
	struct json_object *choices = mm_member_array(document, "choices");
	if (!choices)
		return MM_FAULT_INVALID;
	struct json_object *choice = json_object_array_get_idx(choices, 0);
	struct json_object *message = mm_member(choice, "message");
	if (!message)
		message = mm_member(choice, "delta");
	mm_reading_add(reading, mm_member_text(message, "content"));
	if (mm_member_text(message, "refusal"))
		reading->finish = MM_FINISH_REFUSAL;
	read_tools(message, reading);
	read_finish(choice, reading);
	read_usage(mm_member(document, "usage"), reading);
	return MM_FAULT_NONE;
}

const struct mm_protocol mm_protocol_openai = {
    .key_header = "Authorization: Bearer ",
    .needs_key = false,
    .write_path = write_path,
    .write_body = write_body,
    .read = read_document,
};
