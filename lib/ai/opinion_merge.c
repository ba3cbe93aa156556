/* opinion_merge: what an opinion changes in an analysis; asks nobody. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "ai/opinion.h"
#include "text/utf8.h"

static const double confidence_min = 0.5, lowering_min = 0.7;

static const char *const effect_names[MM_OPINION_EFFECT__MAX] = {
    [MM_OPINION_IGNORED] = "ignored",
    [MM_OPINION_AGREED] = "agreed",
    [MM_OPINION_RAISED] = "raised",
    [MM_OPINION_LOWERED] = "lowered",
};

const char *mm_opinion_effect_name(enum mm_opinion_effect effect)
{
	return (int)effect >= 0 && effect < MM_OPINION_EFFECT__MAX ? effect_names[effect] : "";
}

static double trust(const struct mm_opinion *opinion)
{
	return fmin(opinion->confidence, MM_OPINION_TRUST_MAX);
}

/* At most high: what is critical calls for the police, and that a rule has to say. */
static enum mm_severity capped(enum mm_severity severity)
{
	return severity > MM_SEVERITY_HIGH ? MM_SEVERITY_HIGH : severity;
}

static enum mm_status raise(const struct mm_opinion *opinion, const char *text, size_t length,
			    struct mm_harassment *harassment, struct mm_arena *arena,
			    struct mm_error *err)
{
	const size_t count = harassment->finding_count;
	struct mm_finding *findings = mm_arena_array(arena, count + 1, sizeof *findings);
	if (!findings)
		return mm_error_cause(err, MM_NO_MEMORY, "opinion: no memory for the findings");
	if (count > 0)
		memcpy(findings, harassment->findings, count * sizeof *findings);
	findings[count] = (struct mm_finding){
	    .rule = MM_OPINION_RULE,
	    .severity = capped(opinion->severity),
	    .categories = opinion->categories,
	    .end = mm_utf8_count(text, length),
	    .text = text,
	    .text_length = length,
	    .reason = "AI モデルの判定によるものです（説明は ai_analysis にあります）。",
	    .reason_en = "An AI model judged so (ai_analysis has its explanation)."};
	harassment->confidence = harassment->is_harassment
				     ? fmax(harassment->confidence, trust(opinion))
				     : trust(opinion);
	harassment->findings = findings;
	harassment->finding_count = count + 1;
	harassment->severity = capped(opinion->severity);
	harassment->is_harassment = harassment->severity >= MM_SEVERITY_MEDIUM;
	harassment->categories |= opinion->categories;
	return MM_OK;
}

/* A complaint that nobody calls harassment needs no finding. */
static void raise_to_low(const struct mm_opinion *opinion, struct mm_harassment *harassment)
{
	harassment->severity = opinion->severity;
	harassment->confidence = fmax(harassment->confidence, trust(opinion));
}

static void lower(const struct mm_opinion *opinion, enum mm_severity to,
		  struct mm_harassment *harassment)
{
	size_t kept = 0;
	for (size_t i = 0; i < harassment->finding_count; i++)
		if (harassment->findings[i].severity <= to)
			harassment->findings[kept++] = harassment->findings[i];
	harassment->finding_count = kept;
	harassment->severity = to;
	harassment->is_harassment = to >= MM_SEVERITY_MEDIUM;
	harassment->confidence = trust(opinion);
	if (!harassment->is_harassment)
		harassment->categories = 0;
}

static enum mm_opinion_effect choose(const struct mm_opinion *opinion,
				     const struct mm_harassment *harassment)
{
	const enum mm_severity wanted = capped(opinion->severity);
	if (opinion->confidence < confidence_min)
		return MM_OPINION_IGNORED;
	if (wanted > harassment->severity)
		return MM_OPINION_RAISED;
	/* A critical finding of our own is not contradicted by one who may only say high. */
	if (wanted == harassment->severity || opinion->severity >= harassment->severity)
		return MM_OPINION_AGREED;
	if (harassment->is_disputed && opinion->confidence >= lowering_min &&
	    harassment->firm < harassment->severity)
		return MM_OPINION_LOWERED;
	const bool is_same = harassment->is_harassment == (wanted >= MM_SEVERITY_MEDIUM);
	return is_same ? MM_OPINION_AGREED : MM_OPINION_IGNORED;
}

enum mm_status mm_opinion_merge(const struct mm_opinion *opinion, const char *text, size_t length,
				struct mm_analysis *analysis, enum mm_opinion_effect *effect_out,
				struct mm_arena *arena, struct mm_error *err)
{
	struct mm_harassment *harassment = &analysis->harassment;
	const enum mm_opinion_effect effect = choose(opinion, harassment);
	const enum mm_severity floor = harassment->firm;
	enum mm_status status = MM_OK;
	if (effect == MM_OPINION_LOWERED)
		lower(opinion, opinion->severity > floor ? opinion->severity : floor, harassment);
	else if (effect == MM_OPINION_AGREED)
		harassment->confidence = fmax(harassment->confidence, trust(opinion));
	else if (effect == MM_OPINION_RAISED && opinion->severity == MM_SEVERITY_LOW)
		raise_to_low(opinion, harassment);
	else if (effect == MM_OPINION_RAISED)
		status = raise(opinion, text, length, harassment, arena, err);
	if (status != MM_OK)
		return status;
	mm_analysis_combine(analysis);
	*effect_out = effect;
	return MM_OK;
}
