/*
 * intern: texts to small numbers, equal texts to equal numbers (floor 2, private to this folder).
 *
 * Own      the table grows by malloc; the texts are borrowed and must outlive it
 */
#ifndef MM_DETECT_INTERN_H
#define MM_DETECT_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mm_intern {
	uint32_t *slots; /* number + 1, 0 when free; never more than half full */
	size_t slot_count;
	const char **texts; /* by number */
	uint32_t count, capacity;
};

/* Gives the number of `text`, the next free one when it is new. False: out of memory. A table that
 * is all zero is empty. */
bool mm_intern_add(struct mm_intern *table, const char *text, uint32_t *number_out);

void mm_intern_free(struct mm_intern *table);

#endif
