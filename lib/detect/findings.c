/* findings.c: from places in the plain view to findings in the message. */
#include "config.h"

#include "detect/findings.h"

#include <stdlib.h>
#include <string.h>

/* What the model's finding says, by its first category. */
static const struct {
	const char *ja, *en;
} model_reasons[MM_CATEGORY__MAX] = {
    [MM_CATEGORY_THREAT] = {"身体や財産への危害をほのめかす表現とみられます。",
			    "The wording hints at harm to people or property."},
    [MM_CATEGORY_VERBAL_ABUSE] = {"相手を侮辱し、見下す表現とみられます。",
				  "The wording insults or belittles a person."},
    [MM_CATEGORY_DEFAMATION] = {"会社や従業員の名誉を傷つける表現とみられます。",
				"The wording defames the company or its staff."},
    [MM_CATEGORY_INTIMIDATION] = {"相手を威圧する表現とみられます。",
				  "The wording puts a person under pressure by intimidation."},
    [MM_CATEGORY_EXPOSURE_THREAT] =
	{"SNSや報道への暴露をほのめかして圧力をかける表現とみられます。",
	 "The wording uses exposure to the public or the press as pressure."},
    [MM_CATEGORY_DOGEZA_DEMAND] = {"土下座など、屈辱的な謝罪を求める表現とみられます。",
				   "The wording demands a humiliating apology."},
    [MM_CATEGORY_PERSISTENCE] = {"執拗な連絡や要求の繰り返しで圧力をかける表現とみられます。",
				 "The wording announces or shows dogged repetition as pressure."},
    [MM_CATEGORY_RESTRAINT] = {"相手を長時間拘束しようとする表現とみられます。",
			       "The wording keeps a person from ending the contact."},
    [MM_CATEGORY_DISCRIMINATION] = {"属性を理由に差別する表現とみられます。",
				    "The wording discriminates against a group of people."},
    [MM_CATEGORY_SEXUAL] = {"性的な言動、または交際を迫る表現とみられます。",
			    "The wording is sexual or presses for a relationship."},
    [MM_CATEGORY_PERSONAL_ATTACK] =
	{"従業員個人への攻撃、または個人情報などの要求とみられます。",
	 "The wording attacks a worker or demands a worker's private data."},
    [MM_CATEGORY_EXCESSIVE_DEMAND] = {"損害を超える過剰な要求とみられます。",
				      "The wording demands more than the loss can justify."},
};

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

/* Sets where the bytes [from, to) of the plain view, at least one, lie in the message. */
static void set_place(const struct mm_reading *reading, uint32_t from, uint32_t to,
		      struct mm_finding *finding)
{
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];

	finding->start = plain->start[from];
	finding->end = plain->end[to - 1];
	finding->text = reading->utf8 + reading->offsets[finding->start];
	finding->text_length = reading->offsets[finding->end] - reading->offsets[finding->start];
}

static struct mm_finding make_finding(const struct mm_reading *reading,
				      const struct mm_place *place, enum mm_severity most)
{
	const struct mm_rule *rule = &reading->rules->rules[place->rule];
	struct mm_finding finding = {.rule = rule->id,
				     .severity = rule->severity < most ? rule->severity : most,
				     .categories = rule->categories,
				     .reason = rule->reason,
				     .reason_en = rule->reason_en,
				     .weight = rule->weight};

	set_place(reading, place->from, place->to, &finding);
	return finding;
}

/* Whether a rule's match has a place in a verdict. */
static bool is_wanted(const struct mm_rule *rule, enum mm_severity severity)
{
	return rule->kind == MM_RULE_HARASSMENT &&
	       (rule->severity < MM_SEVERITY_MEDIUM || severity >= MM_SEVERITY_MEDIUM);
}

/* The places of harassment rules, each rule's overlaps merged. A rule's places come together, at
 * most MM_PLACES_RULE_MAX of them, so looking back that far finds them. */
static size_t merge_places(const struct mm_reading *reading, enum mm_severity severity,
			   struct mm_place *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < reading->place_count; i++) {
		const struct mm_place *place = &reading->places[i];
		size_t back = count < 256 ? count : 256;

		if (!is_wanted(&reading->rules->rules[place->rule], severity))
			continue;
		if (!merge_place(kept + count - back, back, place))
			kept[count++] = *place;
	}
	return count;
}

/* Ends of clauses: where a person would cut a sentence to quote from it. */
static bool ends_clause(uint32_t c)
{
	switch (c) {
	case U'。':
	case U'、':
	case U'!':
	case U'?':
	case U',':
	case U';':
	case U'.':
	case U'\n':
		return true;
	default:
		return false;
	}
}

bool mm_stretch_find(const struct mm_reading *reading, uint32_t *from_out, uint32_t *to_out)
{
	const struct mm_keyed *keyed = &reading->scanner->views[MM_FOLD_PLAIN].keyed;
	uint32_t first = reading->score.first, last = reading->score.last;

	if (keyed->count == 0)
		return false;
	if (first >= last) {
		first = 0;
		last = keyed->count;
	}
	/* A gram that begins with the end of a clause speaks of the next one. */
	while (first + 1 < last && ends_clause(keyed->code_points[first]))
		first++;
	while (first > 0 && !ends_clause(keyed->code_points[first - 1]))
		first--;
	while (last < keyed->count && !ends_clause(keyed->code_points[last - 1]))
		last++;
	while (first + 1 < last && keyed->code_points[first] == ' ')
		first++;
	*from_out = keyed->offsets[first];
	*to_out = keyed->offsets[last];
	return true;
}

static bool add_model_finding(const struct mm_reading *reading, enum mm_severity severity,
			      unsigned categories, struct mm_finding *out)
{
	const enum mm_category first = (enum mm_category)__builtin_ctz(categories);
	uint32_t from, to;

	*out = (struct mm_finding){.rule = mm_model_rule(reading->model),
				   .severity = severity,
				   .categories = categories,
				   .reason = model_reasons[first].ja,
				   .reason_en = model_reasons[first].en,
				   .weight = reading->score.main[MM_OUTPUT_HARASSMENT]};
	if (!mm_stretch_find(reading, &from, &to))
		return false;
	set_place(reading, from, to, out);
	return true;
}

static void sort_findings(struct mm_harassment *result, size_t count)
{
	if (count > MM_FINDINGS_MAX) {
		qsort(result->findings, count, sizeof(*result->findings), by_severity);
		count = MM_FINDINGS_MAX;
	}
	if (count > 1)
		qsort(result->findings, count, sizeof(*result->findings), by_position);
	result->finding_count = count;
}

enum mm_status mm_findings_list(struct mm_reading *reading, enum mm_severity severity,
				unsigned by_model, struct mm_harassment *result,
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
	count = merge_places(reading, severity, kept);
	/* One for the model and one for the conversation. */
	result->findings = mm_arena_alloc(reading->arena, (count + 2) * sizeof(*result->findings));
	if (!result->findings)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	for (size_t i = 0; i < count; i++)
		result->findings[i] = make_finding(reading, &kept[i], severity);
	if (by_model && add_model_finding(reading, severity, by_model, &result->findings[count]))
		count++;
	sort_findings(result, count);
	return MM_OK;
}
