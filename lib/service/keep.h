/*
 * keep: makes a request's record durable before its answer leaves (floor 4).
 *
 * Shape    struct mm_deferral is how a caller that can hold its answer back lends that to the
 *          service: hold, then release exactly once when the record is durable or refused
 * Own      the record's JSON lives in the request's arena, which lasts until the release
 * Errors   as mm_journal_append
 * Threads  release is called from the journal's thread, maybe before mm_keep has returned
 *
 * Holding saves a thread per request: a commit of a hundred records wakes one thread, not a
 * hundred. After mm_keep has deferred, the request may only be returned from.
 */
#ifndef MM_SERVICE_KEEP_H
#define MM_SERVICE_KEEP_H

#include "service/runtime.h"

struct mm_deferral {
	void *(*hold)(void *context); /* NULL: this answer cannot be held */
	void (*release)(void *held, enum mm_status status, const struct mm_error *err);
	void (*will_wait)(void *context); /* said before a wait that is no record's; or NULL */
	void *context;
};

/*
 * Told what the answer does not know yet, before it leaves. It runs where the release does: quick,
 * and without the request's arena.
 */
struct mm_spooled {
	void (*tell)(void *context); /* the record waits on this server's disk */
	void (*tell_dropped)(
	    void *context); /* record->owner_out: the reply was not kept; or NULL */
	void *context;
};

/*
 * Waits until the record is durable; or, with a deferral that can hold, returns MM_OK at once and
 * releases the answer later. `deferral` and `spooled` may be NULL.
 */
enum mm_status mm_keep(struct mm_runtime *runtime, const struct mm_record *record,
		       const struct mm_deferral *deferral, const struct mm_spooled *spooled,
		       struct mm_arena *arena, struct mm_error *err);

/*
 * Whether a record that somebody was told is kept may be in a spool at this moment, of any process
 * of this server: then the database does not know all. Reads the journals' status files; true
 * also when they cannot be read.
 */
bool mm_keep_may_be_spooled(const struct mm_runtime *runtime, struct mm_arena *arena);

#endif
