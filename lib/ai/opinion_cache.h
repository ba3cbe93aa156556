/*
 * opinion_cache: opinions of the last hour, by the text they are about (floor 3).
 *
 * Shape    struct mm_opinion_cache is opaque: a table of MM_OPINION_CACHE_MAX entries that never
 *          grows; a new entry takes the place of the oldest of the four that its key leads to
 * Units    milliseconds of the monotonic clock
 * Own      what is put is copied; what is found is copied into the arena
 * Errors   none: what is not found is asked for again
 * Threads  any number; one mutex, held for a copy
 *
 * A text is known by its keyed hash (BLAKE2b of 128 bits, the key made by the process): nothing of it
 * is kept but what the model said.
 */
#ifndef MM_AI_OPINION_CACHE_H
#define MM_AI_OPINION_CACHE_H

#include "ai/opinion.h"

enum { MM_OPINION_CACHE_MAX = 256, MM_OPINION_CACHE_MS = 3600 * 1000 };

struct mm_opinion_cache;

/* NULL: out of memory. */
struct mm_opinion_cache *mm_opinion_cache_new(void);

/* NULL is allowed. */
void mm_opinion_cache_free(struct mm_opinion_cache *cache);

/* True: `out` is filled, with latency_ms 0. */
bool mm_opinion_cache_find(struct mm_opinion_cache *cache, const char *text, size_t length,
			   enum mm_language language, int64_t now_mono_ms,
			   struct mm_opinion_answer *out, struct mm_arena *arena);

void mm_opinion_cache_put(struct mm_opinion_cache *cache, const char *text, size_t length,
			  enum mm_language language, int64_t now_mono_ms,
			  const struct mm_opinion_answer *answer);

#endif
