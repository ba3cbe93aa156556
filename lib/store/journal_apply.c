/* journal_apply: one batch through the sink. It knows neither queue nor spool. */
#include "config.h"

#include "store/journal_internal.h"

struct application {
	const struct mm_journal_sink *sink;
	struct mm_journal_batch *batch;
	mm_journal_refusal refuse;
	void *context;
	struct mm_error *err;
};

static void set_fates(struct mm_journal_batch *batch, size_t first, size_t count,
		      enum mm_journal_fate fate)
{
	for (size_t i = first; i < first + count; i++)
		batch->fates[i] = fate;
}

static enum mm_status refuse_one(struct application *application, size_t index,
				 const struct mm_error *reason)
{
	enum mm_status status = application->refuse(application->context, index, reason->cause);

	if (status != MM_OK)
		return mm_error_cause(application->err, status, "a refused record was not kept");
	application->batch->fates[index] = MM_FATE_REFUSED;
	return MM_OK;
}

/* Recursion is as deep as the logarithm of the batch. */
static enum mm_status apply_range(struct application *application, size_t first, size_t count)
{
	struct mm_journal_batch *batch = application->batch;
	const struct mm_journal_sink *sink = application->sink;
	struct mm_error failure = {0};
	enum mm_status status = sink->apply(sink->self, batch->records[first].kind,
					    &batch->records[first], count, &failure);

	if (status == MM_OK) {
		set_fates(batch, first, count, MM_FATE_APPLIED);
		return MM_OK;
	}
	if (status != MM_BAD_INPUT)
		return mm_error_cause(application->err,
				      status == MM_TIMEOUT ? MM_TIMEOUT : MM_UPSTREAM, "%.500s",
				      failure.cause);
	if (count == 1)
		return refuse_one(application, first, &failure);
	status = apply_range(application, first, count / 2);
	if (status != MM_OK)
		return status;
	return apply_range(application, first + count / 2, count - count / 2);
}

enum mm_status mm_journal_apply(const struct mm_journal_sink *sink, struct mm_journal_batch *batch,
				mm_journal_refusal refuse, void *context, struct mm_error *err)
{
	struct application application = {sink, batch, refuse, context, err};

	set_fates(batch, 0, batch->count, MM_FATE_PENDING);
	return apply_range(&application, 0, batch->count);
}
