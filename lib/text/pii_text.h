/*
 * pii_text: a message as code points, for the matchers of pii (floor 1, private to lib/text).
 *
 * Shape    struct mm_pii_text: points with full-width ASCII made half width, offsets of each in the
 *          message. A matcher says whether personal data begins at a point, and where it ends
 * Units    places are indexes of points; offsets are bytes
 * Own      arrays live in the arena of the caller
 * Errors   none
 * Threads  safe everywhere
 * Source   see pii.h
 *
 * Every matcher looks a bounded number of points back and ahead, which keeps the search linear.
 */
#ifndef MM_TEXT_PII_TEXT_H
#define MM_TEXT_PII_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uchar.h>

#include "text/pii.h"

struct mm_pii_text {
	const char32_t *points;  /* count of them, and a 0 at the end */
	const uint32_t *offsets; /* count of them, and the length of the message */
	size_t count;
};

/* A match in points. */
struct mm_pii_match {
	size_t start, end;
	enum mm_pii_kind kind;
};

/* The point at a place; 0 beyond the end. */
static inline char32_t mm_pii_point(const struct mm_pii_text *text, size_t at)
{
	return at < text->count ? text->points[at] : 0;
}

static inline bool mm_pii_is_digit(char32_t point)
{
	return point >= '0' && point <= '9';
}

static inline bool mm_pii_is_latin(char32_t point)
{
	return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
}

/* - and what people type for it between digits, the long vowel sign among them. */
bool mm_pii_is_hyphen(char32_t point);

/* Length of word when it stands at a place, else 0. Latin words are compared without case. */
size_t mm_pii_word_at(const struct mm_pii_text *text, size_t at, const char32_t *word);

/* Whether one of the words (ended by NULL) stands before a place, with nothing but signs, spaces
 * and particles such as 番号は： between. */
bool mm_pii_has_word_before(const struct mm_pii_text *text, size_t at,
			    const char32_t *const *words);

/* Length of the name of a prefecture at a place, else 0. */
size_t mm_pii_prefecture_at(const struct mm_pii_text *text, size_t at);

/* Whether 円, 個 and the like stand at a place: what is before it is an amount. */
bool mm_pii_is_unit_at(const struct mm_pii_text *text, size_t at);

/* Whether a word before a place says that the number is an order's, a parcel's, a product's. */
bool mm_pii_is_other_number(const struct mm_pii_text *text, size_t at);
bool mm_pii_is_other_english(const struct mm_pii_text *text, size_t at);

/* The matchers. before is the last match, or NULL. */
bool mm_pii_match_number(const struct mm_pii_text *text, size_t at,
			 const struct mm_pii_match *before, struct mm_pii_match *out);
bool mm_pii_match_foreign(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out);
bool mm_pii_match_street(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out);
bool mm_pii_match_address(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out);

#endif
