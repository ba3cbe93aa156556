/* keep: hands records to the journal; what is in them is the services'. */
#include "config.h"

#include "service/keep.h"

/* What the journal calls back with. */
struct held {
	void (*release)(void *held, enum mm_status status, const struct mm_error *err);
	void *reply;
};

static void release(void *argument, enum mm_status status, const struct mm_error *err)
{
	const struct held held = *(const struct held *)argument;
	held.release(held.reply, status, err);
}

/* From the hold on the outcome reaches the client through the release, a refusal too. */
static void submit(struct mm_runtime *runtime, const struct mm_record *record, struct held *held,
		   struct mm_arena *arena)
{
	struct mm_error err = {.status = MM_OK};
	const enum mm_status status =
	    mm_journal_submit(runtime->journal, record, release, held, arena, &err);
	if (status != MM_OK)
		held->release(held->reply, status, &err);
}

enum mm_status mm_keep(struct mm_runtime *runtime, const struct mm_record *record,
		       const struct mm_deferral *deferral, struct mm_arena *arena,
		       struct mm_error *err)
{
	struct held *held = deferral ? mm_arena_zalloc(arena, sizeof *held) : NULL;
	if (held)
		*held = (struct held){.release = deferral->release,
				      .reply = deferral->hold(deferral->context)};
	if (!held || !held->reply)
		return mm_journal_append(runtime->journal, record, NULL, err);
	submit(runtime, record, held, arena);
	return MM_OK;
}

bool mm_keep_is_spooling(const struct mm_runtime *runtime)
{
	struct mm_journal_state state;
	mm_journal_state(runtime->journal, &state);
	return state.mode != MM_JOURNAL_DIRECT;
}

bool mm_keep_may_be_spooled(const struct mm_runtime *runtime, struct mm_arena *arena)
{
	struct mm_journal_report *reports;
	struct mm_error err = {.status = MM_OK};
	size_t count;

	if (mm_keep_is_spooling(runtime) ||
	    mm_journal_read_states(runtime->settings->journal.spool_dir, &reports, &count, arena,
				   &err) != MM_OK)
		return true;
	for (size_t i = 0; i < count; i++)
		if (reports[i].state.mode != MM_JOURNAL_DIRECT || reports[i].state.spooled > 0)
			return true;
	return false;
}
