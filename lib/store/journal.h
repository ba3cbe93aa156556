/*
 * journal: durable writes, grouped (floor 3).
 *
 * Shape    Request threads hand records to one writer thread per process. The writer takes all
 *          that wait, has the sink apply them in one transaction, then wakes the waiters. When
 *          the sink fails, the same records go to the spool (a local SQLite file) and are
 *          acknowledged from there; a second thread, the drainer, brings the spool to the sink in
 *          order and hands the direct path back when the spool is empty. Order is kept within a
 *          kind of record. struct mm_journal is opaque; options and state are plain values.
 * Units    times are int64 ms, lengths are bytes.
 * Own      records passed to append are borrowed for the call only. Options are copied; the
 *          clock and the sink's self are borrowed until close.
 * Errors   MM_OK means that the record is on disk: in the database, in the spool, or set aside
 *          with the reason why the database refuses it. MM_BUSY and MM_STOPPING mean that it was
 *          not kept; only when the database's answer was lost and the spool failed as well may
 *          it be in the database all the same.
 * Threads  append, state: any thread. open, close: one thread, close after the last append began
 *          (appends that are waiting are finished; those that come later get MM_STOPPING).
 * Limits   A waiter waits at most append_timeout_ms before its record is taken by the writer and
 *          then for one sink call and one spool transaction: the sink must bound its own time.
 *          A record that the sink refuses makes its batch be applied in halves, about 2 log2(n)
 *          calls more. Two processes never share a spool file; the price is one file per process.
 */
#ifndef MM_STORE_JOURNAL_H
#define MM_STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "store/record.h"

/*
 * Where batches go. apply gets count >= 1 records of one kind and returns
 *   MM_OK          applied and durable
 *   MM_BAD_INPUT   nothing applied: the data is refused (the journal looks for the bad record)
 *   MM_UPSTREAM    nothing applied: the database is down, read-only, full, locked or misconfigured
 *   MM_TIMEOUT     unknown: it may have been applied
 * Any other status counts as MM_UPSTREAM. It is called from one thread at a time, not always the
 * same one. err->cause is what is logged and what is kept beside a record that is set aside.
 */
struct mm_journal_sink {
	enum mm_status (*apply)(void *self, enum mm_record_kind kind,
				const struct mm_record *records, size_t count,
				struct mm_error *err);
	void *self;
};

struct mm_journal_options {
	const char *app;       /* names the spool file: letters, digits, _ */
	const char *spool_dir; /* must exist and be writable */
	size_t batch_max;      /* records a transaction */
	size_t queue_max;      /* records waiting for the writer; more: MM_BUSY */
	int64_t spool_max_bytes;
	int64_t append_timeout_ms;
	int64_t set_aside_max; /* records that the database refuses; more: MM_BUSY */
	int64_t retry_min_ms;  /* back-off of the drainer: first and longest pause */
	int64_t retry_max_ms;
	struct mm_journal_sink sink;
	const struct mm_clock *clock; /* NULL: the system's */
};

enum mm_journal_mode {
	MM_JOURNAL_DIRECT,   /* records go to the sink */
	MM_JOURNAL_SPOOLING, /* the sink fails: records go to the spool */
	MM_JOURNAL_DRAINING, /* the sink works again: the spool is being emptied */
	MM_JOURNAL_FAILING,  /* neither sink nor spool takes records: appends are refused */
	MM_JOURNAL_MODE__MAX
};

struct mm_journal_state {
	enum mm_journal_mode mode;
	int64_t spooled;       /* records in the spool, set-aside ones not counted */
	int64_t oldest_utc_ms; /* when the oldest of them was spooled; 0 when there is none */
	int64_t set_aside;
	int64_t appended;       /* acknowledged since open */
	char retry[MM_ID_TEXT]; /* the latest request of set_aside.h that was answered; "": none */
	int64_t put_back;       /* how many records that put back; -1: it failed, see the log */
};

struct mm_journal;

/*
 * Opens the journal: takes a free spool slot, adopts the records of slots whose process is gone,
 * starts the threads. A spool that holds records is drained before anything else.
 * MM_UPSTREAM when the spool cannot be opened (folder missing, full, not writable), MM_NO_MEMORY.
 */
enum mm_status mm_journal_open(const struct mm_journal_options *options,
			       struct mm_journal **journal_out, struct mm_error *err);

/*
 * Blocks until the record is durable. is_spooled_out may be NULL; it tells whether the record
 * waits in the spool (or was set aside) instead of being in the database.
 * MM_BUSY: not kept, answer 503 and let the client try again. MM_STOPPING: the same, for good.
 * MM_BAD_INPUT: the record is no kind of record, or empty.
 */
enum mm_status mm_journal_append(struct mm_journal *journal, const struct mm_record *record,
				 bool *is_spooled_out, struct mm_error *err);

/*
 * Told once what became of a submitted record; err->cause says why where status is not MM_OK, and
 * is_spooled, with MM_OK, what mm_journal_append would have said.
 */
typedef void (*mm_journal_done)(void *argument, enum mm_status status, bool is_spooled,
				const struct mm_error *err);

/*
 * Does not wait: queues the record and returns; `done` is called once, in the writer's thread and
 * maybe before this returns, with what mm_journal_append would have returned. It must be quick and
 * may not append. The record's JSON and `arena` must last until then. When this does not return
 * MM_OK, `done` is not called. MM_NO_MEMORY, and the errors of append.
 */
enum mm_status mm_journal_submit(struct mm_journal *journal, const struct mm_record *record,
				 mm_journal_done done, void *argument, struct mm_arena *arena,
				 struct mm_error *err);

/* A copy of the journal's state at this moment. */
void mm_journal_state(struct mm_journal *journal, struct mm_journal_state *state_out);

/* Name of a mode in lower case, as in the status file; "unknown" when out of range. */
const char *mm_journal_mode_name(enum mm_journal_mode mode);

/*
 * Stops: appends that wait are finished (sink or spool), later ones get MM_STOPPING; a drain
 * under way ends with its current batch, the rest stays in the spool for the next start. Takes at
 * most two sink calls. NULL is fine.
 */
void mm_journal_close(struct mm_journal *journal);

/* What another process (the health endpoint) reads from <spool_dir>/<app>-<slot>.status. */
struct mm_journal_report {
	const char *app; /* returned */
	int slot;
	bool is_alive; /* its process exists */
	struct mm_journal_state state;
	int64_t updated_utc_ms;
};

/*
 * Reads every status file in the folder, sorted by name. A file that is not a status file is
 * skipped. A folder that cannot be read: MM_UPSTREAM.
 */
enum mm_status mm_journal_read_states(const char *spool_dir, struct mm_journal_report **reports_out,
				      size_t *count_out, struct mm_arena *arena,
				      struct mm_error *err);

#endif
