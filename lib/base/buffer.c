/*
 * buffer: the parts of a growing buffer that allocate or format; the rest is inlined in buffer.h.
 */
#include "config.h"

#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 64 };

void mm_buffer_init(struct mm_buffer *buffer, size_t initial, size_t limit, struct mm_arena *arena)
{
	*buffer = (struct mm_buffer){.limit = limit, .arena = arena};
	if (initial)
		mm_buffer_grow(buffer, initial);
}

void mm_buffer_free(struct mm_buffer *buffer)
{
	if (!buffer->arena)
		free(buffer->data);
	mm_buffer_init(buffer, 0, buffer->limit, buffer->arena);
}

/* Gives the buffer `capacity` bytes and one for the NUL; on failure nothing changes. */
static bool resize(struct mm_buffer *buffer, size_t capacity)
{
	char *data;

	if (!buffer->arena) {
		data = realloc(buffer->data, capacity + 1);
	} else if (buffer->data && mm_arena_extend(buffer->arena, buffer->data,
						   buffer->capacity + 1, capacity + 1)) {
		data = buffer->data;
	} else {
		data = mm_arena_alloc(buffer->arena, capacity + 1);
		if (data && buffer->data)
			memcpy(data, buffer->data, buffer->length);
	}
	if (!data)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

char *mm_buffer_grow(struct mm_buffer *buffer, size_t extra)
{
	size_t most = buffer->limit && buffer->limit < PTRDIFF_MAX ? buffer->limit : PTRDIFF_MAX;

	if (buffer->has_failed)
		return NULL;
	if (extra > most - buffer->length) {
		buffer->has_failed = true;
		return NULL;
	}
	size_t needed = buffer->length + extra;
	/* The first allocation is as large as asked for, later ones double. */
	size_t wanted = buffer->data ? buffer->capacity * 2 : needed;
	if (wanted < SMALLEST)
		wanted = SMALLEST;
	if (wanted > most)
		wanted = most;
	if (wanted < needed)
		wanted = needed;
	if (!resize(buffer, wanted) && !(wanted > needed && resize(buffer, needed))) {
		buffer->has_failed = true;
		return NULL;
	}
	return buffer->data + buffer->length;
}

void mm_buffer_printf(struct mm_buffer *buffer, const char *format, ...)
{
	if (buffer->has_failed)
		return;
	size_t room = buffer->data ? buffer->capacity - buffer->length + 1 : 0;
	va_list arguments;
	va_start(arguments, format);
	int length =
	    vsnprintf(room ? buffer->data + buffer->length : NULL, room, format, arguments);
	va_end(arguments);
	if (length < 0) {
		buffer->has_failed = true;
		return;
	}
	if ((size_t)length >= room) {
		char *end = mm_buffer_reserve(buffer, (size_t)length);
		if (!end)
			return;
		va_start(arguments, format);
		vsnprintf(end, (size_t)length + 1, format, arguments);
		va_end(arguments);
	}
	buffer->length += (size_t)length;
}
