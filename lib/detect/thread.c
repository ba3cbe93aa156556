/* thread.c: counts what a thread holds. What the counts mean, conversation.c says. */
#include "config.h"

#include "detect/thread.h"

#include "detect/likeness.h"

/* Of the latest messages: whether each says the same as the judged one. */
struct sameness {
	size_t first; /* the message of `is_same[0]` */
	bool is_same[MM_THREAD_COMPARED_MAX];
};

static bool says_the_same(const struct sameness *sameness, size_t index)
{
	return index >= sameness->first && sameness->is_same[index - sameness->first];
}

/* How long ago a message was sent; -1 when nobody knows. Two machines' clocks may disagree a
 * little. */
static int64_t age_of(const struct mm_past *past, const struct mm_past_message *message)
{
	if (message->utc_ms <= 0 || message->utc_ms > past->now_utc_ms + MM_THREAD_MINUTE_MS)
		return -1;
	return message->utc_ms < past->now_utc_ms ? past->now_utc_ms - message->utc_ms : 0;
}

static bool is_within(const struct mm_past *past, const struct mm_past_message *message,
		      int64_t window_ms)
{
	const int64_t age = age_of(past, message);

	return age >= 0 && age <= window_ms;
}

static bool is_answer(const struct mm_past_message *message)
{
	return !message->is_customer && !message->is_no_answer;
}

static bool is_harassing(const struct mm_past_message *message)
{
	return message->is_customer && message->has_analysis &&
	       message->severity >= MM_SEVERITY_MEDIUM;
}

static enum mm_status compare(const struct mm_reading *reading, const struct mm_likeness *own,
			      const struct mm_past_message *message, bool *is_same_out,
			      struct mm_error *err)
{
	struct mm_likeness earlier;
	enum mm_status status;

	if (!message->is_customer || !mm_likeness_is_possible(own, message->length))
		return MM_OK;
	status = mm_likeness_read(message->text, message->length, &earlier, reading->arena, err);
	if (status == MM_OK)
		*is_same_out = mm_likeness_is_same(own, &earlier);
	/* A text that cannot be read is like no other. */
	return status == MM_NO_MEMORY ? status : MM_OK;
}

static enum mm_status compare_all(const struct mm_reading *reading, const struct mm_past *past,
				  struct sameness *out, struct mm_error *err)
{
	struct mm_likeness own;
	enum mm_status status =
	    mm_likeness_read(reading->utf8, reading->length, &own, reading->arena, err);

	if (status != MM_OK || own.characters < MM_THREAD_CHARACTERS_MIN)
		return status;
	for (size_t i = out->first; i < past->count && status == MM_OK; i++)
		status =
		    compare(reading, &own, &past->messages[i], &out->is_same[i - out->first], err);
	return status;
}

static void count_repetitions(const struct mm_past *past, const struct sameness *sameness,
			      struct mm_thread *out)
{
	struct mm_conversation_reading *shown = &out->shown;
	bool is_open = false; /* a demand waits for an answer */

	for (size_t i = sameness->first; i < past->count; i++) {
		const struct mm_past_message *message = &past->messages[i];

		if (is_answer(message)) {
			shown->repetitions_answered += is_open;
			is_open = false;
			out->is_recent_answered |= shown->repetitions > 0;
		} else if (says_the_same(sameness, i)) {
			shown->repetitions += is_within(past, message, MM_THREAD_RECENT_MS);
			if (age_of(past, message) > MM_THREAD_LONG_MS)
				continue;
			shown->repetitions_long++;
			is_open = true;
		}
	}
}

static void count_minute_and_harassment(const struct mm_past *past, struct mm_thread *out)
{
	out->shown.messages_per_minute = 1;
	for (size_t i = 0; i < past->count; i++) {
		const struct mm_past_message *message = &past->messages[i];
		const bool is_in_minute = is_within(past, message, MM_THREAD_MINUTE_MS);

		out->shown.messages_per_minute += message->is_customer && is_in_minute;
		out->shown.harassing_before += is_harassing(message);
		out->harassing_in_minute += is_harassing(message) && is_in_minute;
	}
}

static void read_stretch(const struct mm_past *past, const struct sameness *sameness,
			 struct mm_thread *out)
{
	struct mm_thread_stretch *stretch = &out->stretch;
	int64_t later = 0;

	stretch->messages = 1;
	for (size_t i = past->count; i-- > 0;) {
		const struct mm_past_message *message = &past->messages[i];
		const int64_t age = age_of(past, message);

		if (age < 0 || age - later > MM_THREAD_PAUSE_MS)
			break;
		later = age > later ? age : later;
		stretch->messages += message->is_customer;
		stretch->answers += is_answer(message);
		stretch->repeated += says_the_same(sameness, i);
		stretch->harassing += is_harassing(message);
	}
	out->shown.unbroken_ms = later;
}

static int64_t duration_of(const struct mm_past *past)
{
	const int64_t age = age_of(past, &past->messages[0]);

	return age > 0 ? age : 0;
}

enum mm_status mm_thread_read(const struct mm_reading *reading, const struct mm_past *past,
			      struct mm_thread *out, struct mm_error *err)
{
	struct sameness sameness = {.first = past->count > MM_THREAD_COMPARED_MAX
						 ? past->count - MM_THREAD_COMPARED_MAX
						 : 0};
	struct mm_thread thread = {.is_recent_answered = false};
	const enum mm_status status = compare_all(reading, past, &sameness, err);

	if (status != MM_OK)
		return status;
	thread.shown.duration_ms = duration_of(past);
	count_repetitions(past, &sameness, &thread);
	count_minute_and_harassment(past, &thread);
	read_stretch(past, &sameness, &thread);
	*out = thread;
	return MM_OK;
}
