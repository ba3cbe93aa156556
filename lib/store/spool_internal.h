/* spool_internal: what spool.c and spool_slot.c share; nobody else includes it. */
#ifndef MM_STORE_SPOOL_INTERNAL_H
#define MM_STORE_SPOOL_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>

#include "store/spool.h"

enum mm_spool_statement {
	MM_SPOOL_BEGIN,
	MM_SPOOL_COMMIT,
	MM_SPOOL_ROLLBACK,
	MM_SPOOL_INSERT,
	MM_SPOOL_READ,
	MM_SPOOL_DELETE,
	MM_SPOOL_SKIP,
	MM_SPOOL_DELETE_SKIPPED,
	MM_SPOOL_FORGET_SKIPPED,
	MM_SPOOL_MARK,
	MM_SPOOL_UNMARK,
	MM_SPOOL_UNMARK_ONE,
	MM_SPOOL_LIST,
	MM_SPOOL_OLDEST,
	MM_SPOOL_TOTALS,
	MM_SPOOL_STATEMENT__MAX
};

struct mm_spool {
	pthread_mutex_t mutex; /* guards the file, its statements and the counts */
	sqlite3 *file;
	sqlite3_stmt *statements[MM_SPOOL_STATEMENT__MAX];
	struct mm_spool_counts counts;
	int64_t skipped; /* records that were to be removed and are still in the file */
	int64_t max_bytes;
	const struct mm_clock *clock;
	int slot;
	int lock;            /* descriptor that holds the slot */
	char path[PATH_MAX]; /* of the file */
};

/* A path in the spool's folder; suffix such as ".db". */
struct mm_spool_path {
	char text[PATH_MAX];
};
struct mm_spool_path mm_spool_path(const struct mm_spool_options *options, int slot,
				   const char *suffix);

/* Opens the file and prepares its statements. MM_UPSTREAM when it cannot be used. */
enum mm_status mm_spool_file_open(struct mm_spool *spool, const char *path, struct mm_error *err);

/* Closes the file; fine when it is not open. */
void mm_spool_file_close(struct mm_spool *spool);

/* Computes the counts from the file. */
enum mm_status mm_spool_count(struct mm_spool *spool, struct mm_error *err);

/* The failure that SQLite just reported: MM_BUSY with its message as cause. */
enum mm_status mm_spool_fail(struct mm_spool *spool, struct mm_error *err);

#endif
