/*
 * refresh: the regular upkeep of the database (floor 3), for a timer.
 *
 * Shape    partitions are made ahead, daily_metrics is computed anew without blocking readers,
 *          the answers kept for retries are forgotten after MM_REFRESH_ANSWER_HOURS, old unanswered
 *          questions are removed, and, when asked for, months older than the retention are dropped.
 * Errors   as mm_db_exec. Every step is safe to repeat.
 * Threads  one.
 */
#ifndef MM_STORE_REFRESH_H
#define MM_STORE_REFRESH_H

#include "store/db.h"

enum { MM_REFRESH_ANSWER_HOURS = 24 };

struct mm_refresh_options {
	int months_ahead;   /* partitions to have ready after the current month, 0..24 */
	int months_kept;    /* drop whole months older than this; 0: keep all */
	int64_t timeout_ms; /* of each step */
};

struct mm_refresh_result {
	int partitions_made;
	int partitions_dropped;
	int answers_purged;
};

/* Runs the steps in the order above. The role is mamori_admin (or the owner). */
enum mm_status mm_refresh(struct mm_db *db, const struct mm_refresh_options *options,
			  struct mm_refresh_result *out, struct mm_error *err);

#endif
