/*
 * Tests of lib/text/json: what is refused, what is read, and the readers of members.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "text/json.h"

static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

/* reason is part of the message that must come. */
static const struct {
	const char *text;
	const char *reason;
} bad_documents[] = {
    {"", "byte 0: the text ends too early"},
    {" ", "byte 1: the text ends too early"},
    {"\n\t\r ", "too early"},
    {"{", "name in quotes expected"},
    {"}", "value expected"},
    {"[", "too early"},
    {"]", "value expected"},
    {"[1", "byte 2: comma"},
    {"[1,", "too early"},
    {"[1,]", "byte 3: value expected"},
    {"[,1]", "byte 1: value expected"},
    {"[,]", "value expected"},
    {"[1 2]", "byte 3: comma"},
    {"[1,,2]", "value expected"},
    {"[1}", "comma or end"},
    {"[1]]", "byte 3: more text"},
    {"{\"a\"}", "byte 4: colon"},
    {"{\"a\":}", "value expected"},
    {"{\"a\":1", "comma or end"},
    {"{\"a\":1,", "name in quotes"},
    {"{\"a\":1,}", "byte 7: a member's name"},
    {"{,}", "name in quotes"},
    {"{\"a\" 1}", "colon"},
    {"{\"a\"::1}", "value expected"},
    {"{a:1}", "byte 1: a member's name"},
    {"{'a':1}", "name in quotes"},
    {"{1:1}", "name in quotes"},
    {"{null:1}", "name in quotes"},
    {"{\"a\":1 \"b\":2}", "comma"},
    {"{\"a\":1]", "comma or end"},
    {"{\"a\":1,\"a\":2}", "byte 7: the object has"},
    {"{\"a\":1,\"\\u0061\":2}", "byte 7: the object has"},
    {"{\"\\u0061\":1,\"a\":2}", "the object has"},
    {"{\"\":1,\"\":2}", "the object has"},
    {"{\"あ\":1,\"\\u3042\":2}", "the object has"},
    {"{\"😀\":1,\"\\uD83D\\uDE00\":2}", "the object has"},
    {"{\"\\n\":1,\"\\u000a\":2}", "the object has"},
    {"[{\"a\":{\"b\":1,\"b\":2}}]", "the object has"},
    {"{\"a\":{},\"b\":1,\"a\":[]}", "byte 14: the object has"},
    {"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"3\":0}",
     "byte 55: the object has"},
    {"1 2", "more text"},
    {"{}{}", "more text"},
    {"{} x", "byte 3: more text"},
    {"null null", "more text"},
    {"nul", "value expected"},
    {"nulll", "more text"},
    {"NULL", "value expected"},
    {"True", "value expected"},
    {"tru", "value expected"},
    {"undefined", "value expected"},
    {"NaN", "value expected"},
    {"Infinity", "value expected"},
    {"-Infinity", "digit expected in a number"},
    {"-", "digit expected in a number"},
    {"+1", "value expected"},
    {"01", "leading zero"},
    {"-01", "leading zero"},
    {"00", "leading zero"},
    {"1.", "after a decimal point"},
    {".5", "value expected"},
    {"1.e5", "after a decimal point"},
    {"1e", "exponent"},
    {"1e+", "exponent"},
    {"1E-", "exponent"},
    {"0x10", "more text"},
    {"1_000", "more text"},
    {"1,000", "more text"},
    {"１", "value expected"},
    {"1e999", "out of range"},
    {"-1e999", "out of range"},
    {"11111111111111111111111111111111111111111111111111111111111111111", "too many digits"},
    {"--1", "digit expected"},
    {"\"", "byte 0: string without its end"},
    {"\"abc", "string without its end"},
    {"\"abc\\", "string without its end"},
    {"\"abc\\\"", "string without its end"},
    {"'abc'", "value expected"},
    {"\"a\nb\"", "byte 2: control character"},
    {"\"a\tb\"", "control character"},
    {"\"\x01\"", "control character"},
    {"\"\x1F\"", "control character"},
    {"\"\\x41\"", "unknown escape"},
    {"\"\\a\"", "unknown escape"},
    {"\"\\'\"", "unknown escape"},
    {"\"\\U0041\"", "unknown escape"},
    {"\"\\u\"", "four hexadecimal"},
    {"\"\\u12\"", "four hexadecimal"},
    {"\"\\u12G4\"", "four hexadecimal"},
    {"\"\\u 123\"", "four hexadecimal"},
    {"\"\\u123", "four hexadecimal"},
    {"\"\\u0000\"", "U+0000"},
    {"{\"a\\u0000\":1}", "U+0000"},
    {"\"\\uD800\"", "byte 1: lone surrogate"},
    {"\"\\uDC00\"", "lone surrogate"},
    {"\"\\uD83Dx\"", "lone surrogate"},
    {"\"\\uD83D\\n\"", "lone surrogate"},
    {"\"\\uD83D\\u0041\"", "lone surrogate"},
    {"\"\\uD83D\\uD83D\"", "lone surrogate"},
    {"\"\\uDE00\\uD83D\"", "lone surrogate"},
    {"\xEF\xBB\xBF{}", "byte order mark"},
    {"\xFE\xFF", "byte 0: invalid UTF-8"},
    {"\"\xFF\"", "byte 1: invalid UTF-8"},
    {"\"\xC0\x80\"", "invalid UTF-8"},
    {"\"\xED\xA0\x80\"", "invalid UTF-8"},
    {"\"\xE3\x81\"", "invalid UTF-8"},
    {"\"\xF4\x90\x80\x80\"", "invalid UTF-8"},
    {"// x\n{}", "value expected"},
    {"/* x */{}", "value expected"},
    {"{} // x", "more text"},
    {"[1] /**/", "more text"},
    {"\x0C[]", "value expected"},
    {"\xC2\xA0[]", "value expected"},
    {"[\"a\" \"b\"]", "comma"},
    {"[[[[[[[[[1]]]]]]]]]", "byte 8: nested too deeply"},
    {"{\"a\":[{\"b\":[{\"c\":[{\"d\":[{}]}]}]}]}", "nested too deeply"},
};

static void bad_document__table(void **state)
{
	const struct mm_json_limits limits = {.max_bytes = 1000, .max_depth = 8};

	(void)state;
	for (size_t i = 0; i < sizeof(bad_documents) / sizeof(bad_documents[0]); i++) {
		struct json_object *document = (struct json_object *)(uintptr_t)77;
		struct mm_error error = {0};
		enum mm_status status =
		    mm_json_parse(bad_documents[i].text, strlen(bad_documents[i].text), &limits,
				  &document, arena, &error);
		if (status != MM_BAD_INPUT || document != (struct json_object *)(uintptr_t)77 ||
		    strcmp(error.code, "invalid_json") != 0 ||
		    strstr(error.message, bad_documents[i].reason) == NULL)
			fail_msg("row %zu \"%s\": %d, %s", i, bad_documents[i].text, status,
				 error.message);
	}
}

static const struct {
	const char *text;
	const char *want; /* as json-c prints it */
} good_documents[] = {
    {"null", "null"},
    {" true ", "true"},
    {"\n\tfalse\r\n", "false"},
    {"0", "0"},
    {"-0", "0"},
    {"1", "1"},
    {"-12", "-12"},
    {"9223372036854775807", "9223372036854775807"},
    {"0.5", "0.5"},
    {"1e2", "1e2"},
    {"1E+2", "1E+2"},
    {"-1.5e-3", "-1.5e-3"},
    {"0e0", "0e0"},
    {"\"\"", "\"\""},
    {"\"abc\"", "\"abc\""},
    {"\"日本語😀\"", "\"日本語😀\""},
    {"\"\\u3042\"", "\"あ\""},
    {"\"\\uD83D\\uDE00\"", "\"😀\""},
    {"\"\\ud83d\\ude00\"", "\"😀\""},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\x7F\"", "\"\x7F\""},
    {"\"\xEF\xBB\xBF\"", "\"\xEF\xBB\xBF\""},
    {"[]", "[]"},
    {"[ ]", "[]"},
    {"{}", "{}"},
    {"{ }", "{}"},
    {"[1,\"a\",null,true,[],{}]", "[1,\"a\",null,true,[],{}]"},
    {" { \"a\" : [ 1 , 2 ] , \"b\" : { \"a\" : null } } ", "{\"a\":[1,2],\"b\":{\"a\":null}}"},
    {"{\"\":1}", "{\"\":1}"},
    {"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"},
    {"[{\"a\":1},{\"a\":1}]", "[{\"a\":1},{\"a\":1}]"},
    {"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},
    {"[[[[[[[[1]]]]]]]]", "[[[[[[[[1]]]]]]]]"},
    {"{\"message\":\"ふざけるな！\",\"history\":[{\"role\":\"customer\",\"content\":\"x\"}]}",
     "{\"message\":\"ふざけるな！\",\"history\":[{\"role\":\"customer\",\"content\":\"x\"}]}"},
    {"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0}",
     "{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0}"},
};

static void good_document__table(void **state)
{
	const struct mm_json_limits limits = {.max_bytes = 1000, .max_depth = 8};

	(void)state;
	for (size_t i = 0; i < sizeof(good_documents) / sizeof(good_documents[0]); i++) {
		struct json_object *document = NULL;
		struct mm_error error = {.message = "no error"};
		/* An exact copy, so that a sanitizer sees reading beyond the end. */
		size_t length = strlen(good_documents[i].text);
		char *copy = malloc(length);
		assert_non_null(copy);
		memcpy(copy, good_documents[i].text, length);
		enum mm_status status =
		    mm_json_parse(copy, length, &limits, &document, arena, &error);
		free(copy);
		const char *got =
		    status != MM_OK
			? error.message
			: json_object_to_json_string_ext(
			      document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		if (strcmp(got, good_documents[i].want) != 0)
			fail_msg("row %zu \"%s\": %s", i, good_documents[i].text, got);
	}
}

static void message__of_bad_document__quotes_nothing(void **state)
{
	static const char text[] = "{\"秘密の名前\":1,\"秘密の名前\":2}";
	struct json_object *document;
	struct mm_error error = {0};

	(void)state;
	assert_int_equal(mm_json_parse(text, strlen(text), NULL, &document, arena, &error),
			 MM_BAD_INPUT);
	assert_null(strstr(error.message, "秘密"));
	assert_string_equal(error.field, "");
}

static void nul_byte__is_bad_input(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {{"\0", 1},  {"[1\0]", 4},    {"\"a\0b\"", 5}, {"{}\0", 3},
		    {"1\0", 2}, {"\"\\\0\"", 4}, {"[\0", 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *document;
		if (mm_json_parse(rows[i].text, rows[i].length, NULL, &document, arena, NULL) !=
		    MM_BAD_INPUT)
			fail_msg("row %zu", i);
	}
}

static void document__over_max_bytes__is_too_large(void **state)
{
	const struct mm_json_limits limits = {.max_bytes = 4, .max_depth = 4};
	struct json_object *document;

	(void)state;
	assert_int_equal(mm_json_parse("[1]", 3, &limits, &document, arena, NULL), MM_OK);
	assert_int_equal(mm_json_parse("[1] ", 4, &limits, &document, arena, NULL), MM_OK);
	assert_int_equal(mm_json_parse("[1]  ", 5, &limits, &document, arena, NULL), MM_TOO_LARGE);
}

static void depth__64__is_the_limit(void **state)
{
	char text[200];
	struct json_object *document;

	(void)state;
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(mm_json_parse(text + 1, 128, NULL, &document, arena, NULL), MM_OK);
	assert_int_equal(mm_json_parse(text, 130, NULL, &document, arena, NULL), MM_BAD_INPUT);
	memset(text, '[', sizeof(text));
	assert_int_equal(mm_json_parse(text, sizeof(text), NULL, &document, arena, NULL),
			 MM_BAD_INPUT);
}

static struct json_object *parse(const char *text)
{
	struct json_object *document = NULL;

	assert_int_equal(mm_json_parse(text, strlen(text), NULL, &document, arena, NULL), MM_OK);
	return document;
}

static const char members[] =
    "{\"text\":\"あ\\nb\",\"empty\":\"\",\"null\":null,\"yes\":true,\"no\":false,\"one\":1,"
    "\"minus\":-5,\"half\":0.5,\"whole\":1.0,\"big\":9223372036854775808,"
    "\"huge\":99999999999999999999999,\"low\":-99999999999999999999999,"
    "\"list\":[1],\"object\":{\"a\":1}}";

static void text__reader(void **state)
{
	struct json_object *document = parse(members);
	const char *text = "untouched";
	size_t length = 77;
	struct mm_error error = {0};

	(void)state;
	assert_int_equal(mm_json_text(document, "text", true, &text, &length, &error), MM_OK);
	assert_string_equal(text, "あ\nb");
	assert_int_equal(length, 5);
	assert_int_equal(mm_json_text(document, "empty", true, &text, &length, &error), MM_OK);
	assert_int_equal(length, 0);
	assert_int_equal(mm_json_text(document, "absent", false, &text, NULL, &error), MM_OK);
	assert_null(text);
	text = "untouched";
	assert_int_equal(mm_json_text(document, "null", false, &text, &length, &error), MM_OK);
	assert_null(text);
	text = "untouched";
	assert_int_equal(mm_json_text(document, "null", true, &text, &length, &error),
			 MM_BAD_INPUT);
	assert_string_equal(error.message, "null is required");
	assert_int_equal(mm_json_text(document, "one", false, &text, &length, &error),
			 MM_BAD_INPUT);
	assert_string_equal(error.code, "invalid_field");
	assert_string_equal(error.field, "one");
	assert_string_equal(error.message, "one must be a string");
	assert_string_equal(text, "untouched");
	assert_int_equal(mm_json_text(NULL, "one", false, &text, &length, &error), MM_BAD_INPUT);
	assert_string_equal(error.message, "the body must be an object");
	assert_int_equal(mm_json_text(parse("[1]"), "one", false, &text, &length, &error),
			 MM_BAD_INPUT);
}

static void number__readers(void **state)
{
	static const struct {
		const char *key;
		int64_t min, max;
		enum mm_status status;
		int64_t want;
	} rows[] = {
	    {"one", 0, 10, MM_OK, 1},
	    {"one", 1, 1, MM_OK, 1},
	    {"one", 2, 10, MM_BAD_INPUT, 77},
	    {"minus", -5, 0, MM_OK, -5},
	    {"minus", 0, 9, MM_BAD_INPUT, 77},
	    {"half", 0, 9, MM_BAD_INPUT, 77},
	    {"whole", 0, 9, MM_BAD_INPUT, 77},
	    {"text", 0, 9, MM_BAD_INPUT, 77},
	    {"yes", 0, 9, MM_BAD_INPUT, 77},
	    {"list", 0, 9, MM_BAD_INPUT, 77},
	    {"big", INT64_MIN, INT64_MAX, MM_BAD_INPUT, 77},
	    {"huge", INT64_MIN, INT64_MAX, MM_BAD_INPUT, 77},
	    {"low", 0, INT64_MAX, MM_BAD_INPUT, 77},
	    {"absent", 0, 9, MM_OK, 5},
	    {"null", 0, 9, MM_OK, 5},
	};
	struct json_object *document = parse(members);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 77;
		enum mm_status status = mm_json_i64(document, rows[i].key, false, rows[i].min,
						    rows[i].max, 5, &value, NULL);
		if (status != rows[i].status || value != rows[i].want)
			fail_msg("row %zu %s: %d, %jd", i, rows[i].key, status, (intmax_t)value);
	}
	double number = 0;
	assert_int_equal(mm_json_double(document, "half", true, 9, &number, NULL), MM_OK);
	assert_true(number == 0.5);
	assert_int_equal(mm_json_double(document, "one", true, 9, &number, NULL), MM_OK);
	assert_true(number == 1);
	assert_int_equal(mm_json_double(document, "absent", false, 9, &number, NULL), MM_OK);
	assert_true(number == 9);
	assert_int_equal(mm_json_double(document, "text", false, 9, &number, NULL), MM_BAD_INPUT);
}

static void bool_array_object__readers(void **state)
{
	struct json_object *document = parse(members), *member = document;
	struct mm_error error = {0};
	bool is_set = false;

	(void)state;
	assert_int_equal(mm_json_bool(document, "yes", false, &is_set, NULL), MM_OK);
	assert_true(is_set);
	assert_int_equal(mm_json_bool(document, "no", true, &is_set, NULL), MM_OK);
	assert_false(is_set);
	assert_int_equal(mm_json_bool(document, "absent", true, &is_set, NULL), MM_OK);
	assert_true(is_set);
	assert_int_equal(mm_json_bool(document, "one", false, &is_set, &error), MM_BAD_INPUT);
	assert_string_equal(error.message, "one must be true or false");
	assert_int_equal(mm_json_array(document, "object", true, &member, &error), MM_BAD_INPUT);
	assert_string_equal(error.message, "object must be an array");
	assert_int_equal(mm_json_object(document, "list", true, &member, &error), MM_BAD_INPUT);
	assert_string_equal(error.message, "list must be an object");
	assert_ptr_equal(member, document);
	assert_int_equal(mm_json_array(document, "list", true, &member, NULL), MM_OK);
	assert_int_equal(json_object_array_length(member), 1);
	assert_int_equal(mm_json_object(document, "object", true, &member, NULL), MM_OK);
	assert_non_null(member);
	assert_int_equal(mm_json_array(document, "absent", false, &member, NULL), MM_OK);
	assert_null(member);
	assert_int_equal(mm_json_array(document, "absent", true, &member, NULL), MM_BAD_INPUT);
}

enum { MANY = 20000 };

static void object__with_20000_members__is_quick(void **state)
{
	size_t length = 1;
	char *text = malloc(MANY * 16 + 2);
	struct json_object *document;
	clock_t began = clock();

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	for (int i = 0; i < MANY; i++)
		length += (size_t)sprintf(text + length, "%s\"%07d\":1", i == 0 ? "" : ",", i);
	text[length++] = '}';
	assert_int_equal(mm_json_parse(text, length, NULL, &document, arena, NULL), MM_OK);
	/* The last name made equal to the first. */
	memcpy(text + length - 11, "\"0000000", 8);
	assert_int_equal(mm_json_parse(text, length, NULL, &document, arena, NULL), MM_BAD_INPUT);
	free(text);
	assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 2.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_document__table),
	    cmocka_unit_test(good_document__table),
	    cmocka_unit_test(message__of_bad_document__quotes_nothing),
	    cmocka_unit_test(nul_byte__is_bad_input),
	    cmocka_unit_test(document__over_max_bytes__is_too_large),
	    cmocka_unit_test(depth__64__is_the_limit),
	    cmocka_unit_test(text__reader),
	    cmocka_unit_test(number__readers),
	    cmocka_unit_test(bool_array_object__readers),
	    cmocka_unit_test(object__with_20000_members__is_quick),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
