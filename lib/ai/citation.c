/* citation: finds marks and leaves them out. */
#include "config.h"

#include "ai/citation.h"

#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

enum { NUMBER_MAX = 999, MARK_BYTES_MAX = 64 /* that a text in parts is held for */ };

static const char *const opening[] = {"[", "［", "【", NULL};
static const char *const closing[] = {"]", "］", "】", NULL};
static const char *const signs[] = {"#", "＃", NULL};
static const char *const between[] = {",", "、", "，", " ", NULL};
static const char *const digits[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",
				     "7",  "8",  "9",  "０", "１", "２", "３",
				     "４", "５", "６", "７", "８", "９", NULL};

/* Takes one of the words off the start; returns its index, or -1. */
static int take(const char **at, const char *end, const char *const words[])
{
	for (int i = 0; words[i]; i++) {
		const size_t length = strlen(words[i]);
		if (length <= (size_t)(end - *at) && memcmp(*at, words[i], length) == 0) {
			*at += length;
			return i;
		}
	}
	return -1;
}

/* Takes "#12"; false where there is none. */
static bool take_number(const char **at, const char *end, unsigned *number_out)
{
	bool has_digit = false;
	unsigned number = 0;
	if (take(at, end, signs) < 0)
		return false;
	for (int digit; (digit = take(at, end, digits)) >= 0; has_digit = true)
		number = number > NUMBER_MAX ? number : number * 10 + (unsigned)(digit % 10);
	*number_out = number;
	return has_digit;
}

/* Where the mark at `at` ends, or NULL where there is none. */
static const char *skip_mark(const char *at, const char *end, size_t source_count, unsigned *cited)
{
	unsigned set = 0, number;
	if (take(&at, end, opening) < 0)
		return NULL;
	do {
		if (!take_number(&at, end, &number))
			return NULL;
		if (number > 0 && number <= source_count)
			set |= 1u << (number - 1);
		while (take(&at, end, between) >= 0)
			continue;
	} while (take(&at, end, closing) < 0);
	*cited |= set;
	return at;
}

const char *mm_citation_take(const char *text, size_t length, size_t source_count,
			     unsigned *cited_out, struct mm_arena *arena)
{
	const char *end = text + length;
	struct mm_buffer out;
	*cited_out = 0;
	mm_buffer_init(&out, length + 1, 0, arena);
	while (text < end) {
		const char *after = skip_mark(text, end, source_count, cited_out);
		if (!after) {
			mm_buffer_add_char(&out, *text++);
			continue;
		}
		while (out.length > 0 && out.data[out.length - 1] == ' ')
			out.length--;
		text = after;
	}
	return out.has_failed ? NULL : mm_buffer_text(&out);
}

/* Whether the text ends before a mark that begins at `at` does. */
static bool is_open(const char *at, const char *end)
{
	unsigned number;
	if (take(&at, end, opening) < 0)
		return false;
	while (at < end) {
		if (!take_number(&at, end, &number))
			return at == end;
		while (take(&at, end, between) >= 0)
			continue;
		if (take(&at, end, closing) >= 0)
			return false;
	}
	return true;
}

size_t mm_citation_open_end(const char *text, size_t length)
{
	const char *const end = text + length;
	const size_t first = length > MARK_BYTES_MAX ? length - MARK_BYTES_MAX : 0;
	size_t at = length;
	for (size_t start = length; start-- > first;)
		if (is_open(text + start, end))
			at = start;
	while (at > 0 && text[at - 1] == ' ')
		at--;
	return length - at;
}
