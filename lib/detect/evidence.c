/* evidence.c: sums up what stands and writes it down as numbers; weighs nothing. */
#include "config.h"

#include "detect/evidence.h"

#include <math.h>

#include "detect/resolve.h"

enum { WEIGHT_MAX = 8, CANCELLED_MAX = 4 };

static bool is_firm(const struct mm_rule *rule)
{
	return rule->severity == MM_SEVERITY_CRITICAL || rule->is_site;
}

static void tally_harassment(const struct mm_rule *rule, struct mm_tally *tally)
{
	if (rule->severity > tally->severity)
		tally->severity = rule->severity;
	if (rule->severity < MM_SEVERITY_MEDIUM)
		return;
	if (is_firm(rule) && rule->severity > tally->firm)
		tally->firm = rule->severity;
	tally->weight += rule->weight;
	tally->categories |= rule->categories;
}

static void tally_rule(const struct mm_rule *rule, const struct mm_rule_state *state,
		       struct mm_tally *tally)
{
	bool is_harassment = rule->kind == MM_RULE_HARASSMENT;

	if (state->standing == 0) {
		if (is_harassment && rule->severity >= MM_SEVERITY_MEDIUM &&
		    tally->cancelled < CANCELLED_MAX)
			tally->cancelled++;
		return;
	}
	if (rule->sentiment != MM_SENTIMENT__MAX)
		tally->sentiments[rule->sentiment] += rule->weight;
	if (rule->kind == MM_RULE_SENTIMENT && rule->severity == MM_SEVERITY_LOW)
		tally->is_complaint = true;
	if (is_harassment)
		tally_harassment(rule, tally);
}

struct mm_tally mm_tally_make(const struct mm_reading *reading)
{
	const struct mm_scanner *scanner = reading->scanner;
	struct mm_tally tally = {.severity = MM_SEVERITY_NONE};

	for (uint32_t i = 0; i < scanner->fired_count; i++)
		tally_rule(&reading->rules->rules[scanner->fired[i]],
			   &scanner->rules[scanner->fired[i]], &tally);
	return tally;
}

static double has(unsigned set, unsigned value)
{
	return set & 1u << value ? 1.0 : 0.0;
}

void mm_evidence_rules(const struct mm_tally *tally, unsigned signals, uint32_t characters,
		       struct mm_evidence *out)
{
	double *items = out->items;

	for (int i = 0; i < MM_EVIDENCE__MAX; i++)
		items[i] = 0.0;
	items[MM_EVIDENCE_BIAS] = 1.0;
	items[MM_EVIDENCE_LENGTH] = log(1.0 + characters);
	items[MM_EVIDENCE_MEDIUM] = tally->severity >= MM_SEVERITY_MEDIUM;
	items[MM_EVIDENCE_HIGH] = tally->severity >= MM_SEVERITY_HIGH;
	items[MM_EVIDENCE_CRITICAL] = tally->severity >= MM_SEVERITY_CRITICAL;
	items[MM_EVIDENCE_WEIGHT] = fmin(tally->weight, WEIGHT_MAX);
	items[MM_EVIDENCE_CANCELLED] = tally->cancelled;
	items[MM_EVIDENCE_COMPLAINT] =
	    tally->severity == MM_SEVERITY_LOW || tally->is_complaint ? 1.0 : 0.0;
	items[MM_EVIDENCE_RULE_POSITIVE] =
	    fmin(tally->sentiments[MM_SENTIMENT_POSITIVE], WEIGHT_MAX);
	items[MM_EVIDENCE_RULE_NEGATIVE] =
	    fmin(tally->sentiments[MM_SENTIMENT_NEGATIVE], WEIGHT_MAX);
	items[MM_EVIDENCE_RULE_ANGER] = fmin(tally->sentiments[MM_SENTIMENT_ANGER], WEIGHT_MAX);
	items[MM_EVIDENCE_ACCOMMODATION] = has(signals, MM_SIGNAL_ACCOMMODATION);
	items[MM_EVIDENCE_SELF_HARM] = has(signals, MM_SIGNAL_SELF_HARM);
}

void mm_evidence_model(const struct mm_model_score *score, struct mm_evidence *out)
{
	double *items = out->items;

	for (int i = 0; i < MM_OUTPUT__MAX; i++)
		items[MM_EVIDENCE_MODEL + i] = score->main[i];
	items[MM_EVIDENCE_DENSITY] =
	    score->main[MM_OUTPUT_HARASSMENT] / sqrt(score->gram_count + 1.0);
	items[MM_EVIDENCE_STRONGEST] = score->strongest;
}
