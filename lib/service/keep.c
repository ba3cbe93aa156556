/* keep: hands records to the journal; what is in them is the services'. */
#include "config.h"

#include "service/keep.h"

/* What the journal calls back with. */
struct held {
	void (*release)(void *held, enum mm_status status, const struct mm_error *err);
	void *reply;
	struct mm_spooled spooled;
	const enum mm_owner *owner; /* the record's */
};

static void tell(const struct mm_spooled *spooled, const enum mm_owner *owner, bool is_spooled)
{
	if (is_spooled && spooled->tell)
		spooled->tell(spooled->context);
	else if (owner && *owner != MM_OWNER__MAX && spooled->tell_dropped)
		spooled->tell_dropped(spooled->context);
}

static void release(void *argument, enum mm_status status, bool is_spooled,
		    const struct mm_error *err)
{
	const struct held held = *(const struct held *)argument;
	if (status == MM_OK)
		tell(&held.spooled, held.owner, is_spooled);
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

static enum mm_status append(struct mm_runtime *runtime, const struct mm_record *record,
			     const struct mm_spooled *spooled, struct mm_error *err)
{
	bool is_spooled;
	const enum mm_status status = mm_journal_append(runtime->journal, record, &is_spooled, err);
	if (status == MM_OK && spooled)
		tell(spooled, record->owner_out, is_spooled);
	return status;
}

enum mm_status mm_keep(struct mm_runtime *runtime, const struct mm_record *record,
		       const struct mm_deferral *deferral, const struct mm_spooled *spooled,
		       struct mm_arena *arena, struct mm_error *err)
{
	struct held *held = deferral ? mm_arena_zalloc(arena, sizeof *held) : NULL;
	if (held)
		*held = (struct held){.release = deferral->release,
				      .reply = deferral->hold(deferral->context),
				      .owner = record->owner_out};
	if (!held || !held->reply)
		return append(runtime, record, spooled, err);
	if (spooled)
		held->spooled = *spooled;
	submit(runtime, record, held, arena);
	return MM_OK;
}

static bool is_spooling(const struct mm_runtime *runtime)
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

	if (is_spooling(runtime) || mm_journal_read_states(runtime->settings->journal.spool_dir,
							   &reports, &count, arena, &err) != MM_OK)
		return true;
	for (size_t i = 0; i < count; i++)
		if (reports[i].state.mode != MM_JOURNAL_DIRECT || reports[i].state.spooled > 0)
			return true;
	return false;
}
