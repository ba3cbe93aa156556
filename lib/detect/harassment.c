/* harassment.c: from evidence to severity, categories and confidence. Where in the message it is,
 * findings.c says. */
#include "config.h"

#include "detect/judge.h"

#include <math.h>

#include "detect/findings.h"

static const double accommodation_weight = 1.0;

double mm_harassment_confidence(double weight)
{
	return fmin(fmax(mm_fusion_probability(weight), 0.5), 0.99);
}

/* A verdict before its places are looked for. */
struct verdict {
	enum mm_severity severity;
	unsigned categories, by_model; /* by_model: what the model alone sees, 0 for none */
	double confidence;
};

/* ---- rules alone */

static double rules_confidence(const struct mm_tally *tally, enum mm_severity severity,
			       unsigned signals)
{
	double weight = tally->weight;

	if (severity < MM_SEVERITY_MEDIUM)
		return mm_fusion_probability(2.2 - 0.4 * tally->cancelled -
					     (severity == MM_SEVERITY_LOW ? 0.3 : 0.0));
	if (signals & (1u << MM_SIGNAL_ACCOMMODATION))
		weight -= accommodation_weight;
	return mm_harassment_confidence(weight);
}

static struct verdict judge_by_rules(const struct mm_tally *tally, enum mm_sentiment sentiment,
				     unsigned signals)
{
	struct verdict verdict = {.severity = tally->severity, .categories = tally->categories};

	if (tally->severity == MM_SEVERITY_NONE && tally->is_complaint &&
	    (sentiment == MM_SENTIMENT_NEGATIVE || sentiment == MM_SENTIMENT_ANGER))
		verdict.severity = MM_SEVERITY_LOW;
	verdict.confidence = rules_confidence(tally, verdict.severity, signals);
	return verdict;
}

/* ---- rules and model */

static double ask(const struct mm_reading *reading, enum mm_model_output question)
{
	return mm_fusion_odds(&mm_model_header(reading->model)->fusion, question,
			      &reading->evidence);
}

static enum mm_severity severity_of(const struct mm_reading *reading, double odds)
{
	const struct mm_fusion *fusion = &mm_model_header(reading->model)->fusion;
	enum mm_severity severity = MM_SEVERITY_NONE;

	if (odds >= (double)fusion->threshold[reading->tally.severity >= MM_SEVERITY_MEDIUM]) {
		severity = MM_SEVERITY_MEDIUM;
		if (ask(reading, MM_OUTPUT_HIGH) >= (double)fusion->severity_margin[0])
			severity = MM_SEVERITY_HIGH;
		if (ask(reading, MM_OUTPUT_CRITICAL) >= (double)fusion->severity_margin[1])
			severity = MM_SEVERITY_CRITICAL;
	} else if (ask(reading, MM_OUTPUT_LOW) >= 0.0) {
		severity = MM_SEVERITY_LOW;
	}
	return severity < reading->tally.firm ? reading->tally.firm : severity;
}

/* The categories of harassment: at least the likeliest one. */
static unsigned fuse_categories(const struct mm_reading *reading, double odds)
{
	const struct mm_fusion *fusion = &mm_model_header(reading->model)->fusion;
	double scores[MM_MODEL_CATEGORIES], best = -INFINITY;
	unsigned set = 0, likeliest = 0;

	mm_model_categories(reading->model, &reading->score, scores);
	for (unsigned i = 0; i < MM_MODEL_CATEGORIES; i++) {
		const double now = mm_fusion_category_odds(
		    fusion, i, scores[i], reading->tally.categories >> i & 1u, odds);

		if (now >= 0.0)
			set |= 1u << i;
		if (now > best) {
			best = now;
			likeliest = 1u << i;
		}
	}
	return set ? set : likeliest;
}

static struct verdict judge_by_fusion(const struct mm_reading *reading, unsigned signals)
{
	const struct mm_tally *tally = &reading->tally;
	const double odds = ask(reading, MM_OUTPUT_HARASSMENT);
	const double probability = mm_fusion_probability(odds);
	struct verdict verdict = {.severity = severity_of(reading, odds),
				  .confidence = 1.0 - probability};

	if (verdict.severity < MM_SEVERITY_MEDIUM)
		return verdict;
	verdict.confidence = probability;
	if (tally->firm >= MM_SEVERITY_MEDIUM)
		verdict.confidence =
		    fmax(probability, rules_confidence(tally, tally->firm, signals));
	verdict.categories = fuse_categories(reading, odds);
	if (verdict.severity > tally->severity || (verdict.categories & ~tally->categories))
		verdict.by_model = verdict.categories & ~tally->categories
				       ? verdict.categories & ~tally->categories
				       : verdict.categories;
	return verdict;
}

enum mm_status mm_harassment_judge(struct mm_reading *reading, enum mm_sentiment sentiment,
				   unsigned signals, struct mm_harassment *out,
				   struct mm_error *err)
{
	const struct verdict verdict = reading->model
					   ? judge_by_fusion(reading, signals)
					   : judge_by_rules(&reading->tally, sentiment, signals);
	struct mm_harassment result = {.severity = verdict.severity,
				       .is_harassment = verdict.severity >= MM_SEVERITY_MEDIUM,
				       .confidence = verdict.confidence,
				       .categories = verdict.categories};
	enum mm_status status = MM_OK;

	if (reading->place_count > 0 || verdict.by_model)
		status =
		    mm_findings_list(reading, verdict.severity, verdict.by_model, &result, err);
	if (status == MM_OK)
		*out = result;
	return status;
}
