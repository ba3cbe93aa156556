/*
 * id: UUIDs that sort by time (floor 0).
 *
 * Shape    struct mm_id is a plain value of 16 bytes in network order; struct mm_id_source is
 *          opaque
 * Units    text is 36 characters and a NUL; the time inside is milliseconds since the epoch
 * Own      a source is freed by whoever made it, and borrows its clock
 * Errors   mm_id_next fails only when the kernel gives no random bytes (MM_BUG)
 * Threads  a source may be shared by all threads; make it after any fork, for a child that went on
 *          with its parent's source would repeat the parent's ids
 * Source   RFC 9562, section 5.7 and section 6.2, method 1
 *
 * The ids of one source strictly increase: the 12 bits after the time are a counter that starts
 * each millisecond at a random value below 2048, and the other 62 bits are random. When the clock
 * goes back, or more than 2048 to 4095 ids are made in a millisecond, the time inside runs ahead of
 * the clock. An id tells when it was made: it is a name, not a secret.
 */
#ifndef MM_BASE_ID_H
#define MM_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"

enum { MM_ID_TEXT = 37 };

struct mm_id {
	unsigned char bytes[16];
};

struct mm_id_source;

/* Makes a source that reads `clock`, which outlives it. NULL when out of memory. */
struct mm_id_source *mm_id_source_new(const struct mm_clock *clock);

/*
 * Makes a source for tests: the same `seed` gives the same ids; the time inside starts at
 * 2026-01-01T00:00:00.000Z and advances one millisecond an id. NULL when out of memory.
 */
struct mm_id_source *mm_id_source_new_fixed(uint64_t seed);

/* Frees the source. NULL is allowed. */
void mm_id_source_free(struct mm_id_source *source);

/* Makes an id greater than every earlier one of this source. */
enum mm_status mm_id_next(struct mm_id_source *source, struct mm_id *id_out);

/*
 * Reads a UUID of any version: 8-4-4-4-12 hexadecimal digits in either case, exactly `length`
 * bytes, no braces. False, and `id_out` untouched, for anything else.
 */
bool mm_id_parse(const char *text, size_t length, struct mm_id *id_out);

/* Writes lower-case text and a NUL. */
void mm_id_format(const struct mm_id *id, char out[MM_ID_TEXT]);

/* The time inside a version 7 UUID, or -1 for any other. */
int64_t mm_id_utc_ms(const struct mm_id *id);

/* Whether both are the same id. */
static inline bool mm_id_is_equal(const struct mm_id *a, const struct mm_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

#endif
