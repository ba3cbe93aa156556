/*
 * fold_output: folded text while it is written (floor 1, private to lib/text).
 *
 * Shape    three arrays in one allocation; whoever writes makes room first
 * Units    length and capacity are bytes; source places are code points
 * Own      memory lives in the arena
 * Errors   mm_fold_output_open() returns false: out of memory
 * Threads  belongs to one thread
 * Source   none
 */
#ifndef MM_TEXT_FOLD_OUTPUT_H
#define MM_TEXT_FOLD_OUTPUT_H

#include <string.h>

#include "text/fold.h"
#include "text/fold_table.h"

struct mm_fold_output {
	char *text;
	uint32_t *start, *end;
	size_t length, capacity;
};

/* Takes memory for capacity bytes and MM_FOLD_LONGEST more, which a writer may scribble on. */
bool mm_fold_output_open(struct mm_fold_output *output, size_t capacity, struct mm_arena *arena);

/* Ends the text with a NUL and hands the arrays over. */
void mm_fold_output_close(struct mm_fold_output *output, struct mm_folded *out);

/* Appends size bytes (1 to 4) that came from source code points [start, end). Room is a must. */
static inline void mm_fold_output_add(struct mm_fold_output *output, const char *bytes, size_t size,
				      uint32_t start, uint32_t end)
{
	size_t at = output->length;

	/* Unrolled: a copy of unknown length would be a call. */
	output->text[at] = bytes[0];
	if (size > 1)
		output->text[at + 1] = bytes[1];
	if (size > 2)
		output->text[at + 2] = bytes[2];
	if (size > 3)
		output->text[at + 3] = bytes[3];
	/* Four places at once cost less than a loop; what is too many is overwritten later. */
	uint32_t starts[4] = {start, start, start, start};
	uint32_t ends[4] = {end, end, end, end};
	memcpy(output->start + at, starts, sizeof(starts));
	memcpy(output->end + at, ends, sizeof(ends));
	output->length = at + size;
}

#endif
