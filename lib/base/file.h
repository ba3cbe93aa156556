/*
 * file: reading a small file whole (floor 0).
 *
 * Own      the bytes are returned in the arena, with a NUL after the last one
 * Errors   MM_NOT_FOUND: there is no such file; MM_TOO_LARGE: more than `max_bytes`;
 *          MM_UPSTREAM: it can't be read (the cause says why); MM_NO_MEMORY
 */
#ifndef MM_BASE_FILE_H
#define MM_BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/* Reads `path`, of at most `max_bytes` bytes. Outputs are untouched unless MM_OK. */
enum mm_status mm_file_read(const char *path, size_t max_bytes, char **text_out, size_t *length_out,
			    struct mm_arena *arena, struct mm_error *err);

#endif
