/*
 * guard_phrases: what a support bot may not say (floor 3, private to lib/ai).
 *
 * Shape    a const table of rows. A row holds when one of `first` stands in a sentence and one of
 *          `second` (NULL: none is needed) within `gap` bytes behind it, none of `between` from
 *          one to the other, and none of `unless` anywhere in the sentence
 * Units    lists are words with | between, as mm_fold() makes them in its PLAIN view: small letters,
 *          hiragana for katakana
 * Own      const data
 * Errors   none
 * Threads  const
 */
#ifndef MM_AI_GUARD_PHRASES_H
#define MM_AI_GUARD_PHRASES_H

#include <stddef.h>

#include "ai/guard.h"

struct mm_guard_phrase {
	enum mm_guard_code code;
	const char *first, *second;
	size_t gap;
	const char *between, *unless; /* NULL: nothing */
};

extern const struct mm_guard_phrase mm_guard_phrases[];
extern const size_t mm_guard_phrase_count;

#endif
