/* fusion.c: products of evidence and coefficients; what follows from them is harassment.c's. */
#include "config.h"

#include "detect/fusion.h"

#include <math.h>

static const char *const evidence_names[MM_EVIDENCE__MAX] = {
    [MM_EVIDENCE_MODEL] = "model",
    [MM_OUTPUT_HIGH] = "model high",
    [MM_OUTPUT_CRITICAL] = "model critical",
    [MM_OUTPUT_LOW] = "model low",
    [MM_OUTPUT_POSITIVE] = "model positive",
    [MM_OUTPUT_NEUTRAL] = "model neutral",
    [MM_OUTPUT_NEGATIVE] = "model negative",
    [MM_OUTPUT_ANGER] = "model anger",
    [MM_EVIDENCE_DENSITY] = "density",
    [MM_EVIDENCE_STRONGEST] = "strongest stretch",
    [MM_EVIDENCE_LENGTH] = "length",
    [MM_EVIDENCE_MEDIUM] = "rule of medium",
    [MM_EVIDENCE_HIGH] = "rule of high",
    [MM_EVIDENCE_CRITICAL] = "rule of critical",
    [MM_EVIDENCE_WEIGHT] = "weight of rules",
    [MM_EVIDENCE_CANCELLED] = "cancelled rules",
    [MM_EVIDENCE_COMPLAINT] = "complaint",
    [MM_EVIDENCE_RULE_POSITIVE] = "rules positive",
    [MM_EVIDENCE_RULE_NEGATIVE] = "rules negative",
    [MM_EVIDENCE_RULE_ANGER] = "rules anger",
    [MM_EVIDENCE_ACCOMMODATION] = "accommodation",
    [MM_EVIDENCE_SELF_HARM] = "self-harm",
    [MM_EVIDENCE_BIAS] = "bias",
};

static const char *const output_names[MM_OUTPUT__MAX] = {
    "harassment", "high", "critical", "low", "positive", "neutral", "negative", "anger"};

const char *mm_evidence_name(enum mm_evidence_item item)
{
	return (int)item >= 0 && item < MM_EVIDENCE__MAX ? evidence_names[item] : "";
}

const char *mm_output_name(enum mm_model_output output)
{
	return (int)output >= 0 && output < MM_OUTPUT__MAX ? output_names[output] : "";
}

double mm_fusion_odds(const struct mm_fusion *fusion, enum mm_model_output question,
		      const struct mm_evidence *evidence)
{
	const float *coefficients = fusion->coefficients[question];
	double odds = 0.0;

	for (int i = 0; i < MM_EVIDENCE__MAX; i++)
		odds += (double)coefficients[i] * evidence->items[i];
	return odds;
}

double mm_fusion_category_odds(const struct mm_fusion *fusion, unsigned category, double score,
			       bool has_rule, double harassment)
{
	const struct mm_fusion_category *row = &fusion->categories[category];

	return (double)row->bias + (double)row->model * score +
	       (has_rule ? (double)row->rule : 0.0) + (double)row->harassment * harassment;
}

double mm_fusion_probability(double odds)
{
	return 1.0 / (1.0 + exp(-odds));
}
