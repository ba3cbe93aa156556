/* detector.c: one message from bytes to analysis, step by step. The steps are in their own files. */
#include "config.h"

#include "detect/detector.h"

#include <stdio.h>
#include <stdlib.h>

#include "detect/findings.h"
#include "detect/judge.h"
#include "detect/resolve.h"
#include "detect/scan.h"

struct mm_detector {
	struct mm_rules *rules;
	struct mm_model *models[MM_MODEL__MAX]; /* all NULL: rules alone judge */
	struct mm_scanner_pool *pool;
};

static const char *const verdict_names[MM_VERDICT__MAX] = {
    [MM_VERDICT_STANDS] = "stands",       [MM_VERDICT_GUARD] = "guard",
    [MM_VERDICT_UNLESS] = "unless",       [MM_VERDICT_REQUIRES] = "requires",
    [MM_VERDICT_UNCHANGED] = "unchanged", [MM_VERDICT_EDGE] = "edge",
    [MM_VERDICT_DOUBT] = "doubt",
};

const char *mm_verdict_name(enum mm_verdict verdict)
{
	return (int)verdict >= 0 && verdict < MM_VERDICT__MAX ? verdict_names[verdict] : "";
}

enum mm_status mm_detector_new(struct mm_rules *rules, struct mm_detector **out,
			       struct mm_error *err)
{
	struct mm_detector *detector = calloc(1, sizeof(*detector));
	enum mm_status status;

	if (!detector) {
		mm_rules_free(rules);
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a detector");
	}
	detector->rules = rules;
	status = mm_scanner_pool_new(rules, &detector->pool, err);
	if (status == MM_OK)
		*out = detector;
	else
		mm_detector_free(detector);
	return status;
}

void mm_detector_free(struct mm_detector *detector)
{
	if (!detector)
		return;
	mm_scanner_pool_free(detector->pool);
	for (int i = 0; i < MM_MODEL__MAX; i++)
		mm_model_free(detector->models[i]);
	mm_rules_free(detector->rules);
	free(detector);
}

static enum mm_status load_model(const char *dir, enum mm_model_language language,
				 struct mm_model **out, struct mm_error *err)
{
	char path[4096];
	const int length =
	    snprintf(path, sizeof(path), "%s/%s.model", dir, mm_model_language_name(language));

	if (length < 0 || (size_t)length >= sizeof(path))
		return mm_error_cause(err, MM_BAD_INPUT, "the models' folder has too long a name");
	enum mm_status status = mm_model_load(path, out, err);
	if (status == MM_OK && mm_model_header(*out)->language != (uint32_t)language) {
		mm_model_free(*out);
		*out = NULL;
		status = mm_error_cause(err, MM_BAD_INPUT, "%s is for another language", path);
	}
	return status;
}

enum mm_status mm_detector_use_models(struct mm_detector *detector, const char *dir,
				      struct mm_error *err)
{
	struct mm_model *models[MM_MODEL__MAX] = {NULL};
	enum mm_status status = MM_OK;

	for (int i = 0; i < MM_MODEL__MAX && status == MM_OK; i++)
		status = load_model(dir, (enum mm_model_language)i, &models[i], err);
	for (int i = 0; i < MM_MODEL__MAX; i++) {
		struct mm_model *old = detector->models[i];

		if (status == MM_OK)
			detector->models[i] = models[i];
		mm_model_free(status == MM_OK ? old : models[i]);
	}
	return status;
}

bool mm_detector_has_models(const struct mm_detector *detector)
{
	return detector->models[0] != NULL;
}

const struct mm_rules *mm_detector_rules(const struct mm_detector *detector)
{
	return detector->rules;
}

static enum mm_status fold_views(struct mm_reading *reading, struct mm_error *err)
{
	struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	struct mm_folded *squeezed = &reading->views[MM_FOLD_SQUEEZED];
	enum mm_status status =
	    mm_fold(reading->utf8, reading->length, MM_FOLD_PLAIN, plain, reading->arena, err);

	if (status == MM_OK)
		status = mm_fold_squeeze(plain, squeezed, reading->arena, err);
	return status;
}

static void tell_views(const struct mm_reading *reading)
{
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	const struct mm_folded *squeezed = &reading->views[MM_FOLD_SQUEEZED];
	const struct mm_trace *trace = reading->trace;

	if (!trace || !trace->view)
		return;
	trace->view(trace->self, false, plain->text, plain->length);
	trace->view(trace->self, true, squeezed->text, squeezed->length);
}

/* Scans both views and judges every candidate. */
static enum mm_status read_rules(struct mm_reading *reading, struct mm_error *err)
{
	enum mm_status status = mm_scan(reading->scanner, reading->views, reading->arena, err);

	if (status == MM_OK)
		tell_views(reading);
	if (status == MM_OK)
		status = mm_resolve(reading, err);
	if (status == MM_OK)
		reading->tally = mm_tally_make(reading);
	return status;
}

static void tell_fusion(const struct mm_reading *reading)
{
	const struct mm_trace *trace = reading->trace;
	uint32_t from = 0, to = 0;

	if (!trace || !trace->fusion)
		return;
	const bool is_there = mm_stretch_find(reading, &from, &to);
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];

	trace->fusion(trace->self, &mm_model_header(reading->model)->fusion, &reading->evidence,
		      is_there ? plain->start[from] : 0, is_there ? plain->end[to - 1] : 0);
}

/* Lets the model of the message's language read it. */
static enum mm_status read_model(const struct mm_detector *detector, struct mm_reading *reading,
				 unsigned signals, struct mm_error *err)
{
	const struct mm_keyed *keyed = &reading->scanner->views[MM_FOLD_PLAIN].keyed;
	enum mm_status status;

	if (!mm_detector_has_models(detector))
		return MM_OK;
	reading->model = detector->models[mm_model_language_of(keyed->code_points, keyed->count)];
	status = mm_model_score(reading->model, keyed->code_points, keyed->count, &reading->score,
				reading->arena, err);
	if (status != MM_OK)
		return status;
	mm_evidence_rules(&reading->tally, signals, keyed->count, &reading->evidence);
	mm_evidence_model(&reading->score, &reading->evidence);
	tell_fusion(reading);
	return MM_OK;
}

/* Everything that needs the scanner. */
static enum mm_status read_message(const struct mm_detector *detector, struct mm_reading *reading,
				   struct mm_analysis *out, struct mm_error *err)
{
	enum mm_status status = read_rules(reading, err);

	if (status == MM_OK)
		status = mm_signals_judge(reading, &out->signals, &out->intents, err);
	if (status == MM_OK)
		status = read_model(detector, reading, out->signals, err);
	if (status == MM_OK)
		status = mm_sentiment_judge(reading, &out->sentiment, err);
	if (status == MM_OK)
		status = mm_harassment_judge(reading, out->sentiment.sentiment, out->signals,
					     &out->harassment, err);
	return status;
}

enum mm_status mm_detector_evidence(struct mm_detector *detector, const char *utf8, size_t length,
				    struct mm_rule_evidence *out, struct mm_arena *arena,
				    struct mm_error *err)
{
	struct mm_reading reading = {
	    .rules = detector->rules, .utf8 = utf8, .length = length, .arena = arena};
	unsigned signals = 0, intents;
	enum mm_status status = fold_views(&reading, err);

	if (status == MM_OK)
		status = mm_scanner_take(detector->pool, &reading.scanner, err);
	if (status != MM_OK)
		return status;
	status = read_rules(&reading, err);
	if (status == MM_OK)
		status = mm_signals_judge(&reading, &signals, &intents, err);
	if (status == MM_OK) {
		const struct mm_keyed *keyed = &reading.scanner->views[MM_FOLD_PLAIN].keyed;

		mm_evidence_rules(&reading.tally, signals, keyed->count, &out->evidence);
		out->categories = reading.tally.categories;
		out->characters = keyed->code_points;
		out->count = keyed->count;
	}
	mm_scanner_give(detector->pool, reading.scanner);
	return status;
}

void mm_analysis_combine(struct mm_analysis *analysis)
{
	struct mm_harassment *harassment = &analysis->harassment;
	struct mm_sentiment_result *sentiment = &analysis->sentiment;

	harassment->recommendation = mm_recommendation_ja(harassment->severity);
	harassment->recommendation_en = mm_recommendation_en(harassment->severity);
	sentiment->trigger_alert = (sentiment->sentiment == MM_SENTIMENT_ANGER &&
				    sentiment->scores[MM_SENTIMENT_ANGER] >= 0.5) ||
				   harassment->severity >= MM_SEVERITY_HIGH;
	analysis->combined_risk = mm_risk_combine(harassment->severity, sentiment->sentiment);
}

static enum mm_status detect(struct mm_detector *detector, struct mm_reading *reading,
			     const struct mm_past *past, struct mm_analysis *out,
			     struct mm_error *err)
{
	struct mm_analysis analysis = {.signals = 0};
	enum mm_status status = fold_views(reading, err);

	if (status == MM_OK)
		status = mm_scanner_take(detector->pool, &reading->scanner, err);
	if (status != MM_OK)
		return status;
	status = read_message(detector, reading, &analysis, err);
	mm_scanner_give(detector->pool, reading->scanner);
	if (status == MM_OK)
		status = mm_conversation_judge(reading, past, &analysis, err);
	if (status != MM_OK)
		return status;
	mm_analysis_combine(&analysis);
	analysis.engine = reading->model ? "rules+model" : "rules";
	*out = analysis;
	return MM_OK;
}

enum mm_status mm_detect(struct mm_detector *detector, const char *utf8, size_t length,
			 const struct mm_past *past, struct mm_analysis *out,
			 struct mm_arena *arena, struct mm_error *err)
{
	struct mm_reading reading = {.rules = detector->rules,
				     .utf8 = utf8,
				     .length = length,
				     .wants_contexts = past && past->count > 0,
				     .arena = arena};

	return detect(detector, &reading, past, out, err);
}

enum mm_status mm_detect_traced(struct mm_detector *detector, const char *utf8, size_t length,
				const struct mm_past *past, const struct mm_trace *trace,
				struct mm_analysis *out, struct mm_arena *arena,
				struct mm_error *err)
{
	struct mm_reading reading = {.rules = detector->rules,
				     .utf8 = utf8,
				     .length = length,
				     .trace = trace,
				     .wants_contexts = past && past->count > 0,
				     .arena = arena};

	return detect(detector, &reading, past, out, err);
}
