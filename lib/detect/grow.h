/*
 * grow: arrays that grow by doubling (floor 2, private to this folder).
 */
#ifndef MM_DETECT_GROW_H
#define MM_DETECT_GROW_H

#include <stdint.h>
#include <stdlib.h>

/* Gives `items`, moved if need be, with room for one more than `count` elements of `size` bytes;
 * NULL when there is no memory: then `items` is as it was. */
static inline void *mm_grow(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
	uint32_t wanted = *capacity ? *capacity * 2 : 256;
	void *bigger;

	if (count < *capacity)
		return items;
	bigger = realloc(items, wanted * size);
	if (bigger)
		*capacity = wanted;
	return bigger;
}

#endif
