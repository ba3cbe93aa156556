/*
 * file: reading a small file whole, and replacing one (floor 0).
 *
 * Own      the bytes are returned in the arena, with a NUL after the last one
 * Errors   MM_NOT_FOUND: there is no such file; MM_TOO_LARGE: more than `max_bytes`;
 *          MM_UPSTREAM: it can't be read or written (the cause says why); MM_NO_MEMORY
 */
#ifndef MM_BASE_FILE_H
#define MM_BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/* Reads `path`, of at most `max_bytes` bytes. Outputs are untouched unless MM_OK. */
enum mm_status mm_file_read(const char *path, size_t max_bytes, char **text_out, size_t *length_out,
			    struct mm_arena *arena, struct mm_error *err);

/*
 * Writes the bytes to `path` so that readers see the old file or the whole new one. On a full disk,
 * which has no room for another file, the old one is written over, and readers may see a part. No
 * fsync: for what one living process tells another.
 */
enum mm_status mm_file_replace(const char *path, const void *bytes, size_t length,
			       struct mm_error *err);

#endif
