/* ladder: chooses texts; whether a person is due is handoff's. */
#include "config.h"

#include "service/ladder.h"

#include <string.h>

const char *mm_ladder_text(const struct mm_turn *turn, enum mm_handoff_reason reason)
{
	const bool is_end = reason == MM_HANDOFF_SEVERITY &&
			    turn->question_analysis->harassment.severity == MM_SEVERITY_CRITICAL;
	return mm_replies_text(turn->runtime->replies, turn->language,
			       is_end ? MM_REPLY_END_CRITICAL : mm_handoff_reply_key(reason));
}

/* Whether a message of the other side holds `text`; neither is NUL-terminated. */
static bool holds(const struct mm_past_message *message, const char *text)
{
	const size_t length = strlen(text);
	if (message->is_customer)
		return false;
	for (size_t at = 0; at + length <= message->length; at++)
		if (memcmp(message->text + at, text, length) == 0)
			return true;
	return false;
}

bool mm_ladder_is_unsaid(const struct mm_turn *turn, const char *text)
{
	for (size_t i = 0; i < turn->past.count; i++)
		if (holds(&turn->past.messages[i], text))
			return false;
	return true;
}

static bool was_notice_given(const struct mm_turn *turn)
{
	const struct mm_replies *replies = turn->runtime->replies;
	if (turn->stored.has_notice)
		return true;
	for (int language = 0; language < MM_LANGUAGE__MAX; language++)
		if (!mm_ladder_is_unsaid(turn, mm_replies_text(replies, (enum mm_language)language,
							       MM_REPLY_NOTICE)))
			return true;
	return false;
}

static bool is_medium(const struct mm_analysis *analysis)
{
	return analysis->harassment.is_harassment &&
	       analysis->harassment.severity >= MM_SEVERITY_MEDIUM;
}

enum mm_status mm_ladder_add_notice(struct mm_turn *turn, struct mm_error *err)
{
	if (!is_medium(&turn->analysis) && !is_medium(turn->question_analysis))
		return MM_OK;
	if (was_notice_given(turn))
		return MM_OK;
	turn->reply.text = mm_arena_printf(
	    turn->arena, "%s" MM_REPLY_NOTICE_JOINT "%s", turn->reply.text,
	    mm_replies_text(turn->runtime->replies, turn->language, MM_REPLY_NOTICE));
	turn->has_notice = true;
	return turn->reply.text
		   ? MM_OK
		   : mm_error_cause(err, MM_NO_MEMORY, "ladder: no memory for a notice");
}

bool mm_ladder_is_capped(const struct mm_turn *turn)
{
	const int64_t max = turn->runtime->settings->conversation.turns_max;
	int64_t said = 0;
	for (size_t i = 0; i < turn->past.count; i++)
		said += !turn->past.messages[i].is_customer;
	/* A stored history may be shorter than the conversation, or older than a handoff. */
	if (turn->stored.exists)
		said = turn->stored.bot_turns;
	return max > 0 && said >= max;
}
