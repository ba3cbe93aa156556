/*
 * passage: the part of a long article that a question is about (floor 3).
 *
 * Units    lengths are bytes; max_code_points is code points
 * Own      what is returned lives in the arena, or is `body` itself where all of it fits
 * Errors   NULL: out of memory
 * Threads  pure
 *
 * The body is cut into pieces of whole lines; only a line that is too long is cut itself. The piece that has most of the question in it is
 * taken, then what follows it, then what stands before it, as long as there is room: one stretch of
 * the text. The disadvantage: an answer that needs two distant places gets one.
 */
#ifndef MM_AI_PASSAGE_H
#define MM_AI_PASSAGE_H

#include <stddef.h>

#include "base/buffer.h"

struct mm_piece {
	size_t start, end; /* bytes of the body */
	size_t code_points;
};

/* Appends the pieces of a body, of at most `max_code_points` each, in order and without a gap. */
void mm_passage_cut(const char *body, size_t max_code_points, struct mm_buffer *pieces);

/* `body` is NUL-terminated, question has `length` bytes; both are valid UTF-8. */
const char *mm_passage_choose(const char *body, const char *question, size_t length,
			      size_t max_code_points, struct mm_arena *arena);

#endif
