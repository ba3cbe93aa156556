/* conversation.c: what a thread means: persistence, restraint, rising risk. The counts are
 * thread.c's. One message of an unresolved complaint never counts against the customer. */
#include "config.h"

#include "detect/judge.h"

#include <math.h>
#include <string.h>

#include "detect/thread.h"

enum { FINDINGS_MAX = 2 }; /* of a thread: one of each category */

static const double base_weight = 2.0;    /* of a finding that just meets its minimum */
static const double step_weight = 0.25;   /* of each one more, */
static const double steps_max = 4.0;      /* of which so many count */
static const double earlier_weight = 0.5; /* harassment came before */

/* Why a thread is objected to. The first of a category that applies is its finding. */
enum objection { REPEATED_SOON, REPEATED_LONG, FLOODED, DETAINED, OBJECTION__MAX };

static const struct {
	enum mm_category category;
	const char *rule, *reason, *reason_en;
} objections[OBJECTION__MAX] = {
    [REPEATED_SOON] = {MM_CATEGORY_PERSISTENCE, "conversation.persistence",
		       "回答の後も、同じ要求が短時間に繰り返されています。",
		       "The same demand is repeated within minutes although it was answered."},
    [REPEATED_LONG] = {MM_CATEGORY_PERSISTENCE, "conversation.persistence",
		       "何度回答しても、同じ要求が繰り返されています。",
		       "The same demand comes again and again although it was answered more than "
		       "once."},
    [FLOODED] = {MM_CATEGORY_PERSISTENCE, "conversation.persistence",
		 "威圧や暴言を含むメッセージが1分間に多数送られています。",
		 "Many messages with abuse or pressure in them were sent within one minute."},
    [DETAINED] = {MM_CATEGORY_RESTRAINT, "conversation.restraint",
		  "回答の後も会話が長時間途切れず、同じ要求や威圧が続いています。",
		  "The conversation goes on for very long without a pause, with repeated demands "
		  "or harassment, although it was answered."},
};

static bool is_angry(const struct mm_past_message *message)
{
	return message->has_analysis && message->sentiment == MM_SENTIMENT_ANGER;
}

static unsigned count_angry(const struct mm_past *past, enum mm_sentiment current)
{
	unsigned count = 1;

	if (current != MM_SENTIMENT_ANGER)
		return 0;
	for (size_t i = past ? past->count : 0; i-- > 0;) {
		if (!past->messages[i].is_customer)
			continue;
		if (!is_angry(&past->messages[i]))
			break;
		count++;
	}
	return count;
}

/* Never falling, higher than two messages ago, and at least medium by now. */
static bool is_rising(const struct mm_past *past, enum mm_severity current)
{
	enum mm_severity risks[2] = {MM_SEVERITY_NONE, MM_SEVERITY_NONE};
	unsigned found = 0;

	for (size_t i = past->count; i-- > 0 && found < 2;) {
		const struct mm_past_message *message = &past->messages[i];

		if (message->is_customer && message->has_analysis)
			risks[found++] = mm_risk_combine(message->severity, message->sentiment);
	}
	return found == 2 && risks[1] <= risks[0] && risks[0] <= current && current > risks[1] &&
	       current >= MM_SEVERITY_MEDIUM;
}

/* Whether the message presses at all. Thanks, questions, polite words, a report of what is still
 * wrong, a need for accommodation and despair never do. */
static bool insists(const struct mm_reading *reading, const struct mm_analysis *analysis)
{
	const unsigned mild = 1u << MM_SIGNAL_ACCOMMODATION | 1u << MM_SIGNAL_SELF_HARM;

	if (reading->is_question || reading->is_polite || analysis->signals & mild)
		return false;
	if (analysis->intents & 1u << MM_INTENT_THANKS ||
	    analysis->sentiment.sentiment == MM_SENTIMENT_POSITIVE)
		return false;
	return !reading->is_fair || analysis->harassment.severity >= MM_SEVERITY_MEDIUM;
}

static double weigh(double beyond_minimum, const struct mm_thread *thread)
{
	return base_weight + step_weight * fmin(beyond_minimum, steps_max) +
	       (thread->shown.harassing_before > 0 ? earlier_weight : 0.0);
}

/* Each of these gives the weight of an objection, 0 when it does not apply. */

static double weigh_repeated_soon(const struct mm_thread *thread,
				  const struct mm_analysis *analysis)
{
	const unsigned count = thread->shown.repetitions;

	(void)analysis;
	if (count < MM_THREAD_RECENT_MIN || !thread->is_recent_answered)
		return 0.0;
	return weigh(count - MM_THREAD_RECENT_MIN, thread);
}

static double weigh_repeated_long(const struct mm_thread *thread,
				  const struct mm_analysis *analysis)
{
	const unsigned count = thread->shown.repetitions_long;

	(void)analysis;
	if (count < MM_THREAD_LONG_MIN ||
	    thread->shown.repetitions_answered < MM_THREAD_LONG_ANSWERS_MIN)
		return 0.0;
	return weigh(count - MM_THREAD_LONG_MIN, thread);
}

/* Many short lines are a story; many short lines of abuse are a flood. */
static double weigh_flooded(const struct mm_thread *thread, const struct mm_analysis *analysis)
{
	const bool is_harassment = analysis->harassment.severity >= MM_SEVERITY_MEDIUM;
	const unsigned harassing = thread->harassing_in_minute + is_harassment;

	if (thread->shown.messages_per_minute < MM_THREAD_FLOOD_MIN ||
	    harassing < MM_THREAD_FLOOD_HARASSING_MIN)
		return 0.0;
	if (!is_harassment && analysis->sentiment.sentiment != MM_SENTIMENT_ANGER)
		return 0.0;
	return weigh(harassing - MM_THREAD_FLOOD_HARASSING_MIN, thread);
}

static double weigh_detained(const struct mm_thread *thread, const struct mm_analysis *analysis)
{
	const struct mm_thread_stretch *stretch = &thread->stretch;
	const bool is_repeated = stretch->repeated >= MM_THREAD_RESTRAINT_REPEATED_MIN &&
				 thread->shown.repetitions_answered > 0;
	const bool is_harassing = stretch->harassing >= MM_THREAD_RESTRAINT_HARASSING_MIN;
	const int64_t beyond = thread->shown.unbroken_ms - MM_THREAD_RESTRAINT_MS;

	(void)analysis;
	if (beyond < 0 || stretch->messages < MM_THREAD_RESTRAINT_MESSAGES_MIN ||
	    stretch->answers == 0 || (!is_repeated && !is_harassing))
		return 0.0;
	const int64_t steps = beyond / MM_THREAD_RESTRAINT_STEP_MS;

	return weigh((double)steps, thread);
}

static double (*const weighings[OBJECTION__MAX])(const struct mm_thread *thread,
						 const struct mm_analysis *analysis) = {
    [REPEATED_SOON] = weigh_repeated_soon,
    [REPEATED_LONG] = weigh_repeated_long,
    [FLOODED] = weigh_flooded,
    [DETAINED] = weigh_detained,
};

/* The findings of the thread, each about the whole message; returns how many. */
static size_t object(const struct mm_reading *reading, const struct mm_thread *thread,
		     const struct mm_analysis *analysis, struct mm_finding findings[FINDINGS_MAX])
{
	unsigned seen = 0;
	size_t count = 0;

	for (int i = 0; i < OBJECTION__MAX; i++) {
		const unsigned category = 1u << objections[i].category;
		const double weight = weighings[i](thread, analysis);

		if (weight <= 0.0 || seen & category)
			continue;
		seen |= category;
		findings[count++] =
		    (struct mm_finding){.rule = objections[i].rule,
					.severity = MM_SEVERITY_MEDIUM,
					.categories = category,
					.end = reading->views[MM_FOLD_PLAIN].source_code_points,
					.text = reading->utf8,
					.text_length = reading->length,
					.reason = objections[i].reason,
					.reason_en = objections[i].reason_en,
					.weight = weight};
	}
	return count;
}

/* Adds the thread's findings behind the message's own. */
static enum mm_status add(struct mm_harassment *harassment, const struct mm_finding *findings,
			  size_t count, struct mm_arena *arena, struct mm_error *err)
{
	const size_t before = harassment->finding_count;
	struct mm_finding *all = mm_arena_alloc(arena, (before + count) * sizeof(*all));
	double weight = 0.0;

	if (!all)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	if (before > 0)
		memcpy(all, harassment->findings, before * sizeof(*all));
	memcpy(all + before, findings, count * sizeof(*all));
	harassment->findings = all;
	harassment->finding_count = before + count;
	for (size_t i = 0; i < count; i++) {
		harassment->categories |= findings[i].categories;
		weight += findings[i].weight;
	}
	const double confidence = mm_harassment_confidence(weight);

	if (!harassment->is_harassment || harassment->confidence < confidence)
		harassment->confidence = confidence;
	if (harassment->severity < MM_SEVERITY_MEDIUM)
		harassment->severity = MM_SEVERITY_MEDIUM;
	harassment->is_harassment = true;
	return MM_OK;
}

static enum mm_status judge_thread(const struct mm_reading *reading, const struct mm_past *past,
				   struct mm_analysis *out, struct mm_error *err)
{
	struct mm_finding findings[FINDINGS_MAX];
	struct mm_thread thread;
	const enum mm_status status = mm_thread_read(reading, past, &thread, err);

	if (status != MM_OK)
		return status;
	thread.shown.angry_in_a_row = out->conversation.angry_in_a_row;
	out->conversation = thread.shown;
	if (!insists(reading, out))
		return MM_OK;
	const size_t count = object(reading, &thread, out, findings);

	return count > 0 ? add(&out->harassment, findings, count, reading->arena, err) : MM_OK;
}

enum mm_status mm_conversation_judge(const struct mm_reading *reading, const struct mm_past *past,
				     struct mm_analysis *out, struct mm_error *err)
{
	out->conversation = (struct mm_conversation_reading){
	    .angry_in_a_row = count_angry(past, out->sentiment.sentiment),
	    .messages_per_minute = 1};
	if (!past || past->count == 0)
		return MM_OK;
	const enum mm_status status = judge_thread(reading, past, out, err);

	if (status != MM_OK)
		return status;
	out->conversation.is_escalating =
	    is_rising(past, mm_risk_combine(out->harassment.severity, out->sentiment.sentiment));
	return MM_OK;
}
