/* past: runs the detector over the latest of the earlier messages; stored ones were judged when they
 * came. */
#include "config.h"

#include "service/past.h"

#include <string.h>

static bool needs_judging(const struct mm_past_message *message)
{
	return message->is_customer && !message->has_analysis;
}

static bool is_anything_unjudged(const struct mm_past *past)
{
	for (size_t i = 0; i < past->count; i++)
		if (needs_judging(&past->messages[i]))
			return true;
	return false;
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
	if (!is_anything_unjudged(past))
		return MM_OK;
	struct mm_past_message *messages = mm_arena_array(arena, past->count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "history: no memory");
	memcpy(messages, past->messages, past->count * sizeof *messages);
	past->messages = messages;
	size_t left = MM_PAST_JUDGED_MAX_BYTES;
	for (size_t i = past->count; i-- > 0;) {
		if (!needs_judging(&messages[i]))
			continue;
		if (messages[i].length > left)
			break;
		left -= messages[i].length;
		const enum mm_status status = judge(detector, &messages[i], arena, err);
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}
