/* harassment.c: from the matches that stand to severity, findings and confidence. */
#include "config.h"

#include "detect/judge.h"

#include <math.h>
#include <stdlib.h>

static const double accommodation_weight = 1.0;

/* What the rules that fired add up to. */
struct tally {
	enum mm_severity severity;
	double weight;      /* of the rules of medium and above that stand */
	unsigned cancelled; /* rules of medium and above of which nothing stands */
	bool is_complaint;  /* a sentiment rule that counts as one stands */
};

static double logistic(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

double mm_harassment_confidence(double weight)
{
	return fmin(fmax(logistic(weight), 0.5), 0.99);
}

static void tally_rule(const struct mm_rule *rule, const struct mm_rule_state *state,
		       struct tally *tally)
{
	bool is_harassment = rule->kind == MM_RULE_HARASSMENT;

	if (state->standing == 0) {
		if (is_harassment && rule->severity >= MM_SEVERITY_MEDIUM && tally->cancelled < 4)
			tally->cancelled++;
		return;
	}
	if (rule->kind == MM_RULE_SENTIMENT && rule->severity == MM_SEVERITY_LOW)
		tally->is_complaint = true;
	if (!is_harassment)
		return;
	if (rule->severity > tally->severity)
		tally->severity = rule->severity;
	if (rule->severity >= MM_SEVERITY_MEDIUM)
		tally->weight += rule->weight;
}

static struct tally tally_rules(const struct mm_reading *reading)
{
	const struct mm_scanner *scanner = reading->scanner;
	struct tally tally = {.severity = MM_SEVERITY_NONE};

	for (uint32_t i = 0; i < scanner->fired_count; i++)
		tally_rule(&reading->rules->rules[scanner->fired[i]],
			   &scanner->rules[scanner->fired[i]], &tally);
	return tally;
}

/* The same rule's overlapping matches become one place. */
static bool merge_place(struct mm_place *kept, size_t count, const struct mm_place *place)
{
	for (size_t i = 0; i < count; i++) {
		if (kept[i].rule != place->rule || kept[i].from >= place->to ||
		    kept[i].to <= place->from)
			continue;
		if (place->from < kept[i].from)
			kept[i].from = place->from;
		if (place->to > kept[i].to)
			kept[i].to = place->to;
		return true;
	}
	return false;
}

static int by_severity(const void *a, const void *b)
{
	const struct mm_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return (x->start > y->start) - (x->start < y->start);
}

static int by_position(const void *a, const void *b)
{
	const struct mm_finding *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return by_severity(a, b);
}

static struct mm_finding make_finding(const struct mm_reading *reading,
				      const struct mm_place *place)
{
	const struct mm_rule *rule = &reading->rules->rules[place->rule];
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	uint32_t start = plain->start[place->from], end = plain->end[place->to - 1];

	return (struct mm_finding){.rule = rule->id,
				   .severity = rule->severity,
				   .categories = rule->categories,
				   .start = start,
				   .end = end,
				   .text = reading->utf8 + reading->offsets[start],
				   .text_length = reading->offsets[end] - reading->offsets[start],
				   .reason = rule->reason,
				   .reason_en = rule->reason_en,
				   .weight = rule->weight};
}

/* The places of harassment rules, each rule's overlaps merged. A rule's places come together, at
 * most MM_PLACES_RULE_MAX of them, so looking back that far finds them. */
static size_t merge_places(const struct mm_reading *reading, struct mm_place *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < reading->place_count; i++) {
		const struct mm_place *place = &reading->places[i];
		size_t back = count < 256 ? count : 256;

		if (reading->rules->rules[place->rule].kind != MM_RULE_HARASSMENT)
			continue;
		if (!merge_place(kept + count - back, back, place))
			kept[count++] = *place;
	}
	return count;
}

static enum mm_status list_findings(struct mm_reading *reading, struct mm_harassment *result,
				    struct mm_error *err)
{
	struct mm_place *kept =
	    mm_arena_alloc(reading->arena, reading->place_count * sizeof(*kept));
	enum mm_status status = mm_reading_index(reading, err);
	size_t count;

	if (status != MM_OK)
		return status;
	if (!kept)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	count = merge_places(reading, kept);
	/* One more than there are: the conversation may add its own. */
	result->findings = mm_arena_alloc(reading->arena, (count + 1) * sizeof(*result->findings));
	if (!result->findings)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	for (size_t i = 0; i < count; i++)
		result->findings[i] = make_finding(reading, &kept[i]);
	if (count > MM_FINDINGS_MAX) {
		qsort(result->findings, count, sizeof(*result->findings), by_severity);
		count = MM_FINDINGS_MAX;
	}
	qsort(result->findings, count, sizeof(*result->findings), by_position);
	result->finding_count = count;
	for (size_t i = 0; i < count; i++)
		if (result->findings[i].severity >= MM_SEVERITY_MEDIUM)
			result->categories |= result->findings[i].categories;
	return MM_OK;
}

static double confidence_of(const struct tally *tally, unsigned signals)
{
	double weight = tally->weight;

	if (tally->severity < MM_SEVERITY_MEDIUM)
		return logistic(2.2 - 0.4 * tally->cancelled -
				(tally->severity == MM_SEVERITY_LOW ? 0.3 : 0.0));
	if (signals & (1u << MM_SIGNAL_ACCOMMODATION))
		weight -= accommodation_weight;
	return mm_harassment_confidence(weight);
}

enum mm_status mm_harassment_judge(struct mm_reading *reading, enum mm_sentiment sentiment,
				   unsigned signals, struct mm_harassment *out,
				   struct mm_error *err)
{
	struct tally tally = tally_rules(reading);
	struct mm_harassment result = {.findings = NULL};
	enum mm_status status = MM_OK;

	if (tally.severity == MM_SEVERITY_NONE && tally.is_complaint &&
	    (sentiment == MM_SENTIMENT_NEGATIVE || sentiment == MM_SENTIMENT_ANGER))
		tally.severity = MM_SEVERITY_LOW;
	if (reading->place_count > 0)
		status = list_findings(reading, &result, err);
	if (status != MM_OK)
		return status;
	result.severity = tally.severity;
	result.is_harassment = tally.severity >= MM_SEVERITY_MEDIUM;
	result.confidence = confidence_of(&tally, signals);
	*out = result;
	return MM_OK;
}
