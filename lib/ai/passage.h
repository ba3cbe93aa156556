/*
 * passage: the part of a long article that a question is about (floor 3).
 *
 * Units    lengths are bytes; max_code_points is code points
 * Own      what is returned lives in the arena, or is `body` itself where all of it fits
 * Errors   NULL: out of memory
 * Threads  pure
 *
 * The body is cut into pieces at its line ends. The piece that has most of the question in it is
 * taken, then what follows it, then what stands before it, as long as there is room: one stretch of
 * the text. The disadvantage: an answer that needs two distant places gets one.
 */
#ifndef MM_AI_PASSAGE_H
#define MM_AI_PASSAGE_H

#include <stddef.h>

#include "base/arena.h"

/* `body` is NUL-terminated, question has `length` bytes; both are valid UTF-8. */
const char *mm_passage_choose(const char *body, const char *question, size_t length,
			      size_t max_code_points, struct mm_arena *arena);

#endif
