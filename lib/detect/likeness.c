/* likeness.c: pairs of characters and numbers of a message, and how much two messages share of
 * them. What follows from sameness, conversation.c says. */
#include "config.h"

#include "detect/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "text/fold.h"
#include "text/utf8.h"

static const double same_min = 0.8;

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* Blanks and punctuation say nothing about sameness. */
static bool is_sign(uint32_t c)
{
	bool is_letter = c >= 'a' && c <= 'z';

	return (c < 0x80 && !is_digit(c) && !is_letter) || (c >= 0x3000 && c <= 0x303f) ||
	       c == 0x30fb;
}

/* A number under way. */
struct number {
	uint32_t hash;
	unsigned digits;
};

static void end_number(struct number *number, struct mm_likeness *out)
{
	if (number->digits >= MM_LIKENESS_DIGITS_MIN && out->number_count < MM_LIKENESS_NUMBERS_MAX)
		out->numbers[out->number_count++] = number->hash;
	*number = (struct number){.hash = 0};
}

static void read_folded(const struct mm_folded *text, struct mm_likeness *out)
{
	struct number number = {.hash = 0};
	uint32_t before = 0, now;

	for (size_t at = 0, step; at < text->length; at += step) {
		step = mm_utf8_decode(text->text + at, text->length - at, &now);
		if (step == 0)
			break;
		if (is_digit(now)) {
			number.hash = number.hash * 31u + now;
			number.digits++;
		} else {
			end_number(&number, out);
		}
		if (is_sign(now))
			continue;
		out->characters++;
		if (before != 0 && out->pair_count < MM_LIKENESS_PAIRS_MAX)
			out->pairs[out->pair_count++] = before * 0x9e3779b1u ^ now;
		before = now;
	}
	end_number(&number, out);
}

static bool is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Head and tail of a long message, one after the other; NULL when out of memory. */
static const char *take_ends(const char *utf8, size_t length, size_t *length_out,
			     struct mm_arena *arena)
{
	size_t head = MM_LIKENESS_END_BYTES, tail = length - MM_LIKENESS_END_BYTES;
	char *ends = mm_arena_alloc(arena, (size_t)2 * MM_LIKENESS_END_BYTES);

	while (is_inside_character(utf8[head]))
		head--;
	while (tail < length && is_inside_character(utf8[tail]))
		tail++;
	if (!ends)
		return NULL;
	memcpy(ends, utf8, head);
	memcpy(ends + head, utf8 + tail, length - tail);
	*length_out = head + length - tail;
	return ends;
}

static bool is_long(size_t length)
{
	return length > (size_t)2 * MM_LIKENESS_END_BYTES;
}

enum mm_status mm_likeness_read(const char *utf8, size_t length, struct mm_likeness *out,
				struct mm_arena *arena, struct mm_error *err)
{
	struct mm_folded folded;
	enum mm_status status;
	size_t compared = length;

	if (is_long(length))
		utf8 = take_ends(utf8, length, &compared, arena);
	if (!utf8 && length > 0)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the history");
	status = mm_fold(utf8, compared, MM_FOLD_SQUEEZED, &folded, arena, err);
	if (status != MM_OK)
		return status;
	out->length = length;
	out->characters = out->pair_count = out->number_count = 0;
	read_folded(&folded, out);
	qsort(out->pairs, out->pair_count, sizeof(out->pairs[0]), by_value);
	return MM_OK;
}

/* Dice's coefficient of the two bags of pairs. */
static double share(const struct mm_likeness *a, const struct mm_likeness *b)
{
	size_t i = 0, j = 0, common = 0;

	while (i < a->pair_count && j < b->pair_count) {
		if (a->pairs[i] == b->pairs[j]) {
			common++, i++, j++;
		} else if (a->pairs[i] < b->pairs[j]) {
			i++;
		} else {
			j++;
		}
	}
	return a->pair_count + b->pair_count
		   ? 2.0 * (double)common / (double)(a->pair_count + b->pair_count)
		   : 0.0;
}

static bool has_number(const struct mm_likeness *likeness, uint32_t number)
{
	for (size_t i = 0; i < likeness->number_count; i++)
		if (likeness->numbers[i] == number)
			return true;
	return false;
}

static bool has_new_number(const struct mm_likeness *message, const struct mm_likeness *earlier)
{
	for (size_t i = 0; i < message->number_count; i++)
		if (!has_number(earlier, message->numbers[i]))
			return true;
	return false;
}

bool mm_likeness_is_possible(const struct mm_likeness *message, size_t earlier_length)
{
	size_t small = message->length < earlier_length ? message->length : earlier_length;
	size_t large = message->length < earlier_length ? earlier_length : message->length;

	if (small == 0)
		return false;
	/* The middle of a long message is not read: its length has to speak for it. */
	return is_long(large) ? large - small <= large / 16 : large / 3 <= small;
}

bool mm_likeness_is_same(const struct mm_likeness *message, const struct mm_likeness *earlier)
{
	return share(message, earlier) >= same_min && !has_new_number(message, earlier);
}
