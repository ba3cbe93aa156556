/*
 * citation: the marks by which a model says which source it used (floor 3).
 *
 * Units    lengths are bytes
 * Own      what is returned lives in the arena
 * Errors   NULL: out of memory
 * Threads  pure
 *
 * A mark is [#1], also with several numbers, with full-width signs or with 【】, as models write it;
 * the spaces before it belong to it. Customers do not see marks.
 */
#ifndef MM_AI_CITATION_H
#define MM_AI_CITATION_H

#include <stddef.h>

#include "base/arena.h"

/*
 * The text without marks. *cited_out: a bit for each source that is named, bit 0 for [#1]; numbers
 * that are 0 or more than `source_count` (at most 32) name none, but their marks go all the same.
 * For a text in parts: any part without mm_citation_open_end.
 */
const char *mm_citation_take(const char *text, size_t length, size_t source_count,
			     unsigned *cited_out, struct mm_arena *arena);

/*
 * How many bytes at the end of a text that goes on may be a mark's beginning, or the spaces before
 * one. A character that is not whole counts as none.
 */
size_t mm_citation_open_end(const char *text, size_t length);

#endif
