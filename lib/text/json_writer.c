/* json_writer: JSON text into a buffer, commas included. Not a checker of what it is given. */
#include "config.h"

#include "text/json_writer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_LIMIT = 64, NUMBER_TEXT = 400 };

void mm_json_writer_init(struct mm_json_writer *writer, struct mm_buffer *buffer)
{
	*writer = (struct mm_json_writer){.out = buffer};
}

/* The bit that says whether the innermost container has an item; none outside of all. */
static uint64_t depth_bit(const struct mm_json_writer *writer)
{
	return writer->depth == 0 ? 0 : UINT64_C(1) << (writer->depth - 1);
}

/* Writes the comma that the next item needs. */
static void begin_item(struct mm_json_writer *writer)
{
	if (writer->has_key) {
		writer->has_key = false;
		return;
	}
	if ((writer->has_item & depth_bit(writer)) != 0)
		mm_buffer_add_char(writer->out, ',');
	writer->has_item |= depth_bit(writer);
}

static void open_container(struct mm_json_writer *writer, char bracket)
{
	begin_item(writer);
	assert(writer->depth < DEPTH_LIMIT);
	mm_buffer_add_char(writer->out, bracket);
	writer->depth++;
	writer->has_item &= ~depth_bit(writer);
}

static void close_container(struct mm_json_writer *writer, char bracket)
{
	assert(writer->depth > 0 && !writer->has_key);
	mm_buffer_add_char(writer->out, bracket);
	writer->depth--;
}

void mm_json_object_begin(struct mm_json_writer *writer)
{
	open_container(writer, '{');
}

void mm_json_object_end(struct mm_json_writer *writer)
{
	close_container(writer, '}');
}

void mm_json_array_begin(struct mm_json_writer *writer)
{
	open_container(writer, '[');
}

void mm_json_array_end(struct mm_json_writer *writer)
{
	close_container(writer, ']');
}

/* How a byte is written inside a string: 0 as it is, a letter after a backslash, 'u' as \u00XX,
 * and '?' when the bytes that follow decide (U+2028 and U+2029 begin with E2). */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n',          'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u',          'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\', [0xE2] = '?',
};

static bool is_line_separator(const char *text, size_t length)
{
	return length >= 3 && memcmp(text, "\xE2\x80", 2) == 0 &&
	       (text[2] == '\xA8' || text[2] == '\xA9');
}

/* Writes the escape for the character at text and returns the bytes of it that were read. */
static size_t add_escape(struct mm_buffer *out, const char *text)
{
	unsigned char byte = (unsigned char)text[0];

	if (byte == 0xE2) {
		mm_buffer_add_text(out, text[2] == '\xA8' ? "\\u2028" : "\\u2029");
		return 3;
	}
	if (escapes[byte] == 'u') {
		mm_buffer_printf(out, "\\u%04x", byte);
		return 1;
	}
	mm_buffer_add_char(out, '\\');
	mm_buffer_add_char(out, escapes[byte]);
	return 1;
}

static void add_string(struct mm_buffer *out, const char *text, size_t length)
{
	size_t copied = 0;
	size_t at = 0;

	mm_buffer_add_char(out, '"');
	while (at < length) {
		char escape = escapes[(unsigned char)text[at]];
		if (escape == 0 || (escape == '?' && !is_line_separator(text + at, length - at))) {
			at++;
			continue;
		}
		mm_buffer_add(out, text + copied, at - copied);
		at += add_escape(out, text + at);
		copied = at;
	}
	if (at > copied)
		mm_buffer_add(out, text + copied, at - copied);
	mm_buffer_add_char(out, '"');
}

void mm_json_key(struct mm_json_writer *writer, const char *key)
{
	assert(writer->depth > 0 && !writer->has_key);
	begin_item(writer);
	add_string(writer->out, key, strlen(key));
	mm_buffer_add_char(writer->out, ':');
	writer->has_key = true;
}

void mm_json_write_raw(struct mm_json_writer *writer, const char *json, size_t length)
{
	begin_item(writer);
	mm_buffer_add(writer->out, json, length);
}

void mm_json_write_bytes(struct mm_json_writer *writer, const char *text, size_t length)
{
	begin_item(writer);
	add_string(writer->out, text, length);
}

void mm_json_write_null(struct mm_json_writer *writer)
{
	mm_json_write_raw(writer, "null", 4);
}

void mm_json_write_text(struct mm_json_writer *writer, const char *text)
{
	if (text == NULL)
		mm_json_write_null(writer);
	else
		mm_json_write_bytes(writer, text, strlen(text));
}

void mm_json_write_bool(struct mm_json_writer *writer, bool value)
{
	mm_json_write_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void mm_json_write_i64(struct mm_json_writer *writer, int64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--at] = '-';
	mm_json_write_raw(writer, digits + at, sizeof(digits) - at);
}

/* Length of a number's text without zeros at the end of its decimals. */
static size_t trim_decimals(const char *text, size_t length)
{
	if (memchr(text, '.', length) == NULL)
		return length;
	while (text[length - 1] == '0')
		length--;
	return text[length - 1] == '.' ? length - 1 : length;
}

/*
 * Writes value with that many decimals into text by whole numbers; returns the length, or 0 where
 * that may round otherwise than printf does (large values, many decimals, near a half).
 */
static size_t format_fixed(char text[NUMBER_TEXT], double value, int decimals)
{
	static const int64_t scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

	if (decimals >= (int)(sizeof(scales) / sizeof(scales[0])) || !(fabs(value) < 1e6))
		return 0;
	const double scaled = fabs(value) * (double)scales[decimals];
	int64_t whole = (int64_t)(scaled + 0.5);
	if (fabs(scaled - (double)(int64_t)scaled - 0.5) < 1e-6)
		return 0;
	char *at = text + NUMBER_TEXT;
	for (int digit = 0; digit <= decimals || whole > 0; digit++) {
		if (digit == decimals && decimals > 0)
			*--at = '.';
		*--at = (char)('0' + whole % 10);
		whole /= 10;
	}
	if (value < 0)
		*--at = '-';
	const size_t length = (size_t)(text + NUMBER_TEXT - at);
	memmove(text, at, length);
	return length;
}

void mm_json_write_double(struct mm_json_writer *writer, double value, int decimals)
{
	char text[NUMBER_TEXT];

	assert(decimals >= 0 && decimals <= 17);
	if (!isfinite(value)) {
		mm_json_write_null(writer);
		return;
	}
	size_t length = format_fixed(text, value, decimals);
	if (length == 0)
		length = (size_t)snprintf(text, sizeof(text), "%.*f", decimals, value);
	size_t trimmed = trim_decimals(text, length);
	if (trimmed == 2 && memcmp(text, "-0", 2) == 0)
		mm_json_write_raw(writer, "0", 1);
	else
		mm_json_write_raw(writer, text, trimmed);
}

void mm_json_pair_text(struct mm_json_writer *writer, const char *key, const char *text)
{
	mm_json_key(writer, key);
	mm_json_write_text(writer, text);
}

void mm_json_pair_bytes(struct mm_json_writer *writer, const char *key, const char *text,
			size_t length)
{
	mm_json_key(writer, key);
	mm_json_write_bytes(writer, text, length);
}

void mm_json_pair_i64(struct mm_json_writer *writer, const char *key, int64_t value)
{
	mm_json_key(writer, key);
	mm_json_write_i64(writer, value);
}

void mm_json_pair_double(struct mm_json_writer *writer, const char *key, double value, int decimals)
{
	mm_json_key(writer, key);
	mm_json_write_double(writer, value, decimals);
}

void mm_json_pair_bool(struct mm_json_writer *writer, const char *key, bool value)
{
	mm_json_key(writer, key);
	mm_json_write_bool(writer, value);
}

void mm_json_pair_null(struct mm_json_writer *writer, const char *key)
{
	mm_json_key(writer, key);
	mm_json_write_null(writer);
}

void mm_json_pair_raw(struct mm_json_writer *writer, const char *key, const char *json,
		      size_t length)
{
	mm_json_key(writer, key);
	mm_json_write_raw(writer, json, length);
}
