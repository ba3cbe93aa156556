/*
 * arena: memory with one lifetime (floor 0).
 *
 * Shape    struct mm_arena is opaque but for the two pointers of the inlined fast path; make it
 *          with mm_arena_new, never on the stack
 * Units    sizes are bytes; everything returned is aligned for any type (16 bytes)
 * Own      what an arena returns dies at mm_arena_reset or mm_arena_free; nothing is freed alone
 * Errors   NULL: the system is out of memory or the arena's limit is reached. The arena stays
 *          usable, and a smaller request may still succeed
 * Threads  an arena belongs to one thread at a time
 *
 * Allocating is a comparison and an addition; releasing a whole request is one call. In return
 * memory is not reused before the reset: do not allocate in an unbounded loop, use a buffer.
 * Built with AddressSanitizer, the bytes that were not handed out are poisoned.
 */
#ifndef MM_BASE_ARENA_H
#define MM_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

enum {
	MM_ARENA_ALIGNMENT = 16,
	MM_ARENA_FIRST_BLOCK = 16 * 1024, /* bytes; each further block doubles */
};

struct mm_arena_block;
struct mm_arena_cleanup;

struct mm_arena {
	char *next; /* where the fast path takes from, aligned; private */
	char *end;  /* where it stops; private */
	struct mm_arena_block *block;
	struct mm_arena_cleanup *cleanups;
	size_t reserved;
	size_t limit;
};

/*
 * Makes an arena whose blocks add up to `limit` bytes at most; 0 means no limit. Returns NULL when
 * out of memory.
 */
struct mm_arena *mm_arena_new(size_t limit);

/* Resets the arena and frees it. NULL is allowed. */
void mm_arena_free(struct mm_arena *arena);

/*
 * Runs the cleanups, last registered first, while the arena's memory is still readable; then takes
 * all memory back. The first block is kept for the next use, the others are freed.
 */
void mm_arena_reset(struct mm_arena *arena);

/* Calls `cleanup(argument)` at the next reset. On MM_NO_MEMORY nothing is registered: the caller
 * releases `argument` itself. */
enum mm_status mm_arena_on_reset(struct mm_arena *arena, void (*cleanup)(void *argument),
				 void *argument);

/* The part of mm_arena_alloc that leaves the current block; call mm_arena_alloc instead. */
void *mm_arena_alloc_slow(struct mm_arena *arena, size_t size);

/* Returns `size` uninitialised bytes, or NULL. A size of 0 returns a pointer that may not be read.
 */
static inline void *mm_arena_alloc(struct mm_arena *arena, size_t size)
{
	size_t room = (size_t)(arena->end - arena->next);

	if (__builtin_expect(size > room || size == 0, 0))
		return mm_arena_alloc_slow(arena, size);
	char *memory = arena->next;
	/* Blocks end on the alignment, so rounding up cannot pass the end. */
	arena->next += (size + MM_ARENA_ALIGNMENT - 1) & ~(size_t)(MM_ARENA_ALIGNMENT - 1);
	return memory;
}

/* Returns `size` zero bytes, or NULL. */
static inline void *mm_arena_zalloc(struct mm_arena *arena, size_t size)
{
	void *memory = mm_arena_alloc(arena, size);

	return memory ? memset(memory, 0, size) : NULL;
}

/* Returns `count` zeroed elements of `size` bytes, or NULL, also when the product overflows. */
static inline void *mm_arena_array(struct mm_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return mm_arena_zalloc(arena, bytes);
}

/*
 * Makes `memory`, which this arena returned for `old_size` bytes, `new_size` bytes long where it
 * is. False, and nothing happened, when it is not the latest allocation, would shrink, or its block
 * has no room: allocate and copy then.
 */
bool mm_arena_extend(struct mm_arena *arena, void *memory, size_t old_size, size_t new_size);

/* Copies the NUL-terminated `text`, or returns NULL. */
char *mm_arena_strdup(struct mm_arena *arena, const char *text);

/* Copies exactly `length` bytes, NUL bytes included, and adds a NUL; or returns NULL. */
char *mm_arena_strndup(struct mm_arena *arena, const char *text, size_t length);

/* Formats as printf does; NULL when out of memory or when the format cannot be applied. */
char *mm_arena_printf(struct mm_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
