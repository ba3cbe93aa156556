/*
 * library: the knowledge in use, which is exchanged when the articles change (floor 4).
 *
 * Shape    struct mm_library is opaque. A thread of its own reads the articles at the start, and
 *          again when asked to or when their version has changed
 * Units    memory is bytes
 * Own      a loan of a knowledge ends when the borrower's arena is reset
 * Errors   a database that cannot be asked is no error: the knowledge that was there stays, at first
 *          an empty one, and the thread tries again
 * Threads  borrow and reload from any thread. After an exchange the old knowledge is freed when its
 *          last loan ends: for that while there are two in memory
 */
#ifndef MM_SERVICE_LIBRARY_H
#define MM_SERVICE_LIBRARY_H

#include "ai/knowledge.h"
#include "base/settings.h"
#include "store/pool.h"

struct mm_library;

/* Begins to read articles from the pool, which must outlive it, and waits a moment for the first
 * reading. End with mm_library_close. */
enum mm_status mm_library_open(struct mm_pool *pool, const struct mm_settings *settings,
			       struct mm_library **out, struct mm_error *err);

/* A library of `knowledge`, which it takes ownership of, without a thread. NULL: no memory, and the
 * knowledge is freed. */
struct mm_library *mm_library_over(struct mm_knowledge *knowledge);

/* NULL is allowed. */
void mm_library_close(struct mm_library *library);

/* Has the articles read again soon; returns at once. NULL is allowed. */
void mm_library_reload(struct mm_library *library);

/* Lends the knowledge until `arena` is reset. MM_NO_MEMORY. */
enum mm_status mm_library_borrow(struct mm_library *library, const struct mm_knowledge **out,
				 struct mm_arena *arena, struct mm_error *err);

/*
 * Makes a knowledge of what is stored: also for the administrator's command. The knowledge is
 * freed with mm_knowledge_free.
 */
enum mm_status mm_library_read(struct mm_db *db, int64_t deadline_mono_ms,
			       struct mm_knowledge **out, struct mm_error *err);

#endif
