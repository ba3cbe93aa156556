/* handoff: decides and describes; storing and answering is chat's. */
#include "config.h"

#include "service/handoff.h"

#include <string.h>

#include "base/buffer.h"
#include "detect/order_number.h"
#include "service/analysis_json.h"

enum { SUMMARY_MAX_BYTES = 4096 };

static const struct {
	const char *name;
	const char *summary; /* Japanese clause for the summary */
	enum mm_reply_key reply;
} reasons[MM_HANDOFF__MAX] = {
    [MM_HANDOFF_SELF_HARM] = {"self_harm", "自傷をほのめかす発言があります",
			      MM_REPLY_HANDOFF_SELF_HARM},
    [MM_HANDOFF_SEVERITY] = {"severity", "カスタマーハラスメントを検出しました",
			     MM_REPLY_HANDOFF_SEVERITY},
    [MM_HANDOFF_HUMAN_REQUESTED] = {"human_requested", "担当者との会話を希望しています",
				    MM_REPLY_HANDOFF_HUMAN_REQUESTED},
    [MM_HANDOFF_ANGER] = {"anger", "強い怒りが続いています", MM_REPLY_HANDOFF_ANGER},
    [MM_HANDOFF_FALLBACK] = {"fallback", "自動応答では回答できませんでした",
			     MM_REPLY_HANDOFF_FALLBACK},
    [MM_HANDOFF_TURN_CAP] = {"turn_cap", "自動応答が上限の回数に達しました",
			     MM_REPLY_HANDOFF_TURN_CAP},
};

static const char *const priorities[MM_PRIORITY__MAX] = {
    [MM_PRIORITY_URGENT] = "urgent",
    [MM_PRIORITY_HIGH] = "high",
    [MM_PRIORITY_NORMAL] = "normal",
};

static const struct {
	const char *severity;
	const char *sentiment;
} labels_ja[] = {
    {"なし", "満足"}, {"低", "中立"}, {"中", "不満"}, {"高", "怒り"}, {"重大", ""},
};

const char *mm_handoff_reason_name(enum mm_handoff_reason reason)
{
	return reasons[reason].name;
}

const char *mm_handoff_priority_name(enum mm_handoff_priority priority)
{
	return priorities[priority];
}

enum mm_reply_key mm_handoff_reply_key(enum mm_handoff_reason reason)
{
	return reasons[reason].reply;
}

bool mm_handoff_is_due(const struct mm_settings *settings, const struct mm_analysis *analysis,
		       unsigned fallback_streak, enum mm_handoff_reason *reason_out)
{
	const bool is_due[MM_HANDOFF__MAX] = {
	    [MM_HANDOFF_SELF_HARM] = analysis->signals & 1u << MM_SIGNAL_SELF_HARM,
	    [MM_HANDOFF_SEVERITY] = analysis->harassment.severity >= MM_SEVERITY_HIGH,
	    [MM_HANDOFF_HUMAN_REQUESTED] = analysis->signals & 1u << MM_SIGNAL_HUMAN_REQUESTED,
	    [MM_HANDOFF_ANGER] =
		analysis->conversation.angry_in_a_row >= settings->conversation.anger_handoff,
	    [MM_HANDOFF_FALLBACK] = fallback_streak >= settings->conversation.fallback_handoff,
	};
	for (int reason = 0; reason < MM_HANDOFF__MAX; reason++) {
		if (is_due[reason]) {
			*reason_out = (enum mm_handoff_reason)reason;
			return true;
		}
	}
	return false;
}

static enum mm_handoff_priority choose_priority(enum mm_handoff_reason reason,
						const struct mm_handoff *handoff,
						const struct mm_analysis *analysis)
{
	if (reason == MM_HANDOFF_SELF_HARM || handoff->severity == MM_SEVERITY_CRITICAL)
		return MM_PRIORITY_URGENT;
	if (handoff->severity == MM_SEVERITY_HIGH ||
	    analysis->sentiment.sentiment == MM_SENTIMENT_ANGER)
		return MM_PRIORITY_HIGH;
	return MM_PRIORITY_NORMAL;
}

static bool has_order_number(const struct mm_handoff *handoff, const char *value)
{
	for (size_t i = 0; i < handoff->order_number_count; i++)
		if (strcmp(handoff->order_numbers[i], value) == 0)
			return true;
	return false;
}

static enum mm_status add_order_numbers(struct mm_handoff *handoff, const char *text, size_t length,
					struct mm_arena *arena, struct mm_error *err)
{
	struct mm_order_number *found;
	size_t count;
	const enum mm_status status =
	    mm_order_number_find(text, length, &found, &count, arena, err);
	if (status != MM_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		if (handoff->order_number_count < MM_ORDER_NUMBERS_KEPT &&
		    !has_order_number(handoff, found[i].value))
			handoff->order_numbers[handoff->order_number_count++] = found[i].value;
	return MM_OK;
}

/* Adds what one message of the customer shows; of too many sentiments the oldest is dropped. */
static void add_reading(struct mm_handoff *handoff, const struct mm_analysis *analysis)
{
	if (handoff->sentiment_count == MM_SENTIMENTS_KEPT) {
		memmove(handoff->sentiments, handoff->sentiments + 1,
			(MM_SENTIMENTS_KEPT - 1) * sizeof handoff->sentiments[0]);
		handoff->sentiment_count--;
	}
	handoff->sentiments[handoff->sentiment_count++] = analysis->sentiment.sentiment;
	handoff->intents |= analysis->intents;
	handoff->signals |= analysis->signals;
	if (analysis->harassment.severity > handoff->severity)
		handoff->severity = analysis->harassment.severity;
	handoff->message_count++;
}

static enum mm_status add_message(struct mm_handoff *handoff, const struct mm_handoff_facts *facts,
				  const struct mm_past_message *message, struct mm_arena *arena,
				  struct mm_error *err)
{
	struct mm_analysis analysis;
	enum mm_status status =
	    mm_detect(facts->detector, message->text, message->length, NULL, &analysis, arena, err);
	if (status != MM_OK)
		return status;
	add_reading(handoff, &analysis);
	return add_order_numbers(handoff, message->text, message->length, arena, err);
}

static void add_issues(struct mm_buffer *out, unsigned intents)
{
	bool has_one = false;
	for (unsigned intent = 0; intent < MM_INTENT__MAX; intent++) {
		const char *issue = mm_intent_issue_ja((enum mm_intent)intent);
		if (!issue || !(intents & 1u << intent))
			continue;
		mm_buffer_add_text(out, has_one ? "、" : "ご用件: ");
		mm_buffer_add_text(out, issue);
		has_one = true;
	}
	if (has_one)
		mm_buffer_add_text(out, "。");
}

/* One paragraph of Japanese: who, why, what about, how they feel, which order. */
static enum mm_status write_summary(struct mm_handoff *handoff, struct mm_arena *arena,
				    struct mm_error *err)
{
	const size_t last = handoff->sentiment_count - 1;
	struct mm_buffer out;
	mm_buffer_init(&out, 512, SUMMARY_MAX_BYTES, arena);
	if (handoff->customer_name)
		mm_buffer_printf(&out, "お客様: %s。", handoff->customer_name);
	mm_buffer_printf(&out, "%s。", reasons[handoff->reason].summary);
	add_issues(&out, handoff->intents);
	mm_buffer_printf(&out, "感情: %s。", labels_ja[handoff->sentiments[last]].sentiment);
	if (handoff->severity >= MM_SEVERITY_MEDIUM)
		mm_buffer_printf(&out, "カスハラ判定: %s。", labels_ja[handoff->severity].severity);
	if (handoff->order_number_count > 0)
		mm_buffer_printf(&out, "注文番号: %s。", handoff->order_numbers[0]);
	mm_buffer_printf(&out, "お客様の発言: %zu 件。", handoff->message_count);
	if (out.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "handoff: no memory for the summary");
	handoff->summary = mm_buffer_text(&out);
	return MM_OK;
}

enum mm_status mm_handoff_build(const struct mm_handoff_facts *facts, enum mm_handoff_reason reason,
				struct mm_handoff *out, struct mm_arena *arena,
				struct mm_error *err)
{
	struct mm_handoff handoff = {.reason = reason,
				     .customer_name = facts->customer_name,
				     .language = facts->language,
				     .recommendation = facts->analysis->harassment.recommendation};
	enum mm_status status = MM_OK;
	for (size_t i = 0; i < facts->past->count && status == MM_OK; i++)
		if (facts->past->messages[i].is_customer)
			status =
			    add_message(&handoff, facts, &facts->past->messages[i], arena, err);
	if (status == MM_OK)
		status = add_order_numbers(&handoff, facts->text, facts->length, arena, err);
	if (status != MM_OK)
		return status;
	add_reading(&handoff, facts->analysis);
	handoff.priority = choose_priority(reason, &handoff, facts->analysis);
	status = write_summary(&handoff, arena, err);
	if (status == MM_OK)
		*out = handoff;
	return status;
}

static void write_issues(struct mm_json_writer *writer, unsigned intents)
{
	mm_json_key(writer, "detected_issues");
	mm_json_array_begin(writer);
	for (unsigned intent = 0; intent < MM_INTENT__MAX; intent++) {
		const char *issue = mm_intent_issue_ja((enum mm_intent)intent);
		if (issue && intents & 1u << intent)
			mm_json_write_text(writer, issue);
	}
	mm_json_array_end(writer);
}

void mm_handoff_write_context(struct mm_json_writer *writer, const struct mm_handoff *handoff)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "summary", handoff->summary);
	write_issues(writer, handoff->intents);
	mm_json_key(writer, "order_numbers");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < handoff->order_number_count; i++)
		mm_json_write_text(writer, handoff->order_numbers[i]);
	mm_json_array_end(writer);
	mm_json_key(writer, "sentiment_history");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < handoff->sentiment_count; i++)
		mm_json_write_text(writer, mm_sentiment_name(handoff->sentiments[i]));
	mm_json_array_end(writer);
	mm_json_pair_text(writer, "severity", mm_severity_name(handoff->severity));
	mm_json_key(writer, "signals");
	mm_signals_write(writer, handoff->signals);
	mm_json_pair_text(writer, "customer_name", handoff->customer_name);
	mm_json_pair_i64(writer, "message_count", (int64_t)handoff->message_count);
	mm_json_pair_text(writer, "language", handoff->language == MM_LANGUAGE_JA ? "ja" : "en");
	mm_json_pair_text(writer, "priority", priorities[handoff->priority]);
	mm_json_pair_text(writer, "recommendation", handoff->recommendation);
	mm_json_object_end(writer);
}
