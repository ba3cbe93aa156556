/* grams.c: what of a message the grams are made of. */
#include "config.h"

#include "detect/grams.h"

#include <string.h>

enum { NUMBER_DIGITS = 4 /* a word with as many is the number or the address of something */ };

static inline bool is_digit(uint32_t c)
{
	return c - '0' < 10;
}

static inline bool is_ascii_alnum(uint32_t c)
{
	return is_digit(c) || (c | 0x20) - 'a' < 26;
}

/* What order numbers, dates, amounts, identifiers and addresses are held together by. */
static inline bool is_joint(uint32_t c)
{
	return c > 0 && c < 0x80 && strchr("-_./@:%?=&#+~,", (int)c);
}

/* The end of the word that begins at `at`, and how many digits it has. */
static uint32_t end_of_word(const uint32_t *characters, uint32_t count, uint32_t at,
			    uint32_t *digits)
{
	uint32_t end = at;

	*digits = 0;
	for (; at < count && (is_ascii_alnum(characters[at]) || is_joint(characters[at])); at++) {
		*digits += is_digit(characters[at]);
		if (is_ascii_alnum(characters[at]))
			end = at + 1;
	}
	return end;
}

uint32_t mm_gram_text(const uint32_t *characters, uint32_t count, uint32_t *out, uint32_t *places)
{
	uint32_t length = 0, digits, word_end = 0;

	for (uint32_t at = 0; at < count; at++) {
		const uint32_t c = characters[at];
		const bool is_new_word = at >= word_end && is_ascii_alnum(c);

		if (is_new_word)
			word_end = end_of_word(characters, count, at, &digits);
		else if (is_digit(c) && length > 0 && out[length - 1] == '0')
			continue;
		if (places)
			places[length] = at;
		if (is_new_word && digits >= NUMBER_DIGITS) {
			out[length++] = '0';
			at = word_end - 1;
			continue;
		}
		out[length++] = is_digit(c) ? '0' : c == '\n' ? ' ' : c;
	}
	return length;
}

void mm_grams_each(const uint32_t *text, uint32_t count, unsigned longest,
		   bool (*goes_on)(void *self, uint64_t hash, unsigned length, uint32_t at),
		   void *self)
{
	for (uint32_t first = 0; first < count + 2; first++) {
		uint64_t hash = 0;

		for (uint32_t at = first; at < count + 2 && at - first < longest; at++) {
			hash = mm_gram_extend(hash, mm_gram_at(text, count, at));
			if (!goes_on(self, hash, at - first + 1, first))
				break;
		}
	}
}
