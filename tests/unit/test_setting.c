/*
 * Tests of lib/base/setting.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "base/setting.h"

static const char *const colours[] = {"red", "green", NULL};

/* One row a type, for a section that mamori.conf does not have. */
static const struct mm_setting kinds[MM_SETTING__MAX] = {
    [MM_SETTING_TEXT] = {"s", "text", 0, MM_SETTING_TEXT, "", 1, 5, NULL, ""},
    [MM_SETTING_PATH] = {"s", "path", 0, MM_SETTING_PATH, "", 0, 20, NULL, ""},
    [MM_SETTING_I64] = {"s", "i64", 0, MM_SETTING_I64, "", -5, 1024, NULL, ""},
    [MM_SETTING_BOOL] = {"s", "bool", 0, MM_SETTING_BOOL, "", 0, 0, NULL, ""},
    [MM_SETTING_DOUBLE] = {"s", "double", 0, MM_SETTING_DOUBLE, "", 0, 1, NULL, ""},
    [MM_SETTING_ENUM] = {"s", "enum", 0, MM_SETTING_ENUM, "", 0, 0, colours, ""},
};

union field {
	const char *text;
	int64_t i64;
	bool is_yes;
	double number;
	int index;
};

static const struct {
	enum mm_setting_type type;
	const char *value;
	const char *message; /* NULL: good */
	union field want;
} rows[] = {
    {MM_SETTING_TEXT, "a", NULL, {.text = "a"}},
    {MM_SETTING_TEXT, "a 守", NULL, {.text = NULL}},
    {MM_SETTING_TEXT, "", "s.text must be text of 1 to 5 bytes", {0}},
    {MM_SETTING_TEXT, "secret", "s.text must be text of 1 to 5 bytes", {0}},
    {MM_SETTING_TEXT, "a\nb", "s.text must be text of 1 to 5 bytes", {0}},
    {MM_SETTING_TEXT, "a\x7f", "s.text must be text of 1 to 5 bytes", {0}},
    {MM_SETTING_PATH, "/etc/x", NULL, {.text = "/etc/x"}},
    {MM_SETTING_PATH, "", NULL, {.text = ""}},
    {MM_SETTING_PATH, "etc/x", "s.path must be an absolute path, or nothing, not \"etc/x\"", {0}},
    {MM_SETTING_I64, "1024", NULL, {.i64 = 1024}},
    {MM_SETTING_I64, "-5", NULL, {.i64 = -5}},
    {MM_SETTING_I64, "-6", "s.i64 must be a whole number from -5 to 1024, not \"-6\"", {0}},
    {MM_SETTING_I64, "1025", "s.i64 must be a whole number from -5 to 1024, not \"1025\"", {0}},
    {MM_SETTING_I64, "", "s.i64 must be a whole number from -5 to 1024, not \"\"", {0}},
    {MM_SETTING_I64, "64k", "s.i64 must be a whole number from -5 to 1024, not \"64k\"", {0}},
    {MM_SETTING_BOOL, "yes", NULL, {.is_yes = true}},
    {MM_SETTING_BOOL, "no", NULL, {.is_yes = false}},
    {MM_SETTING_BOOL, "true", "s.bool must be yes or no, not \"true\"", {0}},
    {MM_SETTING_DOUBLE, "0.25", NULL, {.number = 0.25}},
    {MM_SETTING_DOUBLE, "1.1", "s.double must be a number from 0 to 1, not \"1.1\"", {0}},
    {MM_SETTING_ENUM, "green", NULL, {.index = 1}},
    {MM_SETTING_ENUM, "Green", "s.enum must be one of red, green, not \"Green\"", {0}},
    {MM_SETTING_ENUM,
     "1234567890123456789012345678901234567890123",
     "s.enum must be one of red, green, not \"1234567890123456789012345678901234567890\"",
     {0}},
};

static bool is_wanted(size_t i, const union field *field)
{
	switch (rows[i].type) {
	case MM_SETTING_TEXT:
	case MM_SETTING_PATH:
		return strcmp(field->text, rows[i].want.text ? rows[i].want.text : rows[i].value) ==
		       0;
	case MM_SETTING_I64:
		return field->i64 == rows[i].want.i64;
	case MM_SETTING_BOOL:
		return field->is_yes == rows[i].want.is_yes;
	case MM_SETTING_DOUBLE:
		return field->number == rows[i].want.number;
	default:
		return field->index == rows[i].want.index;
	}
}

static void parse__table(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_error err = {.message = ""};
		union field field, before;

		memset(&field, 0x5A, sizeof(field));
		before = field;
		enum mm_status status =
		    mm_setting_parse(&kinds[rows[i].type], rows[i].value, &field, arena, &err);
		if (status != (rows[i].message ? MM_BAD_INPUT : MM_OK) ||
		    strcmp(err.message, rows[i].message ? rows[i].message : "") != 0)
			fail_msg("\"%s\": status %d, %s", rows[i].value, status, err.message);
		if (status == MM_OK ? !is_wanted(i, &field)
				    : memcmp(&field, &before, sizeof(field)) != 0)
			fail_msg("\"%s\": another value was stored", rows[i].value);
	}
	mm_arena_free(arena);
}

static void parse__without_memory__says_so(void **state)
{
	struct mm_arena *arena = mm_arena_new(1);
	struct mm_error err;
	union field field;

	(void)state;
	assert_int_equal(mm_setting_parse(&kinds[MM_SETTING_TEXT], "a", &field, arena, &err),
			 MM_NO_MEMORY);
	mm_arena_free(arena);
}

static void type__each__has_a_name(void **state)
{
	(void)state;
	assert_string_equal(mm_setting_type_name(MM_SETTING_TEXT), "text");
	assert_string_equal(mm_setting_type_name(MM_SETTING_PATH), "path");
	assert_string_equal(mm_setting_type_name(MM_SETTING_I64), "integer");
	assert_string_equal(mm_setting_type_name(MM_SETTING_BOOL), "boolean");
	assert_string_equal(mm_setting_type_name(MM_SETTING_DOUBLE), "number");
	assert_string_equal(mm_setting_type_name(MM_SETTING_ENUM), "choice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__table),
	    cmocka_unit_test(parse__without_memory__says_so),
	    cmocka_unit_test(type__each__has_a_name),
	};

	return cmocka_run_group_tests_name("setting", tests, NULL, NULL);
}
