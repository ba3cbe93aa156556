/*
 * spool: the local file that keeps records while the database cannot (floor 3).
 *
 * Shape    struct mm_spool is opaque: one SQLite file <spool_dir>/<app>-<slot>.db in WAL mode
 *          with synchronous=FULL and one table. A record that the database refuses is marked
 *          with the reason ("set aside") and no longer read. A slot is held by a lock on
 *          <app>-<slot>.lock that dies with the process.
 * Units    bytes are bytes of JSON, times int64 ms UTC.
 * Own      entries read are returned in the arena.
 * Errors   MM_BUSY  the file cannot take it: over its limit, disk full, I/O error. Nothing of the
 *                   call was kept. MM_UPSTREAM from open: no folder, no permission.
 * Threads  any (one mutex inside).
 * Source   https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous
 * Costs    a transaction is one fsync; records are read in the order they were appended, and
 *          order between two processes' spools is not defined.
 */
#ifndef MM_STORE_SPOOL_H
#define MM_STORE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "store/record.h"

enum { MM_SPOOL_SLOTS = 256 };

struct mm_spool_options {
	const char *app;
	const char *spool_dir;
	int64_t max_bytes;            /* of JSON */
	const struct mm_clock *clock; /* NULL: the system's */
};

struct mm_spool_counts {
	int64_t records;
	int64_t set_aside;
	int64_t bytes;         /* of both */
	int64_t oldest_utc_ms; /* of records; 0 when empty */
	int64_t aside_changes; /* how often what is set aside has changed */
};

struct mm_spool_entry {
	int64_t sequence;
	struct mm_record record;
};

/* A record that was set aside, without what is in it. */
struct mm_spool_aside {
	struct mm_id id;
	enum mm_record_kind kind;
	int64_t at_utc_ms; /* when it came into the spool */
	int64_t bytes;
	const char *reason;
};

struct mm_spool;

/*
 * Takes the first free slot, opens or makes its file and moves the content of slots of the same
 * app whose process is gone into it. What cannot be adopted stays where it is and is logged.
 */
enum mm_status mm_spool_open(const struct mm_spool_options *options, struct mm_spool **spool_out,
			     struct mm_error *err);

/* NULL is fine. What is in the file stays there. */
void mm_spool_close(struct mm_spool *spool);

int mm_spool_slot(const struct mm_spool *spool);

/* Appends all or none, in order, in one transaction: durable when MM_OK. */
enum mm_status mm_spool_append(struct mm_spool *spool, const struct mm_record *records,
			       size_t count, struct mm_error *err);

/*
 * Reads the oldest records, all of the kind of the very oldest: at most max of them and, but for
 * the first, at most max_bytes of JSON. An empty spool is MM_OK with a count of 0.
 */
enum mm_status mm_spool_read(struct mm_spool *spool, size_t max, size_t max_bytes,
			     struct mm_spool_entry **entries_out, size_t *count_out,
			     struct mm_arena *arena, struct mm_error *err);

/*
 * Removes count entries that were read. Where the disk is too full even for that they are no longer
 * read or counted, but are in the file until there is room or the spool is empty: a process that
 * ends before finds them again.
 */
enum mm_status mm_spool_remove(struct mm_spool *spool, const struct mm_spool_entry *entries,
			       size_t count, struct mm_error *err);

/* Sets an entry that was read aside with the reason: no other entry waits for it. */
enum mm_status mm_spool_set_aside(struct mm_spool *spool, const struct mm_spool_entry *entry,
				  const char *reason, struct mm_error *err);

/* Keeps a record that was never in the spool, set aside at once; MM_BUSY as for append. */
enum mm_status mm_spool_set_aside_record(struct mm_spool *spool, const struct mm_record *record,
					 const char *reason, struct mm_error *err);

/*
 * Puts what was set aside back, in its old place, for another try once the reason is gone: the
 * records with these ids, or with ids NULL all of them. count_out: how many records that were.
 */
enum mm_status mm_spool_put_back(struct mm_spool *spool, const struct mm_id *ids, size_t count,
				 int64_t *count_out, struct mm_error *err);

/* Reads what is set aside, the oldest first, at most max records. */
enum mm_status mm_spool_list_aside(struct mm_spool *spool, size_t max,
				   struct mm_spool_aside **records_out, size_t *count_out,
				   struct mm_arena *arena, struct mm_error *err);

/* Counts kept in memory: costs nothing. */
void mm_spool_counts(struct mm_spool *spool, struct mm_spool_counts *counts_out);

#endif
