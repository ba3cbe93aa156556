/*
 * secret: keys and passwords in memory that is guarded and wiped (floor 0).
 *
 * Shape    struct mm_secret is opaque and immutable
 * Units    bytes; not text: NUL bytes are allowed
 * Own      made by mm_secret_load or mm_secret_copy, ended by mm_secret_free; what
 *          mm_secret_bytes returns is borrowed from it
 * Errors   messages name the file and the reason, never a byte of the content. They are for the
 *          administrator at the start, so they name paths
 * Threads  any number of readers
 * Source   libsodium, "Secure memory": guard pages, mlock, read-only after loading
 *
 * A secret costs at least four pages: for a handful of keys, not for data.
 */
#ifndef MM_BASE_SECRET_H
#define MM_BASE_SECRET_H

#include <stddef.h>

#include "base/status.h"

enum { MM_SECRET_MAX = 4096 };

struct mm_secret;

/*
 * Reads a secret from the regular file `path`. One trailing newline (LF or CR LF) is cut, so that
 * an editor or echo may have written it. MM_NOT_FOUND when there is no such file; MM_BAD_INPUT when
 * others may read or write it (chmod o-rwx), when it is empty, longer than MM_SECRET_MAX or shorter
 * than `min_bytes`, or cannot be read; MM_NO_MEMORY.
 */
enum mm_status mm_secret_load(const char *path, size_t min_bytes, struct mm_secret **secret_out,
			      struct mm_error *err);

/* Copies `length` bytes, 1 to MM_SECRET_MAX; the caller wipes its own. MM_BAD_INPUT, MM_NO_MEMORY.
 */
enum mm_status mm_secret_copy(const void *bytes, size_t length, struct mm_secret **secret_out,
			      struct mm_error *err);

/* Wipes and frees. NULL is allowed. */
void mm_secret_free(struct mm_secret *secret);

/* The bytes, not NUL-terminated. */
const unsigned char *mm_secret_bytes(const struct mm_secret *secret);

/* How many bytes; at least 1. */
size_t mm_secret_length(const struct mm_secret *secret);

#endif
