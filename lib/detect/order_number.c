/* order_number.c: looks for order numbers by their shape or by the word before them. It does not
 * know which numbers a shop has given out. */
#include "config.h"

#include "detect/order_number.h"

#include <stdbool.h>
#include <string.h>

#include "text/utf8.h"

enum {
	VALUE_MIN = 4,
	VALUE_MAX = 32,
	DIGITS_MIN = 3,
	PREFIX_MIN = 2,
	PREFIX_MAX = 6,
	LABEL_GAP = 6, /* blanks and signs between the word and the number */
	HASH_MAX = 12
};

/* The message in half width, a byte a character; other scripts are one byte 1. */
struct half {
	char *text;       /* upper case */
	uint32_t *offset; /* byte in the message; one more than there are characters */
	size_t count;
};

struct finder {
	struct half half;
	const char *message;
	struct mm_order_number *found;
	size_t found_count;
	struct mm_arena *arena;
};

/* Words that make what follows an order number, as they are in the message. */
static const char *const labels[] = {
    "注文番号", "ご注文番号", "受注番号",     "オーダー番号", "オーダーNo",   "注文No",
    "注文ID",   "注文NO",     "注文no",       "order number", "Order number", "Order Number",
    "order no", "Order no",   "Order No",     "order id",     "Order ID",     "order ID",
    "order #",  "Order #",    "注文ナンバー",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_part(char c)
{
	return is_digit(c) || is_letter(c) || c == '-';
}

/* ASCII and its full-width twins, hyphens of all kinds to '-'. */
static char half_width(uint32_t c)
{
	static const uint32_t hyphens[] = {0x2010, 0x2011, 0x2012, 0x2013, 0x2014,
					   0x2015, 0x2212, 0xff0d, 0x30fc, 0xff70};

	for (size_t i = 0; i < sizeof(hyphens) / sizeof(hyphens[0]); i++)
		if (c == hyphens[i])
			return '-';
	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xfee0;
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	if (c == 0x3000)
		return ' ';
	return c < 0x80 && c > 1 ? (char)c : 1;
}

static bool make_half(struct finder *f, size_t length)
{
	f->half.text = mm_arena_alloc(f->arena, length + 1);
	f->half.offset = mm_arena_array(f->arena, length + 1, sizeof(*f->half.offset));
	if (!f->half.text || !f->half.offset)
		return false;
	for (size_t at = 0; at < length;) {
		uint32_t c = 0;
		size_t step = mm_utf8_decode(f->message + at, length - at, &c);

		f->half.offset[f->half.count] = (uint32_t)at;
		f->half.text[f->half.count++] = half_width(c);
		at += step ? step : 1;
	}
	f->half.text[f->half.count] = '\0';
	f->half.offset[f->half.count] = (uint32_t)length;
	return true;
}

static bool is_known(const struct finder *f, const char *value)
{
	for (size_t i = 0; i < f->found_count; i++)
		if (strcmp(f->found[i].value, value) == 0)
			return true;
	return false;
}

/* Adds characters [start, end). False: out of memory. */
static bool add(struct finder *f, size_t start, size_t end)
{
	const char *value = mm_arena_strndup(f->arena, f->half.text + start, end - start);

	if (!value)
		return false;
	if (f->found_count < MM_ORDER_NUMBERS_MAX && !is_known(f, value))
		f->found[f->found_count++] =
		    (struct mm_order_number){f->half.offset[start], f->half.offset[end], value};
	return true;
}

/* The end of the letters, digits and hyphens from `start`, and how many digits there are. */
static size_t run_end(const struct half *half, size_t start, size_t *digits_out)
{
	size_t end = start, digits = 0;

	while (end < half->count && is_part(half->text[end])) {
		digits += is_digit(half->text[end]);
		end++;
	}
	while (end > start && half->text[end - 1] == '-')
		end--;
	*digits_out = digits;
	return end;
}

/* AB-123, AB-2026-0001: letters, then groups, the first of three digits or more. */
static bool has_prefix_shape(const struct half *half, size_t start, size_t end)
{
	size_t letters = 0, digits = 0;

	while (start + letters < end && is_letter(half->text[start + letters]))
		letters++;
	if (letters < PREFIX_MIN || letters > PREFIX_MAX || start + letters == end ||
	    half->text[start + letters] != '-')
		return false;
	for (size_t i = start + letters + 1; i < end && is_digit(half->text[i]); i++)
		digits++;
	return digits >= DIGITS_MIN;
}

static bool is_marketplace_shape(const struct half *half, size_t start, size_t end)
{
	static const char shape[] = "ddd-ddddddd-ddddddd";

	if (end - start != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < end - start; i++)
		if (shape[i] == 'd' ? !is_digit(half->text[start + i])
				    : half->text[start + i] != '-')
			return false;
	return true;
}

static bool is_all_digits(const struct half *half, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++)
		if (!is_digit(half->text[i]))
			return false;
	return end > start;
}

static bool ends_with(const char *text, size_t length, const char *suffix)
{
	size_t suffix_length = strlen(suffix);

	return length >= suffix_length &&
	       memcmp(text + length - suffix_length, suffix, suffix_length) == 0;
}

/* True when a label stands before character `start`, with blanks and signs between at most. */
static bool has_label(const struct finder *f, size_t start)
{
	for (size_t back = 0; back <= LABEL_GAP && back <= start; back++) {
		size_t bytes = f->half.offset[start - back];

		for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
			if (ends_with(f->message, bytes, labels[i]))
				return true;
		if (back < start && is_part(f->half.text[start - back - 1]))
			return false;
	}
	return false;
}

static bool is_order_number(const struct finder *f, size_t start, size_t end, size_t digits)
{
	const struct half *half = &f->half;
	size_t length = end - start;

	if (length > VALUE_MAX || digits < DIGITS_MIN)
		return false;
	if (has_prefix_shape(half, start, end) || is_marketplace_shape(half, start, end))
		return true;
	if (length < VALUE_MIN)
		return false;
	if (start > 0 && half->text[start - 1] == '#' && length <= HASH_MAX &&
	    is_all_digits(half, start, end))
		return true;
	return has_label(f, start);
}

static bool find_all(struct finder *f)
{
	for (size_t at = 0; at < f->half.count;) {
		size_t digits, end;

		if (!is_part(f->half.text[at]) || f->half.text[at] == '-') {
			at++;
			continue;
		}
		end = run_end(&f->half, at, &digits);
		if (is_order_number(f, at, end, digits) && !add(f, at, end))
			return false;
		at = end;
	}
	return true;
}

enum mm_status mm_order_number_find(const char *text, size_t length, struct mm_order_number **out,
				    size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct finder finder = {.message = text, .arena = arena};

	finder.found = mm_arena_array(arena, MM_ORDER_NUMBERS_MAX, sizeof(*finder.found));
	if (!finder.found || !make_half(&finder, length) || !find_all(&finder))
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for order numbers");
	*out = finder.found;
	*count_out = finder.found_count;
	return MM_OK;
}
