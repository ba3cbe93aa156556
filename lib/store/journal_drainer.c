/* journal_drainer: the thread that brings the spool to the database and keeps the status file. */
#include "config.h"

#include "store/journal_internal.h"

#include <string.h>

#include "base/log.h"
#include "store/condition.h"

struct drain {
	struct mm_journal *journal;
	struct mm_spool_entry *entries;
	size_t count;
	size_t refused;
};

static enum mm_status refuse(void *context, size_t index, const char *reason)
{
	struct drain *drain = context;
	struct mm_spool_entry *entry = &drain->entries[index];
	struct mm_error failure = {0};
	char id[MM_ID_TEXT];
	enum mm_status status = mm_spool_set_aside(drain->journal->spool, entry, reason, &failure);

	mm_id_format(&entry->record.id, id);
	if (status == MM_OK)
		mm_log(MM_LOG_ERROR, NULL, "record %s is set aside: %s", id, reason);
	drain->refused += status == MM_OK;
	return status;
}

static enum mm_status prepare(struct drain *drain, struct mm_journal_batch *batch,
			      struct mm_error *err)
{
	struct mm_arena *arena = drain->journal->drain_arena;
	size_t max = 2 * drain->journal->options.batch_max;
	enum mm_status status = mm_spool_read(drain->journal->spool, max, MM_JOURNAL_BATCH_BYTES,
					      &drain->entries, &drain->count, arena, err);

	if (status != MM_OK)
		return status;
	batch->count = drain->count;
	batch->records = mm_arena_array(arena, max, sizeof(*batch->records));
	batch->fates = mm_arena_array(arena, max, sizeof(*batch->fates));
	if (!batch->records || !batch->fates)
		return mm_error_cause(err, MM_NO_MEMORY, "journal: draining");
	for (size_t i = 0; i < drain->count; i++)
		batch->records[i] = drain->entries[i].record;
	return MM_OK;
}

/* Removes what was applied; what is left of the entries stays in the spool. */
static enum mm_status remove_applied(struct drain *drain, const struct mm_journal_batch *batch,
				     struct mm_error *err)
{
	size_t applied = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->fates[i] == MM_FATE_APPLIED)
			drain->entries[applied++] = drain->entries[i];
	drain->count = applied;
	return applied > 0 ? mm_spool_remove(drain->journal->spool, drain->entries, applied, err)
			   : MM_OK;
}

/* One batch from the spool to the sink. drain->count becomes how many were applied. */
static enum mm_status drain_batch(struct drain *drain, struct mm_error *err)
{
	struct mm_journal_batch batch = {0};

	enum mm_status status = prepare(drain, &batch, err);
	if (status != MM_OK || batch.count == 0) {
		drain->count = 0;
		return status;
	}
	status = mm_journal_apply(&drain->journal->options.sink, &batch, refuse, drain, err);
	struct mm_error failure = {0};
	enum mm_status removed = remove_applied(drain, &batch, &failure);
	if (status == MM_OK && removed != MM_OK)
		return mm_error_cause(err, removed, "%.500s", failure.cause);
	return status;
}

/* With the mutex held. */
static void settle(struct mm_journal *journal, const struct drain *drain, enum mm_status status,
		   const char *cause)
{
	journal->drained += (int64_t)(drain->count + drain->refused);
	if (status != MM_OK) {
		mm_journal_sink_failed(journal, cause);
		return;
	}
	mm_backoff_succeed(&journal->backoff);
	if (mm_journal_is_drained(journal))
		mm_journal_set_mode(journal, MM_JOURNAL_DIRECT, NULL);
	else if (journal->mode != MM_JOURNAL_FAILING)
		mm_journal_set_mode(journal, MM_JOURNAL_DRAINING, NULL);
	pthread_cond_signal(&journal->has_drained);
}

/* With the mutex held, which is let go meanwhile. */
static void drain_once(struct mm_journal *journal)
{
	struct drain drain = {.journal = journal};
	struct mm_error failure = {0};

	journal->is_draining = true;
	pthread_mutex_unlock(&journal->mutex);
	enum mm_status status = drain_batch(&drain, &failure);
	pthread_mutex_lock(&journal->mutex);
	journal->is_draining = false;
	settle(journal, &drain, status, failure.cause);
	mm_arena_reset(journal->drain_arena);
}

/* With the mutex held: no traffic, no failures; a load balancer may be waiting for good news. */
static void forgive(struct mm_journal *journal)
{
	if (journal->mode != MM_JOURNAL_FAILING ||
	    mm_clock_mono_ms(journal->clock) - journal->failed_mono_ms < MM_JOURNAL_FORGIVE_MS)
		return;
	if (mm_journal_is_drained(journal))
		mm_journal_set_mode(journal, MM_JOURNAL_DIRECT, NULL);
}

/* With the mutex held, which is let go meanwhile. */
static void write_status(struct mm_journal *journal)
{
	struct mm_journal_state state;

	journal->is_status_stale = false;
	journal->status_mono_ms = mm_clock_mono_ms(journal->clock);
	mm_journal_read_state(journal, &state);
	pthread_mutex_unlock(&journal->mutex);
	mm_journal_write_status(journal, &state, false);
	mm_journal_write_aside(journal);
	pthread_mutex_lock(&journal->mutex);
}

/* With the mutex held: how long nothing is to be done, in ms; 0: drain. */
static int64_t pause_before_drain(struct mm_journal *journal)
{
	struct mm_spool_counts counts;
	int64_t now = mm_clock_mono_ms(journal->clock);

	mm_spool_counts(journal->spool, &counts);
	if (journal->mode == MM_JOURNAL_DIRECT || counts.records == 0)
		return INT32_MAX;
	if (!mm_backoff_is_waiting(&journal->backoff, now))
		return 0;
	return journal->backoff.until_mono_ms - now;
}

/* With the mutex held: whether the status file is to be written. */
static bool is_status_due(const struct mm_journal *journal)
{
	if (journal->is_status_stale)
		return true;
	return journal->mode != MM_JOURNAL_DIRECT &&
	       mm_clock_mono_ms(journal->clock) - journal->status_mono_ms >= MM_JOURNAL_STATUS_MS;
}

static bool has_set_aside(struct mm_journal *journal)
{
	struct mm_spool_counts counts;

	mm_spool_counts(journal->spool, &counts);
	return counts.set_aside > 0;
}

/* With the mutex held, which is let go meanwhile: true when there was something to do. */
static bool attend_to_wish(struct mm_journal *journal)
{
	int64_t now = mm_clock_mono_ms(journal->clock);

	if (journal->has_wish && !journal->is_writing) {
		mm_journal_answer_wish(journal);
		return true;
	}
	if (journal->has_wish || now - journal->wish_mono_ms < MM_JOURNAL_STATUS_MS ||
	    !has_set_aside(journal))
		return false;
	journal->wish_mono_ms = now;
	pthread_mutex_unlock(&journal->mutex);
	bool is_there = mm_journal_read_wish(journal);
	pthread_mutex_lock(&journal->mutex);
	journal->has_wish = is_there && strcmp(journal->wish.id, journal->answered) != 0;
	return true;
}

/* With the mutex held. While nothing is spooled or set aside there is nothing to look after. */
static void wait_for_news(struct mm_journal *journal, int64_t pause)
{
	if (journal->mode == MM_JOURNAL_DIRECT && !has_set_aside(journal))
		pthread_cond_wait(&journal->has_spooled, &journal->mutex);
	else
		mm_condition_wait(&journal->has_spooled, &journal->mutex,
				  pause < MM_JOURNAL_STATUS_MS ? pause : MM_JOURNAL_STATUS_MS);
}

void *mm_journal_drainer(void *argument)
{
	struct mm_journal *journal = argument;

	pthread_mutex_lock(&journal->mutex);
	while (!journal->is_stopping) {
		if (is_status_due(journal)) {
			write_status(journal);
			continue;
		}
		if (attend_to_wish(journal))
			continue;
		forgive(journal);
		int64_t pause = pause_before_drain(journal);
		if (pause == 0)
			drain_once(journal);
		else
			wait_for_news(journal, pause);
	}
	pthread_mutex_unlock(&journal->mutex);
	return NULL;
}
