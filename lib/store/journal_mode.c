/* journal_mode: the modes and what an administrator reads about them. One line a change. */
#include "config.h"

#include "store/journal_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* name: as in the status file; level and text: the line logged on entering the mode */
static const struct {
	const char *name;
	enum mm_log_level level;
	const char *text;
} modes[MM_JOURNAL_MODE__MAX] = {
    [MM_JOURNAL_DIRECT] = {"direct", MM_LOG_NOTICE, "records go to the database"},
    [MM_JOURNAL_SPOOLING] = {"spooling", MM_LOG_WARNING,
			     "the database fails, records go to the spool"},
    [MM_JOURNAL_DRAINING] = {"draining", MM_LOG_NOTICE,
			     "the database takes records, the spool is being emptied"},
    [MM_JOURNAL_FAILING] = {"failing", MM_LOG_ERROR,
			    "database and spool both fail, records are refused"},
};

const char *mm_journal_mode_name(enum mm_journal_mode mode)
{
	return (unsigned)mode < MM_JOURNAL_MODE__MAX ? modes[mode].name : "unknown";
}

void mm_journal_set_mode(struct mm_journal *journal, enum mm_journal_mode mode, const char *cause)
{
	bool is_other_cause =
	    cause && strncmp(cause, journal->logged_cause, sizeof(journal->logged_cause) - 1) != 0;

	if (mode == journal->mode && !is_other_cause)
		return;
	if (cause)
		snprintf(journal->logged_cause, sizeof(journal->logged_cause), "%s", cause);
	if (mode == MM_JOURNAL_DIRECT)
		journal->logged_cause[0] = '\0';
	mm_log(modes[mode].level, NULL, "journal %s: %s%s%s", modes[mode].name, modes[mode].text,
	       cause ? ": " : "", cause ? cause : "");
	if (mode != journal->mode) {
		journal->owed = 0;
		journal->drained = 0;
	}
	journal->mode = mode;
	journal->is_status_stale = true;
	pthread_cond_signal(&journal->has_spooled);
	pthread_cond_signal(&journal->has_drained);
}

void mm_journal_sink_failed(struct mm_journal *journal, const char *cause)
{
	mm_backoff_fail(&journal->backoff, mm_clock_mono_ms(journal->clock));
	mm_journal_set_mode(
	    journal, journal->mode == MM_JOURNAL_FAILING ? MM_JOURNAL_FAILING : MM_JOURNAL_SPOOLING,
	    cause);
}

bool mm_journal_is_drained(const struct mm_journal *journal)
{
	struct mm_spool_counts counts;

	mm_spool_counts(journal->spool, &counts);
	return counts.records == 0 && !journal->is_spooling;
}

void mm_journal_read_state(struct mm_journal *journal, struct mm_journal_state *state_out)
{
	struct mm_spool_counts counts;

	mm_spool_counts(journal->spool, &counts);
	*state_out = (struct mm_journal_state){
	    .put_back = journal->put_back,
	    .mode = journal->mode,
	    .spooled = counts.records,
	    .oldest_utc_ms = counts.oldest_utc_ms,
	    .set_aside = counts.set_aside,
	    .appended = journal->appended,
	};
	memcpy(state_out->retry, journal->answered, sizeof(state_out->retry));
}
