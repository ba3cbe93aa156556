/*
 * buffer: bytes that grow (floor 0).
 *
 * Shape    struct mm_buffer is a plain value; read its fields freely, change them only through
 *          these functions (but see mm_buffer_reserve)
 * Units    bytes; `capacity` does not count the byte kept for a NUL
 * Own      `data` belongs to the buffer: in `arena`, or from malloc when `arena` is NULL. It moves
 *          when the buffer grows: keep offsets, not pointers
 * Errors   sticky: the first addition that does not fit in memory or in `limit` sets `has_failed`,
 *          adds nothing, and every later addition is ignored. Add freely, check once at the end
 * Threads  a buffer belongs to one thread
 *
 * In an arena the old copies stay until the reset, unless the buffer was the latest allocation, in
 * which case it grows where it is: give a good `initial` to avoid both.
 */
#ifndef MM_BASE_BUFFER_H
#define MM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"

struct mm_buffer {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit;
	bool has_failed;
	struct mm_arena *arena;
};

/*
 * Makes an empty buffer with room for `initial` bytes (0: nothing is allocated yet) that may hold
 * `limit` bytes at most (0: no limit). With an arena it lives there; without, end it with
 * mm_buffer_free. When the memory cannot be had, the buffer starts out failed.
 */
void mm_buffer_init(struct mm_buffer *buffer, size_t initial, size_t limit, struct mm_arena *arena);

/* Releases the memory and leaves an empty buffer of the same kind. */
void mm_buffer_free(struct mm_buffer *buffer);

/* Forgets the bytes and the failure, keeps the memory. */
static inline void mm_buffer_clear(struct mm_buffer *buffer)
{
	buffer->length = 0;
	buffer->has_failed = false;
}

/* The part of mm_buffer_reserve that allocates; call mm_buffer_reserve instead. */
char *mm_buffer_grow(struct mm_buffer *buffer, size_t extra);

/*
 * Makes room for `extra` more bytes and returns where they go, or NULL when the buffer has failed.
 * The caller writes up to `extra` bytes there, then adds what it wrote to `length`.
 */
static inline char *mm_buffer_reserve(struct mm_buffer *buffer, size_t extra)
{
	if (__builtin_expect(buffer->has_failed || !buffer->data ||
				 extra > buffer->capacity - buffer->length,
			     0))
		return mm_buffer_grow(buffer, extra);
	return buffer->data + buffer->length;
}

/* Adds `length` bytes; `bytes` may be NULL when `length` is 0, and may not be inside the buffer. */
static inline void mm_buffer_add(struct mm_buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	char *end = mm_buffer_reserve(buffer, length);
	if (__builtin_expect(!end, 0))
		return;
	memcpy(end, bytes, length);
	buffer->length += length;
}

/* Adds a NUL-terminated text without its NUL. */
static inline void mm_buffer_add_text(struct mm_buffer *buffer, const char *text)
{
	mm_buffer_add(buffer, text, strlen(text));
}

/* Adds one byte. */
static inline void mm_buffer_add_char(struct mm_buffer *buffer, char byte)
{
	char *end = mm_buffer_reserve(buffer, 1);

	if (__builtin_expect(!end, 0))
		return;
	*end = byte;
	buffer->length++;
}

/* Adds formatted text; a format that cannot be applied fails the buffer. */
void mm_buffer_printf(struct mm_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The content with a NUL after it, never NULL: "" when empty. After a failure it is what was added
 * before. Borrowed until the next addition.
 */
static inline const char *mm_buffer_text(struct mm_buffer *buffer)
{
	if (!buffer->data)
		return "";
	buffer->data[buffer->length] = '\0';
	return buffer->data;
}

#endif
