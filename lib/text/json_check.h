/*
 * json_check: whether a text is strict JSON, before json-c reads it (floor 1, private to lib/text).
 *
 * Shape    one function
 * Units    offsets are bytes
 * Own      scratch memory comes from the arena
 * Errors   MM_BAD_INPUT with code "invalid_json"; MM_NO_MEMORY
 * Threads  safe everywhere
 * Source   RFC 8259
 */
#ifndef MM_TEXT_JSON_CHECK_H
#define MM_TEXT_JSON_CHECK_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/* Returns MM_OK for one JSON value no deeper than max_depth (1 to MM_JSON_DEPTH_LIMIT). */
enum mm_status mm_json_check(const char *text, size_t length, int max_depth, struct mm_arena *arena,
			     struct mm_error *err);

#endif
