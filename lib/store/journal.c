/* journal: the queue and those who wait in it. What happens to a batch is in journal_writer.c. */
#include "config.h"

#include "store/journal_internal.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/condition.h"

enum { DRAIN_ARENA_BYTES = 64 << 20 };

static enum mm_status allocate(struct mm_journal *journal, const struct mm_journal_options *options,
			       struct mm_error *err)
{
	struct mm_journal_batch *batch = &journal->batch;

	journal->options = *options;
	journal->options.app = strdup(options->app);
	journal->options.spool_dir = strdup(options->spool_dir);
	batch->records = calloc(options->batch_max, sizeof(*batch->records));
	batch->waiters = calloc(options->batch_max, sizeof(*batch->waiters));
	batch->fates = calloc(options->batch_max, sizeof(*batch->fates));
	journal->drain_arena = mm_arena_new(DRAIN_ARENA_BYTES);
	if (!journal->options.app || !journal->options.spool_dir || !batch->records ||
	    !batch->waiters || !batch->fates || !journal->drain_arena)
		return mm_error_cause(err, MM_NO_MEMORY, "journal");
	return MM_OK;
}

static void release(struct mm_journal *journal)
{
	mm_spool_close(journal->spool);
	mm_arena_free(journal->drain_arena);
	free(journal->batch.records);
	free(journal->batch.waiters);
	free(journal->batch.fates);
	free((char *)journal->options.app);
	free((char *)journal->options.spool_dir);
	free(journal);
}

static enum mm_status open_spool(struct mm_journal *journal, struct mm_error *err)
{
	const struct mm_journal_options *options = &journal->options;
	struct mm_spool_options spool_options = {
	    .app = options->app,
	    .spool_dir = options->spool_dir,
	    .max_bytes = options->spool_max_bytes,
	    .clock = options->clock,
	};
	struct mm_spool_counts counts;
	enum mm_status status = mm_spool_open(&spool_options, &journal->spool, err);

	if (status != MM_OK)
		return status;
	mm_spool_counts(journal->spool, &counts);
	journal->mode = counts.records > 0 ? MM_JOURNAL_SPOOLING : MM_JOURNAL_DIRECT;
	journal->is_status_stale = true;
	journal->listed_changes = -1;
	return MM_OK;
}

static enum mm_status start_threads(struct mm_journal *journal, struct mm_error *err)
{
	pthread_mutex_init(&journal->mutex, NULL);
	if (mm_condition_init(&journal->has_queued) != MM_OK ||
	    mm_condition_init(&journal->has_spooled) != MM_OK ||
	    mm_condition_init(&journal->has_drained) != MM_OK)
		return mm_error_cause(err, MM_NO_MEMORY, "journal");
	if (pthread_create(&journal->writer, NULL, mm_journal_writer, journal) != 0)
		return mm_error_cause(err, MM_NO_MEMORY, "journal thread");
	if (pthread_create(&journal->drainer, NULL, mm_journal_drainer, journal) == 0)
		return MM_OK;
	pthread_mutex_lock(&journal->mutex);
	journal->is_stopping = true;
	pthread_cond_broadcast(&journal->has_queued);
	pthread_mutex_unlock(&journal->mutex);
	pthread_join(journal->writer, NULL);
	return mm_error_cause(err, MM_NO_MEMORY, "journal thread");
}

enum mm_status mm_journal_open(const struct mm_journal_options *options,
			       struct mm_journal **journal_out, struct mm_error *err)
{
	struct mm_journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return mm_error_cause(err, MM_NO_MEMORY, "journal");
	journal->clock = options->clock ? options->clock : &mm_clock_system;
	mm_backoff_init(&journal->backoff, options->retry_min_ms, options->retry_max_ms);
	enum mm_status status = allocate(journal, options, err);
	if (status == MM_OK)
		status = open_spool(journal, err);
	if (status == MM_OK)
		status = start_threads(journal, err);
	if (status != MM_OK) {
		release(journal);
		return status;
	}
	*journal_out = journal;
	return MM_OK;
}

void mm_journal_close(struct mm_journal *journal)
{
	struct mm_journal_state state;

	if (!journal)
		return;
	pthread_mutex_lock(&journal->mutex);
	journal->is_stopping = true;
	pthread_cond_broadcast(&journal->has_queued);
	pthread_cond_broadcast(&journal->has_spooled);
	pthread_cond_broadcast(&journal->has_drained);
	pthread_mutex_unlock(&journal->mutex);
	pthread_join(journal->writer, NULL);
	pthread_join(journal->drainer, NULL);
	/* All of them were woken or refused: they are on their way out. */
	while (atomic_load_explicit(&journal->inside, memory_order_acquire) > 0)
		sched_yield();
	mm_journal_read_state(journal, &state);
	mm_journal_write_status(journal, &state, true);
	mm_journal_write_aside(journal);
	pthread_cond_destroy(&journal->has_queued);
	pthread_cond_destroy(&journal->has_spooled);
	pthread_cond_destroy(&journal->has_drained);
	pthread_mutex_destroy(&journal->mutex);
	release(journal);
}

static enum mm_status enqueue(struct mm_journal *journal, struct mm_journal_waiter *waiter,
			      struct mm_error *err)
{
	enum mm_status status = MM_OK;

	pthread_mutex_lock(&journal->mutex);
	if (journal->is_stopping) {
		status = mm_error_cause(err, MM_STOPPING, "journal is stopping");
	} else if (journal->queued >= journal->options.queue_max) {
		status = mm_error_cause(err, MM_BUSY, "journal queue is full");
	} else {
		waiter->previous = journal->last;
		if (journal->last)
			journal->last->next = waiter;
		else
			journal->first = waiter;
		journal->last = waiter;
		journal->queued++;
		waiter->is_queued = true;
		waiter->wake_word = journal->turn % MM_JOURNAL_WAKE_WORDS;
		if (journal->queued == 1)
			pthread_cond_signal(&journal->has_queued);
	}
	pthread_mutex_unlock(&journal->mutex);
	return status;
}

/* Takes a record that nobody has begun to write out of the queue; false when it is too late. */
static bool withdraw(struct mm_journal *journal, struct mm_journal_waiter *waiter)
{
	bool is_withdrawn = false;

	pthread_mutex_lock(&journal->mutex);
	if (waiter->is_queued) {
		if (waiter->previous)
			waiter->previous->next = waiter->next;
		else
			journal->first = waiter->next;
		if (waiter->next)
			waiter->next->previous = waiter->previous;
		else
			journal->last = waiter->previous;
		journal->queued--;
		waiter->is_queued = false;
		is_withdrawn = true;
	}
	pthread_mutex_unlock(&journal->mutex);
	return is_withdrawn;
}

/* Sleeps while the word has the value seen; ms < 0: without end. */
static void sleep_on(atomic_uint *word, unsigned seen, int64_t ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, ms < 0 ? NULL : &limit, NULL, 0);
}

/* False when the record was withdrawn because its time was over. */
static bool wait_for_writer(struct mm_journal *journal, struct mm_journal_waiter *waiter)
{
	atomic_uint *word = &journal->wake_words[waiter->wake_word];
	int64_t deadline = mm_clock_mono_ms(journal->clock) + journal->options.append_timeout_ms;
	bool is_taken = false;

	for (;;) {
		unsigned seen = atomic_load_explicit(word, memory_order_acquire);
		if (atomic_load_explicit(&waiter->is_done, memory_order_acquire))
			return true;
		int64_t left = is_taken ? -1 : deadline - mm_clock_mono_ms(journal->clock);
		if (is_taken || left > 0) {
			sleep_on(word, seen, left);
			continue;
		}
		if (withdraw(journal, waiter))
			return false;
		is_taken = true;
	}
}

static enum mm_status append(struct mm_journal *journal, const struct mm_record *record,
			     bool *is_spooled_out, struct mm_error *err)
{
	struct mm_journal_waiter waiter = {.record = record};
	enum mm_status status = enqueue(journal, &waiter, err);
	if (status != MM_OK)
		return status;
	if (!wait_for_writer(journal, &waiter))
		return mm_error_cause(err, MM_BUSY, "journal: not begun in time");
	if (waiter.status != MM_OK)
		return mm_error_cause(err, waiter.status, "journal: neither database nor spool");
	if (is_spooled_out)
		*is_spooled_out = waiter.is_spooled;
	return MM_OK;
}

static bool is_record(const struct mm_record *record)
{
	return (unsigned)record->kind < MM_RECORD__MAX && record->length > 0;
}

enum mm_status mm_journal_append(struct mm_journal *journal, const struct mm_record *record,
				 bool *is_spooled_out, struct mm_error *err)
{
	if (!is_record(record))
		return mm_error_cause(err, MM_BAD_INPUT, "not a record");
	atomic_fetch_add_explicit(&journal->inside, 1, memory_order_relaxed);
	enum mm_status status = append(journal, record, is_spooled_out, err);
	atomic_fetch_sub_explicit(&journal->inside, 1, memory_order_release);
	return status;
}

enum mm_status mm_journal_submit(struct mm_journal *journal, const struct mm_record *record,
				 mm_journal_done done, void *argument, struct mm_arena *arena,
				 struct mm_error *err)
{
	if (!is_record(record))
		return mm_error_cause(err, MM_BAD_INPUT, "not a record");
	struct mm_journal_waiter *waiter = mm_arena_zalloc(arena, sizeof(*waiter));
	if (!waiter)
		return mm_error_cause(err, MM_NO_MEMORY, "journal: no memory for a submit");
	waiter->copy = *record;
	waiter->record = &waiter->copy;
	waiter->done = done;
	waiter->argument = argument;
	waiter->expires_mono_ms =
	    mm_clock_mono_ms(journal->clock) + journal->options.append_timeout_ms;
	atomic_fetch_add_explicit(&journal->inside, 1, memory_order_relaxed);
	enum mm_status status = enqueue(journal, waiter, err);
	atomic_fetch_sub_explicit(&journal->inside, 1, memory_order_release);
	return status;
}

void mm_journal_state(struct mm_journal *journal, struct mm_journal_state *state_out)
{
	pthread_mutex_lock(&journal->mutex);
	mm_journal_read_state(journal, state_out);
	pthread_mutex_unlock(&journal->mutex);
}
