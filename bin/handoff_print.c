/* handoff_print: lays documents out; asks for none. */
#include "config.h"

#include "handoff_print.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text/json.h"
#include "text/utf8.h"

static enum mm_status parse(const struct mm_buffer *json, struct json_object **out,
			    struct mm_arena *arena, struct mm_error *err)
{
	const struct mm_json_limits limits = {.max_bytes = 0};
	return mm_json_parse(json->data, json->length, &limits, out, arena, err);
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

/* The member as text; "" when it is absent or null. */
static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);
	return value ? json_object_get_string(value) : "";
}

static size_t count_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);
	return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

static struct json_object *item(struct json_object *object, const char *key, size_t index)
{
	return json_object_array_get_idx(member(object, key), index);
}

/* C0, DEL, C1, and what changes the direction of text or cannot be seen at all. */
static bool is_unsafe(uint32_t code_point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x200E, 0x200F}, {0x202A, 0x202E},
		      {0x2066, 0x2069}, {0x061C, 0x061C}, {0xFFF9, 0xFFFB}};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code_point >= ranges[i].first && code_point <= ranges[i].last)
			return true;
	return false;
}

/* Text of others; a line break goes on at the indent. */
static void print_text(const char *text, const char *indent)
{
	const size_t length = strlen(text);
	for (size_t at = 0; at < length;) {
		uint32_t code_point = 0;
		const size_t step = mm_utf8_decode(text + at, length - at, &code_point);
		if (step > 0 && code_point == '\n')
			printf("\n%s", indent);
		else if (step > 0 && code_point == '\t')
			putchar(' ');
		else if (step == 0 || is_unsafe(code_point))
			fputs("\xEF\xBF\xBD", stdout);
		else
			fwrite(text + at, 1, step, stdout);
		at += step ? step : 1;
	}
}

static void print_pair(struct json_object *object, const char *label, const char *key)
{
	const char *text = text_of(object, key);
	if (!*text)
		return;
	printf("%-13s ", label);
	print_text(text, "              ");
	putchar('\n');
}

static void print_listed(struct json_object *handoff)
{
	printf("%-36s  %-8s  %-8s  %-24s  %-15s  ", text_of(handoff, "id"),
	       text_of(handoff, "priority"), text_of(handoff, "status"),
	       text_of(handoff, "created_at"), text_of(handoff, "reason"));
	print_text(text_of(handoff, "assigned_to"), "");
	fputs("\n    ", stdout);
	print_text(text_of(handoff, "summary"), "    ");
	putchar('\n');
}

enum mm_status handoff_print_list(const struct mm_buffer *json, struct mm_arena *arena,
				  struct mm_error *err)
{
	struct json_object *document = NULL;
	const enum mm_status status = parse(json, &document, arena, err);
	if (status != MM_OK)
		return status;
	const size_t count = count_of(document, "handoffs");
	if (count > 0)
		printf("%-36s  %-8s  %-8s  %-24s  %-15s  %s\n", "ID", "PRIORITY", "STATUS", "SINCE",
		       "REASON", "WITH");
	for (size_t i = 0; i < count; i++)
		print_listed(item(document, "handoffs", i));
	printf("%zu handoffs%s\n", count,
	       json_object_get_boolean(member(document, "has_more")) ? ", and more" : "");
	return MM_OK;
}

/* A list of texts after a label, with commas between. */
static void print_texts(struct json_object *object, const char *label, const char *key)
{
	const size_t count = count_of(object, key);
	if (count == 0)
		return;
	printf("%-13s ", label);
	for (size_t i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : "", stdout);
		print_text(json_object_get_string(item(object, key, i)), "              ");
	}
	putchar('\n');
}

static void print_handoff(struct json_object *handoff, struct json_object *context)
{
	static const char *const pairs[][2] = {{"handoff", "id"},           {"status", "status"},
					       {"priority", "priority"},    {"reason", "reason"},
					       {"since", "created_at"},     {"with", "assigned_to"},
					       {"resolved", "resolved_at"}, {"summary", "summary"}};
	if (!handoff)
		return;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		print_pair(handoff, pairs[i][0], pairs[i][1]);
	print_texts(context, "issues", "detected_issues");
	print_texts(context, "order numbers", "order_numbers");
	print_texts(context, "sentiment", "sentiment_history");
	print_texts(context, "signals", "signals");
	print_pair(context, "advice", "recommendation");
}

static void print_message(struct json_object *message)
{
	printf("%s  %-8s  ", text_of(message, "at"), text_of(message, "role"));
	if (*text_of(message, "severity"))
		printf("[%s, %s]  ", text_of(message, "severity"), text_of(message, "sentiment"));
	print_text(text_of(message, "text"), "    ");
	putchar('\n');
}

static void print_event(struct json_object *event)
{
	printf("%s  %-8s  %s\n    ", text_of(event, "at"), text_of(event, "severity"),
	       json_object_to_json_string_ext(member(event, "categories"), JSON_C_TO_STRING_PLAIN));
	print_text(text_of(event, "text"), "    ");
	putchar('\n');
}

static void print_repeat(struct json_object *repeat)
{
	printf("%s  %-8s  %-15s  ", text_of(repeat, "at"), text_of(repeat, "priority"),
	       text_of(repeat, "reason"));
	print_text(text_of(repeat, "summary"), "    ");
	putchar('\n');
}

static void print_done(struct json_object *action)
{
	printf("%s  %-8s  %s -> %s  ", text_of(action, "at"), text_of(action, "action"),
	       text_of(action, "old_owner"), text_of(action, "new_owner"));
	print_text(text_of(action, "actor"), "");
	if (*text_of(action, "taken_from")) {
		fputs(" from ", stdout);
		print_text(text_of(action, "taken_from"), "");
	}
	if (*text_of(action, "note")) {
		fputs(": ", stdout);
		print_text(text_of(action, "note"), "    ");
	}
	putchar('\n');
}

static void print_section(struct json_object *document, const char *title, const char *key,
			  void (*print)(struct json_object *))
{
	const size_t count = count_of(document, key);
	if (count == 0)
		return;
	printf("\n%s\n", title);
	for (size_t i = 0; i < count; i++)
		print(item(document, key, i));
}

enum mm_status handoff_print_show(const struct mm_buffer *json, struct mm_arena *arena,
				  struct mm_error *err)
{
	struct json_object *document = NULL;
	const enum mm_status status = parse(json, &document, arena, err);
	if (status != MM_OK)
		return status;
	struct json_object *conversation = member(document, "conversation");
	print_handoff(member(document, "handoff"), member(document, "context"));
	print_pair(conversation, "conversation", "id");
	print_pair(conversation, "customer", "customer_name");
	print_pair(conversation, "owner", "owner");
	print_pair(conversation, "messages", "message_count");
	print_section(document, "CONVERSATION", "messages", print_message);
	print_section(document, "HARASSMENT", "events", print_event);
	print_section(document, "HANDED OVER AGAIN", "repeats", print_repeat);
	print_section(document, "DONE BY PEOPLE", "actions", print_done);
	return MM_OK;
}

enum mm_status handoff_print_action(const struct mm_buffer *json, struct mm_arena *arena,
				    struct mm_error *err)
{
	struct json_object *done = NULL;
	const enum mm_status status = parse(json, &done, arena, err);
	if (status != MM_OK)
		return status;
	printf("%s  handoff %s  conversation %s  owner %s\n", text_of(done, "action"),
	       text_of(done, "handoff_id"), text_of(done, "conversation_id"),
	       text_of(done, "owner"));
	return MM_OK;
}
