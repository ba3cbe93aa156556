/* journal_writer: the thread that makes what waits in the queue durable, a batch at a time. */
#include "config.h"

#include "store/journal_internal.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "store/condition.h"

/* With the mutex held: takes the first waiter out of the queue. */
static struct mm_journal_waiter *take_first(struct mm_journal *journal)
{
	struct mm_journal_waiter *waiter = journal->first;

	journal->first = waiter->next;
	if (journal->first)
		journal->first->previous = NULL;
	else
		journal->last = NULL;
	journal->queued--;
	waiter->is_queued = false;
	return waiter;
}

/* With the mutex held: moves submits at the front that waited too long to the expired. */
static void take_expired(struct mm_journal *journal)
{
	const int64_t now = mm_clock_mono_ms(journal->clock);

	while (journal->first && journal->first->done && journal->first->expires_mono_ms <= now) {
		struct mm_journal_waiter *waiter = take_first(journal);
		waiter->next = journal->expired;
		journal->expired = waiter;
	}
}

/* Without the mutex: tells those whose time was over. The list is the writer's alone. */
static void refuse_expired(struct mm_journal *journal)
{
	struct mm_error failure = {0};

	mm_error_cause(&failure, MM_BUSY, "journal: not begun in time");
	while (journal->expired) {
		struct mm_journal_waiter *waiter = journal->expired;
		journal->expired = waiter->next;
		waiter->done(waiter->argument, MM_BUSY, false, &failure);
	}
}

/* With the mutex held: takes the queue's first records of one kind. */
static void take_batch(struct mm_journal *journal)
{
	struct mm_journal_batch *batch = &journal->batch;
	enum mm_record_kind kind = journal->first->record->kind;
	size_t bytes = 0;

	while (journal->first && batch->count < journal->options.batch_max) {
		struct mm_journal_waiter *waiter = journal->first;
		bytes += waiter->record->length;
		if (waiter->record->kind != kind ||
		    (batch->count > 0 && bytes > MM_JOURNAL_BATCH_BYTES))
			break;
		batch->records[batch->count] = *waiter->record;
		batch->waiters[batch->count] = take_first(journal);
		batch->count++;
	}
	journal->turn++;
}

/* Waits for records; false when there are none and none will come. */
static bool wait_for_batch(struct mm_journal *journal)
{
	bool has_batch;

	pthread_mutex_lock(&journal->mutex);
	while (!journal->first && !journal->is_stopping)
		pthread_cond_wait(&journal->has_queued, &journal->mutex);
	has_batch = journal->first != NULL;
	journal->batch.count = 0;
	if (has_batch)
		take_expired(journal);
	if (journal->first)
		take_batch(journal);
	pthread_mutex_unlock(&journal->mutex);
	refuse_expired(journal);
	return has_batch;
}

/* Tells whoever submitted the record; nothing of the waiter may be touched afterwards. */
static void tell(struct mm_journal_waiter *waiter)
{
	struct mm_error failure = {0};

	if (waiter->status != MM_OK)
		mm_error_cause(&failure, waiter->status, "journal: neither database nor spool");
	waiter->done(waiter->argument, waiter->status, waiter->is_spooled, &failure);
}

/* Wakes every waiter of the batch with one system call a word, and tells the submitters. */
static void wake_batch(struct mm_journal *journal)
{
	struct mm_journal_batch *batch = &journal->batch;
	bool is_used[MM_JOURNAL_WAKE_WORDS] = {false};

	for (size_t i = 0; i < batch->count; i++) {
		struct mm_journal_waiter *waiter = batch->waiters[i];
		if (waiter->done) {
			tell(waiter);
			continue;
		}
		is_used[waiter->wake_word] = true;
		atomic_store_explicit(&waiter->is_done, true, memory_order_release);
	}
	for (int i = 0; i < MM_JOURNAL_WAKE_WORDS; i++) {
		if (!is_used[i])
			continue;
		atomic_fetch_add_explicit(&journal->wake_words[i], 1, memory_order_acq_rel);
		syscall(SYS_futex, &journal->wake_words[i], FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
			0);
	}
}

/* Keeps a record that the database refuses; its waiter learns when that is impossible. */
static enum mm_status refuse(void *context, size_t index, const char *reason)
{
	struct mm_journal *journal = context;
	struct mm_journal_waiter *waiter = journal->batch.waiters[index];
	struct mm_record *record = &journal->batch.records[index];
	struct mm_spool_counts counts;
	struct mm_error failure = {.cause = "too many are set aside"};
	char id[MM_ID_TEXT];

	mm_spool_counts(journal->spool, &counts);
	waiter->is_spooled = true;
	waiter->status = MM_BUSY;
	if (counts.set_aside < journal->options.set_aside_max)
		waiter->status =
		    mm_spool_set_aside_record(journal->spool, record, reason, &failure);
	mm_id_format(&record->id, id);
	if (waiter->status == MM_OK)
		mm_log(MM_LOG_ERROR, NULL, "record %s is set aside: %s", id, reason);
	else
		mm_log(MM_LOG_ERROR, NULL, "record %s is refused: %s: %s", id, reason,
		       failure.cause);
	return MM_OK;
}

/* Moves the records that have no fate yet to the front; returns how many they are. */
static size_t gather_pending(struct mm_journal *journal)
{
	struct mm_journal_batch *batch = &journal->batch;
	size_t pending = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->fates[i] == MM_FATE_PENDING)
			batch->records[pending++] = batch->records[i];
	return pending;
}

static void finish_pending(struct mm_journal *journal, enum mm_status status)
{
	struct mm_journal_batch *batch = &journal->batch;

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->fates[i] != MM_FATE_PENDING)
			continue;
		batch->waiters[i]->status = status;
		batch->waiters[i]->is_spooled = true;
	}
}

/* With the mutex held: gives a drain that works a head start of two records for each new one. */
static void yield_to_drainer(struct mm_journal *journal, size_t added)
{
	int64_t until = mm_clock_mono_ms(journal->clock) + MM_JOURNAL_THROTTLE_MS;

	journal->owed += 2 * (int64_t)added;
	while (journal->mode == MM_JOURNAL_DRAINING && journal->drained < journal->owed &&
	       !journal->is_stopping) {
		int64_t left = until - mm_clock_mono_ms(journal->clock);
		if (!mm_condition_wait(&journal->has_drained, &journal->mutex, left))
			break;
	}
}

/* Spools what is pending and wakes everybody; the mode follows from how it went. */
static void spool_pending(struct mm_journal *journal)
{
	struct mm_error failure = {0};
	size_t pending = gather_pending(journal);
	enum mm_status status =
	    mm_spool_append(journal->spool, journal->batch.records, pending, &failure);

	finish_pending(journal, status == MM_OK ? MM_OK : MM_BUSY);
	pthread_mutex_lock(&journal->mutex);
	journal->is_spooling = false;
	if (status == MM_OK)
		journal->appended += (int64_t)pending;
	if (status != MM_OK) {
		journal->failed_mono_ms = mm_clock_mono_ms(journal->clock);
		mm_journal_set_mode(journal, MM_JOURNAL_FAILING, failure.cause);
	} else if (journal->mode == MM_JOURNAL_FAILING) {
		mm_journal_set_mode(journal, MM_JOURNAL_SPOOLING, "the spool takes records again");
	}
	pthread_cond_signal(&journal->has_spooled);
	pthread_mutex_unlock(&journal->mutex);
	wake_batch(journal);
	pthread_mutex_lock(&journal->mutex);
	yield_to_drainer(journal, status == MM_OK ? pending : 0);
	pthread_mutex_unlock(&journal->mutex);
}

/* With the mutex held: sorts out what the sink did with the batch. */
static void count_direct(struct mm_journal *journal, enum mm_status status, const char *cause)
{
	struct mm_journal_batch *batch = &journal->batch;

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->fates[i] == MM_FATE_APPLIED)
			batch->waiters[i]->status = MM_OK;
		if (batch->fates[i] == MM_FATE_REFUSED)
			journal->is_status_stale = true;
		if (batch->fates[i] != MM_FATE_PENDING && batch->waiters[i]->status == MM_OK)
			journal->appended++;
	}
	if (status != MM_OK) {
		journal->is_spooling = true;
		mm_journal_sink_failed(journal, cause);
	} else {
		mm_backoff_succeed(&journal->backoff);
		mm_journal_set_mode(journal, MM_JOURNAL_DIRECT, NULL);
	}
	if (journal->is_status_stale || journal->has_wish)
		pthread_cond_signal(&journal->has_spooled);
}

static void write_direct(struct mm_journal *journal)
{
	struct mm_error failure = {0};
	enum mm_status status =
	    mm_journal_apply(&journal->options.sink, &journal->batch, refuse, journal, &failure);

	pthread_mutex_lock(&journal->mutex);
	journal->is_writing = false;
	count_direct(journal, status, failure.cause);
	pthread_mutex_unlock(&journal->mutex);
	if (status == MM_OK)
		wake_batch(journal);
	else
		spool_pending(journal);
}

static void write_spooled(struct mm_journal *journal)
{
	for (size_t i = 0; i < journal->batch.count; i++)
		journal->batch.fates[i] = MM_FATE_PENDING;
	spool_pending(journal);
}

/* Whether this batch may go to the sink: see journal_internal.h. */
static bool may_use_sink(struct mm_journal *journal)
{
	pthread_mutex_lock(&journal->mutex);
	bool is_allowed = journal->mode == MM_JOURNAL_DIRECT && !journal->has_wish;
	if (!is_allowed && !journal->has_wish && !journal->is_draining &&
	    !mm_backoff_is_waiting(&journal->backoff, mm_clock_mono_ms(journal->clock)))
		is_allowed = mm_journal_is_drained(journal);
	journal->is_spooling = !is_allowed;
	journal->is_writing = is_allowed;
	pthread_mutex_unlock(&journal->mutex);
	return is_allowed;
}

void *mm_journal_writer(void *argument)
{
	struct mm_journal *journal = argument;

	while (wait_for_batch(journal)) {
		if (journal->batch.count == 0)
			continue;
		if (may_use_sink(journal))
			write_direct(journal);
		else
			write_spooled(journal);
	}
	return NULL;
}
