/*
 * sink_postgres: the journal's sink that writes to PostgreSQL (floor 3).
 *
 * Shape    struct mm_sink_postgres is opaque: one connection and one growing buffer. A batch is
 *          one JSON array handed to one SQL function, in one transaction and one round trip.
 * Own      the interface borrows the sink: free it after the journal is closed.
 * Errors   as struct mm_journal_sink says.
 * Threads  one at a time (the journal sees to it).
 */
#ifndef MM_STORE_SINK_POSTGRES_H
#define MM_STORE_SINK_POSTGRES_H

#include "store/db.h"
#include "store/journal.h"

struct mm_sink_postgres;

/*
 * options as for mm_db_new; its back-off is ignored because the journal has its own. A call ends
 * within statement_timeout_ms plus MM_SINK_GRACE_MS. Connects on first use.
 */
enum { MM_SINK_GRACE_MS = 500 };
enum mm_status mm_sink_postgres_new(const struct mm_db_options *options,
				    struct mm_sink_postgres **sink_out, struct mm_error *err);

/* NULL is fine. */
void mm_sink_postgres_free(struct mm_sink_postgres *sink);

/* What mm_journal_options.sink takes. */
struct mm_journal_sink mm_sink_postgres_interface(struct mm_sink_postgres *sink);

#endif
