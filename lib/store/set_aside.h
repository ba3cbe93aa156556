/*
 * set_aside: records that the database refused, seen and asked for from another process (floor 3).
 *
 * Shape    A spool file belongs to one worker as long as that lives, so nobody else opens it. The
 *          worker writes what it has set aside to <app>-<slot>.aside, without what is in the
 *          records, and looks once a second, if it has set anything aside, for a request in
 *          <app>-<slot>.retry. It answers in its status file (journal.h).
 * Units    times are int64 ms, lengths are bytes.
 * Own      everything is returned: it lives in the arena.
 * Errors   MM_UPSTREAM: a folder or file that cannot be read or written.
 * Threads  any.
 * Limits   The list has the 1000 oldest records of each worker; put_back reaches all of them.
 */
#ifndef MM_STORE_SET_ASIDE_H
#define MM_STORE_SET_ASIDE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/status.h"
#include "store/journal.h"

enum { MM_SET_ASIDE_IDS_MAX = 100, MM_SET_ASIDE_LIST_BYTES_MAX = 4 << 20 };

#define MM_SET_ASIDE_LIST_SUFFIX  ".aside"
#define MM_SET_ASIDE_RETRY_SUFFIX ".retry"

struct mm_set_aside {
	const char *id;
	const char *kind;   /* "turn", "analysis" */
	int64_t at_utc_ms;  /* when it came into the spool */
	int64_t bytes;      /* of its JSON */
	const char *reason; /* what the database said */
};

/*
 * Reads the list of one journal. A list that is not there (nothing was set aside, or the worker is
 * of an older version) is MM_OK with a count of 0.
 */
enum mm_status mm_set_aside_list(const char *spool_dir, const struct mm_journal_report *journal,
				 struct mm_set_aside **records_out, size_t *count_out,
				 struct mm_arena *arena, struct mm_error *err);

/*
 * Asks a living journal to put the records with these ids back, at most MM_SET_ASIDE_IDS_MAX, or
 * with ids NULL all that it has set aside, and waits for the answer. put_back_out: how many it put
 * back; what the database refuses again is set aside again. MM_TIMEOUT: no answer by then, the
 * request is withdrawn. MM_BUSY: it could not, its log says why.
 */
enum mm_status mm_set_aside_retry(const char *spool_dir, const struct mm_journal_report *journal,
				  const struct mm_id *ids, size_t count, int64_t timeout_ms,
				  int64_t *put_back_out, struct mm_error *err);

#endif
