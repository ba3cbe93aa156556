/* conversation.c: what the thread shows: the same demand again and again, rising risk, duration.
 * One message of an unresolved complaint never counts against the customer. */
#include "config.h"

#include "detect/judge.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

enum {
	WINDOW_MS = 10 * 60 * 1000, /* how far back a repetition counts */
	REPETITIONS_MIN = 3,        /* earlier ones that make persistence */
	LENGTH_MIN = 6,             /* characters; shorter messages repeat innocently */
	GRAMS_MAX = 512,            /* of a message that are compared */
	MESSAGES_MAX = 40           /* latest messages that are compared */
};

static const double similarity_min = 0.8;
static const double persistence_weight = 2.0;
static const char persistence_rule[] = "conversation.persistence";
static const char persistence_ja[] = "回答の後も、同じ要求が短時間に繰り返されています。";
static const char persistence_en[] =
    "The same demand is repeated within minutes although it was answered.";

/* The character pairs of a squeezed text, sorted. */
struct grams {
	uint32_t items[GRAMS_MAX];
	size_t count;
};

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Blanks and punctuation say nothing about sameness. */
static bool is_sign(uint32_t c)
{
	bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'z';

	return (c < 0x80 && !is_digit && !is_letter) || (c >= 0x3000 && c <= 0x303f) || c == 0x30fb;
}

static void read_grams(const struct mm_folded *text, struct grams *out)
{
	uint32_t before = 0, now;
	size_t at = 0;

	out->count = 0;
	while (at < text->length && out->count < GRAMS_MAX) {
		size_t length = mm_utf8_decode(text->text + at, text->length - at, &now);

		if (length == 0)
			break;
		at += length;
		if (is_sign(now))
			continue;
		if (before != 0)
			out->items[out->count++] = before * 0x9e3779b1u ^ now;
		before = now;
	}
	qsort(out->items, out->count, sizeof(out->items[0]), by_value);
}

/* Dice's coefficient of the two bags of pairs. */
static double similarity(const struct grams *a, const struct grams *b)
{
	size_t i = 0, j = 0, common = 0;

	while (i < a->count && j < b->count) {
		if (a->items[i] == b->items[j]) {
			common++, i++, j++;
		} else if (a->items[i] < b->items[j]) {
			i++;
		} else {
			j++;
		}
	}
	return a->count + b->count ? 2.0 * (double)common / (double)(a->count + b->count) : 0.0;
}

static bool is_comparable(const struct mm_reading *reading, const struct mm_past *past,
			  const struct mm_past_message *message)
{
	return message->is_customer && message->utc_ms > 0 &&
	       past->now_utc_ms - message->utc_ms <= WINDOW_MS && message->length > 0 &&
	       message->length / 3 <= reading->length && reading->length / 3 <= message->length;
}

/* Counts the earlier messages that say the same; *answered_out: one of them was answered. */
static enum mm_status count_repetitions(struct mm_reading *reading, const struct mm_past *past,
					unsigned *count_out, bool *answered_out,
					struct mm_error *err)
{
	const struct mm_folded *text = &reading->views[MM_FOLD_SQUEEZED];
	size_t first = past->count > MESSAGES_MAX ? past->count - MESSAGES_MAX : 0;
	struct grams own, other;
	unsigned count = 0;
	bool has_answer = false;

	read_grams(text, &own);
	for (size_t i = first; i < past->count; i++) {
		const struct mm_past_message *message = &past->messages[i];
		struct mm_folded folded;
		enum mm_status status;

		has_answer = has_answer || (count > 0 && !message->is_customer);
		if (!is_comparable(reading, past, message))
			continue;
		status = mm_fold(message->text, message->length, MM_FOLD_SQUEEZED, &folded,
				 reading->arena, err);
		if (status == MM_NO_MEMORY)
			return status;
		if (status != MM_OK)
			continue;
		read_grams(&folded, &other);
		count += similarity(&own, &other) >= similarity_min;
	}
	*count_out = count;
	*answered_out = has_answer;
	return MM_OK;
}

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

static enum mm_status add_persistence(struct mm_reading *reading, struct mm_harassment *harassment,
				      struct mm_error *err)
{
	struct mm_finding *findings =
	    mm_arena_alloc(reading->arena, (harassment->finding_count + 1) * sizeof(*findings));

	if (!findings)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	if (harassment->finding_count > 0)
		memcpy(findings, harassment->findings,
		       harassment->finding_count * sizeof(*findings));
	findings[harassment->finding_count] =
	    (struct mm_finding){.rule = persistence_rule,
				.severity = MM_SEVERITY_MEDIUM,
				.categories = 1u << MM_CATEGORY_PERSISTENCE,
				.end = reading->views[MM_FOLD_PLAIN].source_code_points,
				.text = reading->utf8,
				.text_length = reading->length,
				.reason = persistence_ja,
				.reason_en = persistence_en,
				.weight = persistence_weight};
	harassment->findings = findings;
	harassment->finding_count++;
	harassment->categories |= 1u << MM_CATEGORY_PERSISTENCE;
	if (harassment->severity < MM_SEVERITY_MEDIUM) {
		harassment->severity = MM_SEVERITY_MEDIUM;
		harassment->is_harassment = true;
		harassment->confidence = mm_harassment_confidence(persistence_weight);
	}
	return MM_OK;
}

static enum mm_status judge_repetition(struct mm_reading *reading, const struct mm_past *past,
				       struct mm_analysis *out, struct mm_error *err)
{
	const struct mm_folded *text = &reading->views[MM_FOLD_SQUEEZED];
	bool is_answered = false;
	enum mm_status status;

	if (mm_utf8_count(text->text, text->length) < LENGTH_MIN)
		return MM_OK;
	status =
	    count_repetitions(reading, past, &out->conversation.repetitions, &is_answered, err);
	if (status != MM_OK)
		return status;
	if (out->conversation.repetitions < REPETITIONS_MIN || !is_answered ||
	    reading->is_question || reading->is_polite)
		return MM_OK;
	return add_persistence(reading, &out->harassment, err);
}

enum mm_status mm_conversation_judge(struct mm_reading *reading, const struct mm_past *past,
				     struct mm_analysis *out, struct mm_error *err)
{
	enum mm_status status;

	out->conversation = (struct mm_conversation_reading){
	    .angry_in_a_row = count_angry(past, out->sentiment.sentiment)};
	if (!past || past->count == 0)
		return MM_OK;
	if (past->messages[0].utc_ms > 0 && past->now_utc_ms > past->messages[0].utc_ms)
		out->conversation.duration_ms = past->now_utc_ms - past->messages[0].utc_ms;
	status = judge_repetition(reading, past, out, err);
	if (status != MM_OK)
		return status;
	out->conversation.is_escalating =
	    is_rising(past, mm_risk_combine(out->harassment.severity, out->sentiment.sentiment));
	return MM_OK;
}
