/*
 * grams: the character n-grams of a message, as numbers (floor 2, private to this folder and to
 * the trainer).
 *
 * Shape    a gram is MM_GRAM_LONGEST neighbouring characters at most; its number is a 64-bit
 *          hash that is carried on from character to character
 * Units    characters are code points of the plain view (text/fold.h)
 * Source   the hash is multiplicative, by 2^64 divided by the golden ratio (Knuth, The Art of
 *          Computer Programming, volume 3, section 6.4)
 *
 * Amounts, dates, order numbers and addresses say nothing about manners: digits in a row are one
 * character, and so is a whole ASCII word with four digits or more. Blanks are alike. A mark stands
 * before the first and after the last character: how a message begins and ends says much. Reading
 * the trainer's and the detector's texts through this file is what keeps them alike.
 */
#ifndef MM_DETECT_GRAMS_H
#define MM_DETECT_GRAMS_H

#include <stdbool.h>
#include <stdint.h>

enum { MM_GRAM_LONGEST = 5, MM_GRAM_EDGE = 2 /* the mark at both ends */ };

/*
 * Writes what of `count` characters the grams are made of to `out`, and to `places` (unless NULL)
 * where each came from. Both have room for `count`; `out` may be `characters`. Returns the length.
 * Reading a text that was read changes nothing.
 */
uint32_t mm_gram_text(const uint32_t *characters, uint32_t count, uint32_t *out, uint32_t *places);

/* Character `at` of a text with a mark at each end: count + 2 in all. */
static inline uint32_t mm_gram_at(const uint32_t *text, uint32_t count, uint32_t at)
{
	return at == 0 || at > count ? MM_GRAM_EDGE : text[at - 1];
}

/* The hash of a gram and one more character; begin with 0. */
static inline uint64_t mm_gram_extend(uint64_t hash, uint32_t character)
{
	return (hash + character + 1) * 0x9e3779b97f4a7c15u;
}

/*
 * Calls `goes_on` with the hash of every gram of a text that mm_gram_text has read; a gram is only
 * made longer when it was accepted. `at` is the gram's first character, the mark being 0.
 */
void mm_grams_each(const uint32_t *text, uint32_t count, unsigned longest,
		   bool (*goes_on)(void *self, uint64_t hash, unsigned length, uint32_t at),
		   void *self);

#endif
