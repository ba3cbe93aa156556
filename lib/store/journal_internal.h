/*
 * journal_internal: what the files journal*.c share; nobody else includes it.
 *
 *   journal.c         open, close, the queue and its waiters
 *   journal_writer.c  the thread that empties the queue
 *   journal_drainer.c the thread that empties the spool and writes the status file
 *   journal_apply.c   a batch through the sink, bad records found by halving
 *   journal_mode.c    which of the modes, and what is logged when it changes
 *   journal_status.c  the status file, written and read
 *   journal_aside.c   what is set aside, listed and put back on request
 *
 * Who may call the sink: in MM_JOURNAL_DIRECT the writer; else the drainer while is_draining;
 * else, when the spool is empty, the writer, to find out whether the database is back. A wish is
 * answered while the writer does not call it.
 */
#ifndef MM_STORE_JOURNAL_INTERNAL_H
#define MM_STORE_JOURNAL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/backoff.h"
#include "store/journal.h"
#include "store/set_aside.h"
#include "store/spool.h"

enum {
	/* A batch is not longer than this in bytes, but for a single record. */
	MM_JOURNAL_BATCH_BYTES = 4 << 20,
	/* While the spool is drained the writer waits at most so long after each batch. */
	MM_JOURNAL_THROTTLE_MS = 50,
	MM_JOURNAL_STATUS_MS = 1000,
	/* Without a failure for so long, the next record may try again as if nothing had been. */
	MM_JOURNAL_FORGIVE_MS = 30000,
	MM_JOURNAL_WAKE_WORDS = 2
};

/* One append, on the stack of the thread that waits for it; or one submit, in its arena. */
struct mm_journal_waiter {
	const struct mm_record *record;
	mm_journal_done done; /* a submit's: called instead of waking; NULL: a thread waits */
	void *argument;
	struct mm_record copy;                     /* a submit's */
	int64_t expires_mono_ms;                   /* a submit's: not begun later than this */
	struct mm_journal_waiter *next, *previous; /* in the queue */
	unsigned wake_word;                        /* which word it sleeps on */
	bool is_queued;                            /* not taken by the writer yet */
	bool is_spooled;
	enum mm_status status;
	atomic_bool is_done; /* after this nobody but its own thread touches it */
};

/* What became of a record of a batch. */
enum mm_journal_fate { MM_FATE_PENDING, MM_FATE_APPLIED, MM_FATE_REFUSED };

/* Called for a single record that the sink refuses; another status than MM_OK ends the batch. */
typedef enum mm_status (*mm_journal_refusal)(void *context, size_t index, const char *reason);

struct mm_journal_batch {
	struct mm_record *records;
	struct mm_journal_waiter **waiters; /* writer only */
	enum mm_journal_fate *fates;
	size_t count;
};

/* A request to put back what was set aside: see set_aside.h. */
struct mm_journal_wish {
	char id[MM_ID_TEXT];
	bool is_for_all;
	struct mm_id ids[MM_SET_ASIDE_IDS_MAX];
	size_t count;
};

struct mm_journal {
	struct mm_journal_options options; /* texts are owned */
	struct mm_spool *spool;
	const struct mm_clock *clock;
	pthread_t writer, drainer;
	struct mm_journal_batch batch; /* the writer's */
	struct mm_arena *drain_arena;  /* the drainer's, as are the next three */
	struct mm_journal_wish wish;
	int64_t wish_mono_ms;   /* when it was last looked for */
	int64_t listed_changes; /* of the spool's aside_changes: those that the list shows */

	/* Words that waiters sleep on, one for those who wait while the other batch is out. */
	atomic_uint wake_words[MM_JOURNAL_WAKE_WORDS];

	atomic_uint inside; /* threads in append: close waits for the last to leave */

	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t has_queued;
	pthread_cond_t has_spooled; /* or the mode changed, or stopping: for the drainer */
	pthread_cond_t has_drained; /* for the writer */
	struct mm_journal_waiter *first, *last;
	struct mm_journal_waiter *expired; /* submits that were not begun in time, linked by next */
	size_t queued;
	unsigned turn; /* batches taken */
	bool is_stopping;
	enum mm_journal_mode mode;
	bool is_draining; /* the drainer is calling the sink */
	bool is_spooling; /* the writer has a batch that goes to the spool: it is not empty */
	bool is_writing;  /* the writer is calling the sink */
	bool has_wish;    /* the writer stays away from the sink until the wish is answered */
	char answered[MM_ID_TEXT];
	int64_t put_back;
	struct mm_backoff backoff;
	int64_t appended;
	int64_t owed;    /* records to be drained before the writer goes on */
	int64_t drained; /* since the mode is MM_JOURNAL_DRAINING */
	bool is_status_stale;
	int64_t status_mono_ms; /* when the status file was written */
	int64_t failed_mono_ms; /* when a record was last refused */
	char logged_cause[128];
};

/* Threads; the argument is the journal. */
void *mm_journal_writer(void *journal);
void *mm_journal_drainer(void *journal);

/*
 * Sends the batch through the sink and sets a fate for each record. On MM_BAD_INPUT it halves
 * until single records are refused. Another failure leaves the rest pending and is returned.
 */
enum mm_status mm_journal_apply(const struct mm_journal_sink *sink, struct mm_journal_batch *batch,
				mm_journal_refusal refuse, void *context, struct mm_error *err);

/* Changes the mode and logs it, with the mutex held; cause may be NULL. */
void mm_journal_set_mode(struct mm_journal *journal, enum mm_journal_mode mode, const char *cause);

/* Counts a failure of the sink: back-off, and MM_JOURNAL_SPOOLING unless failing already. */
void mm_journal_sink_failed(struct mm_journal *journal, const char *cause);

/* Whether the spool is empty and stays so while the mutex, which must be held, is. */
bool mm_journal_is_drained(const struct mm_journal *journal);

/* The state, with the mutex held. */
void mm_journal_read_state(struct mm_journal *journal, struct mm_journal_state *state_out);

/* Writes the list of what is set aside if it has changed, without the mutex. The drainer's. */
void mm_journal_write_aside(struct mm_journal *journal);

/* Reads the request to put back into journal->wish, without the mutex; false: there is none. */
bool mm_journal_read_wish(struct mm_journal *journal);

/* Puts back what the wish names and has it drained; with the mutex held, and not is_writing. */
void mm_journal_answer_wish(struct mm_journal *journal);

/* Writes the status file, without the mutex; removes it when is_last and nothing is left. */
void mm_journal_write_status(struct mm_journal *journal, const struct mm_journal_state *state,
			     bool is_last);

#endif
