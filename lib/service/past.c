/* past: runs the detector over earlier messages; stored ones were judged when they came. */
#include "config.h"

#include "service/past.h"

#include <string.h>

static bool needs_judging(const struct mm_past_message *message)
{
	return message->is_customer && !message->has_analysis;
}

static size_t count_unjudged(const struct mm_past *past)
{
	size_t count = 0;
	for (size_t i = 0; i < past->count; i++)
		count += needs_judging(&past->messages[i]);
	return count;
}

static enum mm_status judge(struct mm_detector *detector, struct mm_past_message *message,
			    struct mm_arena *arena, struct mm_error *err)
{
	struct mm_analysis analysis;
	const enum mm_status status =
	    mm_detect(detector, message->text, message->length, NULL, &analysis, arena, err);
	if (status != MM_OK)
		return status;
	message->severity = analysis.harassment.severity;
	message->sentiment = analysis.sentiment.sentiment;
	message->has_analysis = true;
	return MM_OK;
}

enum mm_status mm_past_judge(struct mm_detector *detector, struct mm_past *past,
			     struct mm_arena *arena, struct mm_error *err)
{
	if (count_unjudged(past) == 0)
		return MM_OK;
	struct mm_past_message *messages = mm_arena_array(arena, past->count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "history: no memory");
	memcpy(messages, past->messages, past->count * sizeof *messages);
	past->messages = messages;
	for (size_t i = 0; i < past->count; i++) {
		const enum mm_status status =
		    needs_judging(&messages[i]) ? judge(detector, &messages[i], arena, err) : MM_OK;
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}
