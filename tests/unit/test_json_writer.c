/*
 * Tests of lib/text/json_writer.
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

#include <math.h>

#include <json-c/json.h>

#include "text/json_writer.h"

static struct mm_buffer buffer;
static struct mm_json_writer writer;

static int set_up(void **state)
{
	(void)state;
	mm_buffer_init(&buffer, 0, 0, NULL);
	mm_json_writer_init(&writer, &buffer);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_buffer_free(&buffer);
	return 0;
}

static void document__nested__has_its_commas(void **state)
{
	(void)state;
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "a", "x");
	mm_json_key(&writer, "b");
	mm_json_array_begin(&writer);
	mm_json_array_end(&writer);
	mm_json_key(&writer, "c");
	mm_json_array_begin(&writer);
	mm_json_write_i64(&writer, 1);
	mm_json_object_begin(&writer);
	mm_json_object_end(&writer);
	mm_json_array_begin(&writer);
	mm_json_write_null(&writer);
	mm_json_write_bool(&writer, true);
	mm_json_array_end(&writer);
	mm_json_write_raw(&writer, "{\"r\":0}", 7);
	mm_json_array_end(&writer);
	mm_json_pair_null(&writer, "d");
	mm_json_pair_bool(&writer, "e", false);
	mm_json_pair_double(&writer, "f", 0.5, 2);
	mm_json_pair_bytes(&writer, "g", "あいう", 3);
	mm_json_pair_text(&writer, "h", NULL);
	mm_json_pair_i64(&writer, "i", -5);
	mm_json_pair_raw(&writer, "j", "[]", 2);
	mm_json_object_end(&writer);
	assert_string_equal(mm_buffer_text(&buffer),
			    "{\"a\":\"x\",\"b\":[],\"c\":[1,{},[null,true],{\"r\":0}],\"d\":null,"
			    "\"e\":false,\"f\":0.5,\"g\":\"あ\",\"h\":null,\"i\":-5,\"j\":[]}");
}

static void array__after_container__has_comma(void **state)
{
	(void)state;
	mm_json_array_begin(&writer);
	mm_json_array_begin(&writer);
	mm_json_write_i64(&writer, 1);
	mm_json_array_end(&writer);
	mm_json_array_begin(&writer);
	mm_json_array_end(&writer);
	mm_json_write_i64(&writer, 2);
	mm_json_array_end(&writer);
	assert_string_equal(mm_buffer_text(&buffer), "[[1],[],2]");
}

static void depth__64__is_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 64; i++)
		mm_json_array_begin(&writer);
	mm_json_write_i64(&writer, 1);
	mm_json_write_i64(&writer, 2);
	for (int i = 0; i < 64; i++)
		mm_json_array_end(&writer);
	assert_int_equal(buffer.length, 64 + 3 + 64);
	assert_memory_equal(buffer.data + 64, "1,2", 3);
}

static const struct {
	const char *text;
	size_t length;
	const char *want;
} strings[] = {
    {"", 0, "\"\""},
    {NULL, 0, "\"\""},
    {"plain", 5, "\"plain\""},
    {"日本語😀", 13, "\"日本語😀\""},
    {"a\"b", 3, "\"a\\\"b\""},
    {"a\\b", 3, "\"a\\\\b\""},
    {"a/b<c>&", 7, "\"a/b<c>&\""},
    {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
    {"\0", 1, "\"\\u0000\""},
    {"\x01\x1F", 2, "\"\\u0001\\u001f\""},
    {"\x0E\x0F\x10", 3, "\"\\u000e\\u000f\\u0010\""},
    {"\x7F", 1, "\"\x7F\""},
    {"a\xE2\x80\xA8z", 5, "\"a\\u2028z\""},
    {"a\xE2\x80\xA9z", 5, "\"a\\u2029z\""},
    {"\xE2\x80\xA7", 3, "\"\xE2\x80\xA7\""},
    {"\xE2\x98\x83", 3, "\"☃\""},
    {"\xE2", 1, "\"\xE2\""},
    {"\"", 1, "\"\\\"\""},
    {"\"\"x", 3, "\"\\\"\\\"x\""},
};

static void string__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		mm_buffer_clear(&buffer);
		mm_json_writer_init(&writer, &buffer);
		mm_json_write_bytes(&writer, strings[i].text, strings[i].length);
		if (strcmp(mm_buffer_text(&buffer), strings[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, buffer.data, strings[i].want);
	}
}

/* Every byte below 0x80 comes back from a reader as it was. */
static void string__every_ascii_byte__comes_back(void **state)
{
	char text[127];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i + 1);
	mm_json_write_bytes(&writer, text, sizeof(text));
	struct json_object *back = json_tokener_parse(mm_buffer_text(&buffer));
	assert_int_equal(json_object_get_string_len(back), sizeof(text));
	assert_memory_equal(json_object_get_string(back), text, sizeof(text));
	json_object_put(back);
}

static void i64__table(void **state)
{
	static const struct {
		int64_t value;
		const char *want;
	} rows[] = {
	    {0, "0"},
	    {7, "7"},
	    {-7, "-7"},
	    {10, "10"},
	    {1763863200123, "1763863200123"},
	    {INT64_MAX, "9223372036854775807"},
	    {INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mm_buffer_clear(&buffer);
		mm_json_write_i64(&writer, rows[i].value);
		if (strcmp(mm_buffer_text(&buffer), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, buffer.data);
	}
}

static void double__table(void **state)
{
	static const struct {
		double value;
		int decimals;
		const char *want;
	} rows[] = {
	    {0, 2, "0"},
	    {-0.0, 2, "0"},
	    {-0.001, 2, "0"},
	    {0.5, 2, "0.5"},
	    {0.974999, 3, "0.975"},
	    {1, 3, "1"},
	    {100, 0, "100"},
	    {120, 2, "120"},
	    {-1.25, 2, "-1.25"},
	    {1e20, 1, "100000000000000000000"},
	    {NAN, 2, "null"},
	    {INFINITY, 2, "null"},
	    {-INFINITY, 2, "null"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mm_buffer_clear(&buffer);
		mm_json_write_double(&writer, rows[i].value, rows[i].decimals);
		if (strcmp(mm_buffer_text(&buffer), rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, buffer.data, rows[i].want);
	}
	mm_buffer_clear(&buffer);
	mm_json_write_double(&writer, 1.7976931348623157e308, 17);
	assert_int_equal(buffer.length, 309);
}

static void buffer__full__stays_failed(void **state)
{
	struct mm_buffer small;

	(void)state;
	mm_buffer_init(&small, 0, 8, NULL);
	mm_json_writer_init(&writer, &small);
	mm_json_array_begin(&writer);
	mm_json_write_text(&writer, "too long for it");
	mm_json_array_end(&writer);
	assert_true(small.has_failed);
	mm_buffer_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(document__nested__has_its_commas, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(array__after_container__has_comma, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(depth__64__is_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(string__table, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(string__every_ascii_byte__comes_back, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(i64__table, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(double__table, set_up, tear_down),
	    cmocka_unit_test(buffer__full__stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
