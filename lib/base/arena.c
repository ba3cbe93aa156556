/*
 * arena: blocks from malloc, handed out from the front. Not a general allocator: nothing is
 * returned before the reset.
 */
#include "config.h"

#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HAS_POISON 1
#else
#define HAS_POISON                                0
#define ASAN_POISON_MEMORY_REGION(memory, size)   ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

struct mm_arena_block {
	struct mm_arena_block *previous; /* NULL in the first */
	size_t size;                     /* of bytes[], a multiple of the alignment */
	alignas(MM_ARENA_ALIGNMENT) char bytes[];
};

struct mm_arena_cleanup {
	struct mm_arena_cleanup *previous;
	void (*function)(void *argument);
	void *argument;
};

static_assert(sizeof(struct mm_arena_block) % MM_ARENA_ALIGNMENT == 0, "bytes[] is aligned");
static_assert(alignof(max_align_t) <= MM_ARENA_ALIGNMENT, "fit for any type");

static size_t round_down(size_t size)
{
	return size & ~(size_t)(MM_ARENA_ALIGNMENT - 1);
}

static size_t round_up(size_t size)
{
	return round_down(size + MM_ARENA_ALIGNMENT - 1);
}

static size_t room(const struct mm_arena *arena)
{
	return (size_t)(arena->block->bytes + arena->block->size - arena->next);
}

/*
 * Lets the next allocation start at `next` in the current block. Under AddressSanitizer the fast
 * path always finds the block full, so that every allocation is unpoisoned here, whether or not the
 * file that asks was built with the sanitizer.
 */
static void set_next(struct mm_arena *arena, char *next)
{
	arena->next = next;
	arena->end = HAS_POISON ? next : arena->block->bytes + arena->block->size;
}

/* Makes a block of `size` bytes, a multiple of the alignment, the current one. */
static bool add_block(struct mm_arena *arena, size_t size)
{
	struct mm_arena_block *block = NULL;
	size_t bytes;

	if (!__builtin_add_overflow(sizeof(*block), size, &bytes))
		block = malloc(bytes);
	if (!block)
		return false;
	block->previous = arena->block;
	block->size = size;
	arena->block = block;
	arena->reserved += size;
	ASAN_POISON_MEMORY_REGION(block->bytes, size);
	set_next(arena, block->bytes);
	return true;
}

/* Adds a block with room for `needed` bytes: twice the last one where limit and memory allow it. */
static bool grow(struct mm_arena *arena, size_t needed)
{
	size_t allowed = round_down(arena->limit - arena->reserved);
	size_t size = arena->block->size * 2;

	if (needed > allowed)
		return false;
	if (size > allowed)
		size = allowed;
	if (size < needed)
		size = needed;
	return add_block(arena, size) || (size > needed && add_block(arena, needed));
}

struct mm_arena *mm_arena_new(size_t limit)
{
	struct mm_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->limit = limit ? limit : SIZE_MAX;
	size_t size = MM_ARENA_FIRST_BLOCK;
	if (!add_block(arena, size < arena->limit ? size : round_down(arena->limit))) {
		free(arena);
		return NULL;
	}
	return arena;
}

void mm_arena_free(struct mm_arena *arena)
{
	if (!arena)
		return;
	mm_arena_reset(arena);
	ASAN_UNPOISON_MEMORY_REGION(arena->block->bytes, arena->block->size);
	free(arena->block);
	free(arena);
}

void mm_arena_reset(struct mm_arena *arena)
{
	while (arena->cleanups) {
		struct mm_arena_cleanup cleanup = *arena->cleanups;

		arena->cleanups = cleanup.previous;
		cleanup.function(cleanup.argument);
	}
	while (arena->block->previous) {
		struct mm_arena_block *block = arena->block;

		arena->block = block->previous;
		arena->reserved -= block->size;
		ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
		free(block);
	}
	ASAN_POISON_MEMORY_REGION(arena->block->bytes, arena->block->size);
	set_next(arena, arena->block->bytes);
}

enum mm_status mm_arena_on_reset(struct mm_arena *arena, void (*cleanup)(void *argument),
				 void *argument)
{
	struct mm_arena_cleanup *entry = mm_arena_alloc(arena, sizeof(*entry));

	if (!entry)
		return MM_NO_MEMORY;
	*entry = (struct mm_arena_cleanup){arena->cleanups, cleanup, argument};
	arena->cleanups = entry;
	return MM_OK;
}

void *mm_arena_alloc_slow(struct mm_arena *arena, size_t size)
{
	if (size > SIZE_MAX - MM_ARENA_ALIGNMENT)
		return NULL;
	size_t needed = round_up(size ? size : 1);
	if (needed > room(arena) && !grow(arena, needed))
		return NULL;
	char *memory = arena->next;
	ASAN_UNPOISON_MEMORY_REGION(memory, size);
	set_next(arena, memory + needed);
	return memory;
}

bool mm_arena_extend(struct mm_arena *arena, void *memory, size_t old_size, size_t new_size)
{
	size_t held = round_up(old_size ? old_size : 1);

	if ((char *)memory + held != arena->next || new_size > SIZE_MAX - MM_ARENA_ALIGNMENT)
		return false;
	size_t needed = round_up(new_size ? new_size : 1);
	if (needed < held || needed - held > room(arena))
		return false;
	ASAN_UNPOISON_MEMORY_REGION(memory, new_size);
	set_next(arena, (char *)memory + needed);
	return true;
}

char *mm_arena_strdup(struct mm_arena *arena, const char *text)
{
	return mm_arena_strndup(arena, text, strlen(text));
}

char *mm_arena_strndup(struct mm_arena *arena, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? mm_arena_alloc(arena, length + 1) : NULL;

	if (!copy)
		return NULL;
	if (length)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *mm_arena_printf(struct mm_arena *arena, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = length < 0 ? NULL : mm_arena_alloc(arena, (size_t)length + 1);
	if (!text)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}
