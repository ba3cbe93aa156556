/* gemini: generateContent and streamGenerateContent. */
#include "config.h"

#include "ai/protocol.h"

#include <string.h>

static void write_path(struct mm_buffer *url, const char *model, bool is_streamed)
{
	mm_buffer_printf(url, "/v1beta/models/%s:%s", model,
			 is_streamed ? "streamGenerateContent?alt=sse" : "generateContent");
}

static void write_parts(struct mm_json_writer *writer, const char *text, size_t length)
{
	mm_json_key(writer, "parts");
	mm_json_array_begin(writer);
	mm_json_object_begin(writer);
	mm_json_pair_bytes(writer, "text", text, length);
	mm_json_object_end(writer);
	mm_json_array_end(writer);
}

static void write_content(struct mm_json_writer *writer, bool is_customer, const char *text,
			  size_t length)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "role", is_customer ? "user" : "model");
	write_parts(writer, text, length);
	mm_json_object_end(writer);
}

static void write_contents(struct mm_json_writer *writer, const struct mm_question *question)
{
	const struct mm_ai_request *request = question->request;
	mm_json_key(writer, "contents");
	mm_json_array_begin(writer);
	for (size_t i = question->first_turn; i < request->history_count; i++)
		write_content(writer, request->history[i].is_customer, request->history[i].text,
			      request->history[i].length);
	write_content(writer, true, request->text, request->length);
	mm_json_array_end(writer);
}

/* A customer who waits is served better by little thinking; older models know no levels. */
static void write_thinking(struct mm_json_writer *writer, const char *model)
{
	static const char third[] = "gemini-3";
	if (strncmp(model, third, sizeof third - 1) != 0)
		return;
	mm_json_key(writer, "thinkingConfig");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "thinkingLevel", "LOW");
	mm_json_object_end(writer);
}

static void write_generation(struct mm_json_writer *writer, const struct mm_question *question)
{
	const char *schema = question->request->schema;
	mm_json_key(writer, "generationConfig");
	mm_json_object_begin(writer);
	mm_json_pair_i64(writer, "maxOutputTokens", question->settings->max_output_tokens);
	write_thinking(writer, question->settings->model);
	if (schema) {
		mm_json_pair_text(writer, "responseMimeType", "application/json");
		mm_json_pair_raw(writer, "responseJsonSchema", schema, strlen(schema));
	}
	mm_json_object_end(writer);
}

/* Abuse is what we are asked about: the filters would block the question. Some blocks remain. */
static void write_safety(struct mm_json_writer *writer)
{
	static const char *const categories[] = {
	    "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH",
	    "HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT"};
	mm_json_key(writer, "safetySettings");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
		mm_json_object_begin(writer);
		mm_json_pair_text(writer, "category", categories[i]);
		mm_json_pair_text(writer, "threshold", "BLOCK_NONE");
		mm_json_object_end(writer);
	}
	mm_json_array_end(writer);
}

static void write_tool(struct mm_json_writer *writer)
{
	mm_json_key(writer, "tools");
	mm_json_array_begin(writer);
	mm_json_object_begin(writer);
	mm_json_key(writer, "functionDeclarations");
	mm_json_array_begin(writer);
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "name", MM_TOOL_NAME);
	mm_json_pair_text(writer, "description", MM_TOOL_DESCRIPTION);
	mm_json_pair_raw(writer, "parameters", MM_TOOL_SCHEMA, strlen(MM_TOOL_SCHEMA));
	mm_json_object_end(writer);
	mm_json_array_end(writer);
	mm_json_object_end(writer);
	mm_json_array_end(writer);
}

static void write_body(struct mm_json_writer *writer, const struct mm_question *question)
{
	mm_json_object_begin(writer);
	mm_json_key(writer, "systemInstruction");
	mm_json_object_begin(writer);
	write_parts(writer, question->prompt, strlen(question->prompt));
	mm_json_object_end(writer);
	write_contents(writer, question);
	write_generation(writer, question);
	write_safety(writer);
	if (question->has_tool)
		write_tool(writer);
	mm_json_object_end(writer);
}

static void read_part(struct json_object *part, struct mm_reading *reading)
{
	const char *function = mm_member_text(mm_member(part, "functionCall"), "name");
	if (function && strcmp(function, MM_TOOL_NAME) == 0)
		reading->is_handed_over = true;
	if (!json_object_get_boolean(mm_member(part, "thought")))
		mm_reading_add(reading, mm_member_text(part, "text"));
}

static void read_finish(struct json_object *candidate, struct mm_reading *reading)
{
	static const struct mm_finish_name names[] = {
	    {"STOP", MM_FINISH_STOP},          {"MAX_TOKENS", MM_FINISH_LENGTH},
	    {"SAFETY", MM_FINISH_REFUSAL},     {"PROHIBITED_CONTENT", MM_FINISH_REFUSAL},
	    {"BLOCKLIST", MM_FINISH_REFUSAL},  {"SPII", MM_FINISH_REFUSAL},
	    {"RECITATION", MM_FINISH_REFUSAL}, {NULL, MM_FINISH_BAD}};
	const char *reason = mm_member_text(candidate, "finishReason");
	if (reason)
		reading->finish = mm_finish_parse(names, reason);
	if (reading->finish == MM_FINISH_STOP && reading->is_handed_over)
		reading->finish = MM_FINISH_TOOL;
}

static void read_usage(struct json_object *usage, struct mm_reading *reading)
{
	const int64_t input = mm_member_i64(usage, "promptTokenCount");
	const int64_t output = mm_member_i64(usage, "candidatesTokenCount");
	const int64_t thoughts = mm_member_i64(usage, "thoughtsTokenCount");
	if (input >= 0)
		reading->input_tokens = input;
	if (output >= 0 || thoughts >= 0)
		reading->output_tokens = (output > 0 ? output : 0) + (thoughts > 0 ? thoughts : 0);
}

/* A blocked question has no candidates, only promptFeedback. */
static enum mm_fault read_document(struct json_object *document, struct mm_reading *reading)
{
	struct json_object *candidates = mm_member_array(document, "candidates");
	struct json_object *candidate =
	    candidates ? json_object_array_get_idx(candidates, 0) : NULL;
	struct json_object *parts = mm_member_array(mm_member(candidate, "content"), "parts");
	const bool is_blocked =
	    mm_member_text(mm_member(document, "promptFeedback"), "blockReason");
	read_usage(mm_member(document, "usageMetadata"), reading);
	for (size_t i = 0; parts && i < json_object_array_length(parts); i++)
		read_part(json_object_array_get_idx(parts, i), reading);
	read_finish(candidate, reading);
	if (is_blocked)
		reading->finish = MM_FINISH_REFUSAL;
	return candidate || is_blocked || mm_member(document, "usageMetadata") ? MM_FAULT_NONE
									       : MM_FAULT_INVALID;
}

const struct mm_protocol mm_protocol_gemini = {
    .key_header = "x-goog-api-key: ",
    .needs_key = true,
    .write_path = write_path,
    .write_body = write_body,
    .read = read_document,
};
