/*
 * Tests of lib/text/utf8.
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

#include "text/utf8.h"

static const struct {
	const char *text;
	size_t length;
	size_t size; /* of the first code point; 0: bad */
	uint32_t want;
} decodings[] = {
    {"a", 1, 1, 'a'},
    {"\0", 1, 1, 0},
    {"\x7F", 1, 1, 0x7F},
    {"\xC2\x80", 2, 2, 0x80},
    {"\xDF\xBF", 2, 2, 0x7FF},
    {"\xE0\xA0\x80", 3, 3, 0x800},
    {"あ", 3, 3, 0x3042},
    {"\xED\x9F\xBF", 3, 3, 0xD7FF},
    {"\xEE\x80\x80", 3, 3, 0xE000},
    {"\xEF\xBF\xBF", 3, 3, 0xFFFF},
    {"\xF0\x90\x80\x80", 4, 4, 0x10000},
    {"\xF4\x8F\xBF\xBF", 4, 4, 0x10FFFF},
    {"", 0, 0, 0},
    {"\x80", 1, 0, 0},
    {"\xBF", 1, 0, 0},
    {"\xC0\x80", 2, 0, 0},
    {"\xC1\xBF", 2, 0, 0},
    {"\xC2", 1, 0, 0},
    {"\xC2\x41", 2, 0, 0},
    {"\xE0\x9F\xBF", 3, 0, 0},
    {"\xE3\x81", 2, 0, 0},
    {"\xE3\x81\x41", 3, 0, 0},
    {"\xE3\x41\x81", 3, 0, 0},
    {"\xED\xA0\x80", 3, 0, 0},
    {"\xED\xBF\xBF", 3, 0, 0},
    {"\xF0\x8F\xBF\xBF", 4, 0, 0},
    {"\xF0\x9F\x98", 3, 0, 0},
    {"\xF0\x9F\x98\x41", 4, 0, 0},
    {"\xF4\x90\x80\x80", 4, 0, 0},
    {"\xF5\x80\x80\x80", 4, 0, 0},
    {"\xFE", 1, 0, 0},
    {"\xFF", 1, 0, 0},
};

static void decode__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decodings) / sizeof(decodings[0]); i++) {
		uint32_t code_point = 77;
		uint32_t want = decodings[i].size == 0 ? 77 : decodings[i].want;
		size_t size = mm_utf8_decode(decodings[i].text, decodings[i].length, &code_point);
		if (size != decodings[i].size || code_point != want)
			fail_msg("row %zu: size %zu, U+%04X", i, size, (unsigned)code_point);
	}
}

static void encode__every_code_point__decodes_again(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110010; c++) {
		char text[4];
		uint32_t back = 0;
		bool is_good = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
		size_t size = mm_utf8_encode(c, text);
		if ((size > 0) != is_good)
			fail_msg("U+%04X: size %zu", (unsigned)c, size);
		if (is_good && (mm_utf8_decode(text, size, &back) != size || back != c))
			fail_msg("U+%04X: back as U+%04X", (unsigned)c, (unsigned)back);
	}
}

static const struct {
	const char *text;
	bool is_valid;
	size_t bad_offset;
} validities[] = {
    {"", true, 0},
    {"abc", true, 0},
    {"abcdefghijklmnop", true, 0},
    {"abcdefghijklmnopあ😀", true, 0},
    {"あいうえお", true, 0},
    {"abcdefgh\xFF", false, 8},
    {"あ\xE3\x81", false, 3},
    {"\x80"
     "abcdefghi",
     false, 0},
    {"abcdefg\xC0\x80", false, 7},
    {"あ\xED\xA0\x80", false, 3},
};

static void is_valid__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(validities) / sizeof(validities[0]); i++) {
		size_t bad_offset = 0;
		size_t length = strlen(validities[i].text);
		if (mm_utf8_is_valid(validities[i].text, length, &bad_offset) !=
			validities[i].is_valid ||
		    bad_offset != validities[i].bad_offset ||
		    mm_utf8_is_valid(validities[i].text, length, NULL) != validities[i].is_valid)
			fail_msg("row %zu: bad at %zu", i, bad_offset);
	}
}

static void count_and_offset__table(void **state)
{
	static const struct {
		const char *text;
		size_t count, nth, offset;
	} rows[] = {
	    {"", 0, 0, 0},       {"abc", 3, 1, 1},   {"abc", 3, 3, 3},   {"abc", 3, 99, 3},
	    {"あいう", 3, 2, 6}, {"aあ😀b", 4, 2, 4}, {"aあ😀b", 4, 3, 8}, {"aあ😀b", 4, 4, 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = strlen(rows[i].text);
		if (mm_utf8_count(rows[i].text, length) != rows[i].count ||
		    mm_utf8_offset(rows[i].text, length, rows[i].nth) != rows[i].offset)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode__table),
	    cmocka_unit_test(encode__every_code_point__decodes_again),
	    cmocka_unit_test(is_valid__table),
	    cmocka_unit_test(count_and_offset__table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
