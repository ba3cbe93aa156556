/* test_field: the fields that analyze and chat share, good and bad. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/field.h"

enum { MESSAGE_MAX = 10 };

static struct mm_arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena ? 0 : -1;
}

static int close_arena(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static struct json_object *parse(const char *text)
{
	const struct mm_json_limits limits = {.max_bytes = 0};
	struct json_object *body = NULL;
	struct mm_error err = {.status = MM_OK};
	if (mm_json_parse(text, strlen(text), &limits, &body, arena, &err) != MM_OK)
		fail_msg("%s: %s", text, err.message);
	return body;
}

static enum mm_status read_message(struct json_object *body, struct mm_error *err)
{
	struct mm_message message;
	return mm_field_message(body, MESSAGE_MAX, &message, err);
}

static enum mm_status read_id(struct json_object *body, struct mm_error *err)
{
	struct mm_id id;
	bool is_given;
	return mm_field_conversation_id(body, &id, &is_given, err);
}

static enum mm_status read_name(struct json_object *body, struct mm_error *err)
{
	const char *name;
	return mm_field_customer_name(body, &name, err);
}

static enum mm_status read_history(struct json_object *body, struct mm_error *err)
{
	struct mm_past past = {.count = 0};
	return mm_field_history(body, MESSAGE_MAX, &past, arena, err);
}

static const struct row {
	const char *json;
	enum mm_status (*read)(struct json_object *body, struct mm_error *err);
	enum mm_status want;
	const char *field;
} rows[] = {
    {"{\"message\":\"a\"}", read_message, MM_OK, ""},
    {"{\"message\":\"一二三四五六七八九十\"}", read_message, MM_OK, ""},
    {"{\"message\":\"一二三四五六七八九十一\"}", read_message, MM_TOO_LARGE, "message"},
    {"{\"message\":\"\"}", read_message, MM_BAD_INPUT, "message"},
    {"{\"message\":\" \\t\\n　\"}", read_message, MM_BAD_INPUT, "message"},
    {"{\"message\":null}", read_message, MM_BAD_INPUT, "message"},
    {"{\"message\":1}", read_message, MM_BAD_INPUT, "message"},
    {"{\"message\":[\"a\"]}", read_message, MM_BAD_INPUT, "message"},
    {"{}", read_message, MM_BAD_INPUT, "message"},
    {"{}", read_id, MM_OK, ""},
    {"{\"conversation_id\":null}", read_id, MM_OK, ""},
    {"{\"conversation_id\":\"0192d3f0-0000-7000-8000-000000000001\"}", read_id, MM_OK, ""},
    {"{\"conversation_id\":\"uuid\"}", read_id, MM_BAD_INPUT, "conversation_id"},
    {"{\"conversation_id\":\"\"}", read_id, MM_BAD_INPUT, "conversation_id"},
    {"{\"conversation_id\":7}", read_id, MM_BAD_INPUT, "conversation_id"},
    {"{\"customer_name\":\"山田\"}", read_name, MM_OK, ""},
    {"{\"customer_name\":{}}", read_name, MM_BAD_INPUT, "customer_name"},
    {"{\"history\":[]}", read_history, MM_OK, ""},
    {"{\"history\":null}", read_history, MM_OK, ""},
    {"{\"history\":[{\"role\":\"user\",\"content\":\"\"}]}", read_history, MM_OK, ""},
    {"{\"history\":[{\"role\":\"user\",\"content\":\"a\",\"timestamp\":\"2026-11-23T03:04:05Z\"}]}",
     read_history, MM_OK, ""},
    {"{\"history\":[{\"role\":\"user\",\"content\":\"a\",\"timestamp\":\"yesterday\"}]}",
     read_history, MM_OK, ""},
    {"{\"history\":[{\"role\":\"user\",\"content\":\"a\",\"timestamp\":17}]}", read_history, MM_OK,
     ""},
    {"{\"history\":{}}", read_history, MM_BAD_INPUT, "history"},
    {"{\"history\":[\"a\"]}", read_history, MM_BAD_INPUT, "history"},
    {"{\"history\":[{\"role\":\"user\"}]}", read_history, MM_BAD_INPUT, "history"},
    {"{\"history\":[{\"content\":\"a\"}]}", read_history, MM_BAD_INPUT, "history"},
    {"{\"history\":[{\"role\":\"system\",\"content\":\"a\"}]}", read_history, MM_BAD_INPUT,
     "history"},
    {"{\"history\":[{\"role\":\"bot\",\"content\":\"12345678901\"}]}", read_history, MM_TOO_LARGE,
     "history"},
};

static void fields__are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mm_error err = {.status = MM_OK};
		const enum mm_status status = rows[i].read(parse(rows[i].json), &err);
		if (status != rows[i].want || strcmp(err.field, rows[i].field) != 0)
			fail_msg("%s: status %d, field \"%s\"", rows[i].json, status, err.field);
	}
}

static void history__keeps_order_and_roles(void **state)
{
	struct mm_past past = {.count = 0};
	struct mm_error err = {.status = MM_OK};
	struct json_object *body = parse("{\"history\":[{\"role\":\"customer\",\"content\":\"a\"},"
					 "{\"role\":\"assistant\",\"content\":\"b\"}]}");
	(void)state;
	assert_int_equal(mm_field_history(body, MESSAGE_MAX, &past, arena, &err), MM_OK);
	assert_int_equal(past.count, 2);
	assert_true(past.messages[0].is_customer);
	assert_string_equal(past.messages[0].text, "a");
	assert_false(past.messages[1].is_customer);
	assert_false(past.messages[1].has_analysis);
}

static void history__timestamp__is_a_moment_or_unknown(void **state)
{
	static const struct {
		const char *timestamp;
		int64_t want;
	} times[] = {
	    {"\"2026-11-23T03:04:05.678Z\"", 1795403045678},
	    {"\"2026-11-23T12:04:05.678+09:00\"", 1795403045678},
	    {"\"2026-11-23T03:04:05\"", 0},
	    {"\"yesterday\"", 0},
	    {"1795403045678", 0},
	    {"null", 0},
	    {"{}", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct mm_past past = {.count = 0};
		struct mm_error err = {.status = MM_OK};
		char json[256];
		snprintf(json, sizeof json,
			 "{\"history\":[{\"role\":\"user\",\"content\":\"a\",\"timestamp\":%s}]}",
			 times[i].timestamp);
		assert_int_equal(mm_field_history(parse(json), MESSAGE_MAX, &past, arena, &err),
				 MM_OK);
		if (past.messages[0].utc_ms != times[i].want)
			fail_msg("%s: %jd", json, (intmax_t)past.messages[0].utc_ms);
	}
}

static void history__longer_than_limit__is_refused(void **state)
{
	struct json_object *array = json_object_new_array();
	struct json_object *body = json_object_new_object();
	struct mm_error err = {.status = MM_OK};
	(void)state;
	for (int i = 0; i <= MM_HISTORY_MAX; i++)
		json_object_array_add(array, json_object_new_object());
	json_object_object_add(body, "history", array);
	assert_int_equal(read_history(body, &err), MM_BAD_INPUT);
	json_object_put(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields__are_read_strictly),
	    cmocka_unit_test(history__keeps_order_and_roles),
	    cmocka_unit_test(history__timestamp__is_a_moment_or_unknown),
	    cmocka_unit_test(history__longer_than_limit__is_refused),
	};
	return cmocka_run_group_tests_name("field", tests, open_arena, close_arena);
}
