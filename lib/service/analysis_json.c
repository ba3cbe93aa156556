/* analysis_json: writes analyses as JSON; judges nothing. */
#include "config.h"

#include "service/analysis_json.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

typedef const char *(*name_function)(unsigned value);

static const char *category_name(unsigned value)
{
	return mm_category_name((enum mm_category)value);
}

static const char *signal_name(unsigned value)
{
	return mm_signal_name((enum mm_signal)value);
}

static void write_set(struct mm_json_writer *writer, unsigned set, unsigned size,
		      name_function name)
{
	mm_json_array_begin(writer);
	for (unsigned value = 0; value < size; value++)
		if (set & 1u << value)
			mm_json_write_text(writer, name(value));
	mm_json_array_end(writer);
}

void mm_categories_write(struct mm_json_writer *writer, unsigned categories)
{
	write_set(writer, categories, MM_CATEGORY__MAX, category_name);
}

void mm_signals_write(struct mm_json_writer *writer, unsigned signals)
{
	write_set(writer, signals, MM_SIGNAL__MAX, signal_name);
}

/* The name of the first category in a set; a span of a low finding has none. */
static const char *first_category(unsigned categories)
{
	return categories ? mm_category_name((enum mm_category)__builtin_ctz(categories)) : NULL;
}

/* Whether an earlier finding has the same rule, so that a list names each rule once. */
static bool is_repeated(const struct mm_harassment *harassment, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(harassment->findings[i].rule, harassment->findings[index].rule) == 0)
			return true;
	return false;
}

static void write_rules(struct mm_json_writer *writer, const struct mm_harassment *harassment)
{
	mm_json_key(writer, "matched_patterns");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < harassment->finding_count; i++)
		if (!is_repeated(harassment, i))
			mm_json_write_text(writer, harassment->findings[i].rule);
	mm_json_array_end(writer);
}

static void write_spans(struct mm_json_writer *writer, const struct mm_harassment *harassment)
{
	mm_json_key(writer, "spans");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < harassment->finding_count; i++) {
		const struct mm_finding *finding = &harassment->findings[i];
		mm_json_object_begin(writer);
		mm_json_pair_i64(writer, "start", (int64_t)finding->start);
		mm_json_pair_i64(writer, "end", (int64_t)finding->end);
		mm_json_pair_bytes(writer, "text", finding->text, finding->text_length);
		mm_json_pair_text(writer, "category", first_category(finding->categories));
		mm_json_pair_text(writer, "rule", finding->rule);
		mm_json_object_end(writer);
	}
	mm_json_array_end(writer);
}

static bool is_reason_repeated(const struct mm_harassment *harassment, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(harassment->findings[i].reason, harassment->findings[index].reason) == 0)
			return true;
	return false;
}

static void write_reasons(struct mm_json_writer *writer, const struct mm_harassment *harassment)
{
	mm_json_key(writer, "reasons");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < harassment->finding_count; i++)
		if (harassment->findings[i].reason[0] && !is_reason_repeated(harassment, i))
			mm_json_write_text(writer, harassment->findings[i].reason);
	mm_json_array_end(writer);
}

void mm_harassment_write(struct mm_json_writer *writer, const struct mm_harassment *harassment)
{
	mm_json_object_begin(writer);
	mm_json_pair_bool(writer, "is_harassment", harassment->is_harassment);
	mm_json_pair_text(writer, "severity", mm_severity_name(harassment->severity));
	mm_json_pair_double(writer, "confidence", harassment->confidence, 3);
	mm_json_key(writer, "categories");
	mm_categories_write(writer, harassment->categories);
	write_rules(writer, harassment);
	write_spans(writer, harassment);
	write_reasons(writer, harassment);
	mm_json_pair_text(writer, "recommendation", harassment->recommendation);
	mm_json_object_end(writer);
}

void mm_sentiment_write(struct mm_json_writer *writer, const struct mm_sentiment_result *sentiment)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "sentiment", mm_sentiment_name(sentiment->sentiment));
	mm_json_pair_double(writer, "confidence", sentiment->confidence, 3);
	mm_json_key(writer, "scores");
	mm_json_object_begin(writer);
	for (int i = 0; i < MM_SENTIMENT__MAX; i++)
		mm_json_pair_double(writer, mm_sentiment_name((enum mm_sentiment)i),
				    sentiment->scores[i], 3);
	mm_json_object_end(writer);
	mm_json_pair_bool(writer, "trigger_alert", sentiment->trigger_alert);
	mm_json_key(writer, "keywords_found");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < sentiment->keyword_count; i++)
		mm_json_write_text(writer, sentiment->keywords[i]);
	mm_json_array_end(writer);
	mm_json_object_end(writer);
}

void mm_findings_write(struct mm_json_writer *writer, const struct mm_harassment *harassment)
{
	mm_json_array_begin(writer);
	for (size_t i = 0; i < harassment->finding_count; i++) {
		const struct mm_finding *finding = &harassment->findings[i];
		mm_json_object_begin(writer);
		mm_json_pair_text(writer, "rule", finding->rule);
		mm_json_pair_text(writer, "category", first_category(finding->categories));
		mm_json_pair_text(writer, "severity", mm_severity_name(finding->severity));
		mm_json_pair_i64(writer, "start", (int64_t)finding->start);
		mm_json_pair_i64(writer, "end", (int64_t)finding->end);
		mm_json_object_end(writer);
	}
	mm_json_array_end(writer);
}

/* The alert that a dashboard shows; the first row that applies. */
enum alert { ALERT_HARASSMENT, ALERT_SELF_HARM, ALERT_ANGER, ALERT_NONE };

static enum alert choose_alert(const struct mm_analysis *analysis)
{
	if (analysis->harassment.is_harassment)
		return ALERT_HARASSMENT;
	if (analysis->signals & 1u << MM_SIGNAL_SELF_HARM)
		return ALERT_SELF_HARM;
	return analysis->sentiment.trigger_alert ? ALERT_ANGER : ALERT_NONE;
}

static const struct {
	const char *type;
	const char *title;
	const char *advice; /* NULL: the recommendation */
} alerts[ALERT_NONE] = {
    [ALERT_HARASSMENT] = {"harassment_detected", "カスハラ検出", NULL},
    [ALERT_SELF_HARM] = {"self_harm", "自傷のおそれ", "すぐに担当者が対応してください。"},
    [ALERT_ANGER] = {"anger_detected", "強い怒り", "担当者への引き継ぎを検討してください。"},
};

static void write_alert(struct mm_json_writer *writer, const struct mm_analysis *analysis)
{
	const enum alert alert = choose_alert(analysis);
	if (alert == ALERT_NONE)
		return;
	const bool is_harassment = alert == ALERT_HARASSMENT;
	const enum mm_severity severity =
	    is_harassment ? analysis->harassment.severity : MM_SEVERITY_HIGH;
	const char *advice =
	    alerts[alert].advice ? alerts[alert].advice : analysis->harassment.recommendation;
	char message[1024];
	snprintf(message, sizeof message, "%s（%s）: %s", alerts[alert].title,
		 mm_severity_name(severity), advice);
	mm_json_key(writer, "alert");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "type", alerts[alert].type);
	mm_json_pair_text(writer, "message", message);
	mm_json_pair_text(writer, "severity", mm_severity_name(severity));
	mm_json_object_end(writer);
}

void mm_conversation_write(struct mm_json_writer *writer,
			   const struct mm_conversation_reading *reading)
{
	mm_json_object_begin(writer);
	mm_json_pair_i64(writer, "repetitions", reading->repetitions);
	mm_json_pair_i64(writer, "repetitions_long", reading->repetitions_long);
	mm_json_pair_i64(writer, "repetitions_answered", reading->repetitions_answered);
	mm_json_pair_i64(writer, "messages_per_minute", reading->messages_per_minute);
	mm_json_pair_i64(writer, "harassing_before", reading->harassing_before);
	mm_json_pair_bool(writer, "is_escalating", reading->is_escalating);
	mm_json_pair_i64(writer, "angry_in_a_row", reading->angry_in_a_row);
	mm_json_pair_i64(writer, "duration_ms", reading->duration_ms);
	mm_json_pair_i64(writer, "unbroken_ms", reading->unbroken_ms);
	mm_json_object_end(writer);
}

void mm_analysis_write(struct mm_json_writer *writer, const struct mm_analysis *analysis,
		       int64_t analyzed_at_utc_ms, const char *analysis_id)
{
	char time[25];
	mm_clock_format_utc(analyzed_at_utc_ms, time);
	mm_json_object_begin(writer);
	if (analysis_id)
		mm_json_pair_text(writer, "analysis_id", analysis_id);
	mm_json_key(writer, "harassment");
	mm_harassment_write(writer, &analysis->harassment);
	mm_json_key(writer, "sentiment");
	mm_sentiment_write(writer, &analysis->sentiment);
	mm_json_pair_text(writer, "combined_risk", mm_severity_name(analysis->combined_risk));
	mm_json_key(writer, "signals");
	mm_signals_write(writer, analysis->signals);
	mm_json_key(writer, "conversation");
	mm_conversation_write(writer, &analysis->conversation);
	mm_json_pair_null(writer, "ai_analysis");
	write_alert(writer, analysis);
	mm_json_pair_text(writer, "analyzed_at", time);
	mm_json_pair_text(writer, "engine", analysis->engine);
	mm_json_object_end(writer);
}
