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
 * Digits count as one character, because amounts and dates say nothing about manners, and so do
 * blanks. A mark stands before the first and after the last character: how a message begins and
 * ends says much. Reading the trainer's and the detector's texts through this file is what keeps
 * them alike.
 */
#ifndef MM_DETECT_GRAMS_H
#define MM_DETECT_GRAMS_H

#include <stdint.h>

enum { MM_GRAM_LONGEST = 5, MM_GRAM_EDGE = 2 /* the mark at both ends */ };

static inline uint32_t mm_gram_character(uint32_t code_point)
{
	if (code_point - '0' < 10)
		return '0';
	return code_point == '\n' ? ' ' : code_point;
}

/* The hash of a gram and one more character; begin with 0. */
static inline uint64_t mm_gram_extend(uint64_t hash, uint32_t character)
{
	return (hash + character + 1) * 0x9e3779b97f4a7c15u;
}

#endif
