/* resolve.c: judges what the scan found: guards, contexts, and what stands. It sums nothing up;
 * detector.c does. */
#include "config.h"

#include "detect/resolve.h"

#include <stdlib.h>

#include "detect/disguise.h"
#include "detect/join.h"
#include "detect/support.h"
#include "text/utf8.h"

struct mm_resolve_room {
	struct mm_join_room join;
	struct mm_support_room support;
	struct mm_place places[MM_PLACES_MAX];
};

/* The pattern whose matches are being judged. */
struct judging {
	struct mm_reading *reading;
	struct mm_resolve_room *room;
	enum mm_fold_view view;
	uint32_t rule;
};

struct mm_resolve_room *mm_resolve_room_new(void)
{
	return calloc(1, sizeof(struct mm_resolve_room));
}

void mm_resolve_room_free(struct mm_resolve_room *room)
{
	free(room);
}

enum mm_status mm_reading_index(struct mm_reading *reading, struct mm_error *err)
{
	size_t count = reading->views[MM_FOLD_PLAIN].source_code_points, at = 0;

	if (reading->offsets)
		return MM_OK;
	reading->offsets = mm_arena_alloc(reading->arena, (count + 1) * sizeof(uint32_t));
	if (!reading->offsets)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	for (size_t byte = 0; byte < reading->length && at < count; byte++)
		if (((unsigned char)reading->utf8[byte] & 0xc0) != 0x80)
			reading->offsets[at++] = (uint32_t)byte;
	reading->offsets[at] = (uint32_t)reading->length;
	return MM_OK;
}

/* A range of any view as a range of the plain view. */
static struct mm_range in_plain(const struct mm_reading *reading, enum mm_fold_view view,
				struct mm_range range)
{
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	const struct mm_folded *squeezed = &reading->views[MM_FOLD_SQUEEZED];

	if (view == MM_FOLD_PLAIN)
		return range;
	return (struct mm_range){mm_plain_byte(plain, squeezed->start[range.from]),
				 mm_plain_byte(plain, squeezed->end[range.to - 1])};
}

static struct mm_range whole_chain(const struct mm_chain *chain)
{
	return (struct mm_range){chain->parts[0].from, chain->parts[chain->count - 1].to};
}

static uint32_t source_at(const struct mm_reading *reading, uint32_t code_point)
{
	uint32_t value = 0, at = reading->offsets[code_point];

	mm_utf8_decode(reading->utf8 + at, reading->length - at, &value);
	return value;
}

static bool is_long_mark(uint32_t c)
{
	return c == 0x30fc || c == 0xff70;
}

static bool is_katakana(uint32_t c)
{
	return (c >= 0x30a1 && c <= 0x30fa) || (c >= 0xff66 && c <= 0xff9f && c != 0xff70);
}

/* True when a squeezed match begins or ends inside a katakana word: ケース in ショーケース. */
static bool cuts_word(const struct mm_reading *reading, struct mm_range squeezed_range)
{
	const struct mm_folded *squeezed = &reading->views[MM_FOLD_SQUEEZED];
	uint32_t start = squeezed->start[squeezed_range.from];
	uint32_t end = squeezed->end[squeezed_range.to - 1];

	if (start > 0 && is_katakana(source_at(reading, start))) {
		uint32_t before = source_at(reading, start - 1);

		if (is_katakana(before) || is_long_mark(before))
			return true;
	}
	if (!is_katakana(source_at(reading, end - 1)))
		return false;
	while (end < squeezed->source_code_points && is_long_mark(source_at(reading, end)))
		end++;
	return end < squeezed->source_code_points && is_katakana(source_at(reading, end));
}

static bool is_disguised(const struct mm_reading *reading, const struct mm_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (mm_fold_span_is_changed(&reading->views[MM_FOLD_PLAIN],
					    &reading->views[MM_FOLD_SQUEEZED], chain->parts[i].from,
					    chain->parts[i].to))
			return true;
	return false;
}

static void tell(const struct judging *judging, struct mm_range place, enum mm_verdict verdict,
		 const char *by)
{
	const struct mm_reading *reading = judging->reading;
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	struct mm_candidate candidate = {.rule = &reading->rules->rules[judging->rule],
					 .is_squeezed = judging->view == MM_FOLD_SQUEEZED,
					 .verdict = verdict,
					 .by = by};

	if (!reading->trace)
		return;
	candidate.start = plain->start[place.from];
	candidate.end = plain->end[place.to - 1];
	reading->trace->candidate(reading->trace->self, &candidate);
}

static void add_guard(void *self, const struct mm_chain *chain)
{
	struct judging *judging = self;
	struct mm_range place = in_plain(judging->reading, judging->view, whole_chain(chain));

	mm_guard_add(&judging->room->support,
		     (struct mm_support){place.from, place.to, judging->rule});
}

static void add_context(void *self, const struct mm_chain *chain)
{
	struct judging *judging = self;
	struct mm_range place = whole_chain(chain);
	const struct mm_rules *rules = judging->reading->rules;
	uint32_t guard =
	    mm_guard_over(&judging->room->support, rules, judging->rule, place.from, place.to);

	tell(judging, place, guard == UINT32_MAX ? MM_VERDICT_STANDS : MM_VERDICT_GUARD,
	     guard == UINT32_MAX ? NULL : rules->rules[guard].id);
	if (guard == UINT32_MAX)
		mm_context_add(&judging->room->support,
			       (struct mm_support){place.from, place.to, judging->rule});
}

/* The verdict of guards: any part that a guard overlaps. */
static uint32_t guard_over_chain(const struct judging *judging, const struct mm_chain *chain)
{
	if (judging->room->support.guard_count == 0)
		return UINT32_MAX;
	for (unsigned i = 0; i < chain->count; i++) {
		struct mm_range part = in_plain(judging->reading, judging->view, chain->parts[i]);
		uint32_t guard = mm_guard_over(&judging->room->support, judging->reading->rules,
					       judging->rule, part.from, part.to);

		if (guard != UINT32_MAX)
			return guard;
	}
	return UINT32_MAX;
}

static enum mm_verdict judge(const struct judging *judging, const struct mm_chain *chain,
			     struct mm_range place, const char **by)
{
	const struct mm_reading *reading = judging->reading;
	const struct mm_rule *rule = &reading->rules->rules[judging->rule];
	const struct mm_support_room *support = &judging->room->support;
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	uint32_t found = guard_over_chain(judging, chain);

	*by = NULL;
	if (found != UINT32_MAX) {
		*by = reading->rules->rules[found].id;
		return MM_VERDICT_GUARD;
	}
	found = mm_context_for(support, reading->rules, plain, rule->unless, rule->unless_count,
			       place.from, place.to);
	if (found != UINT32_MAX) {
		*by = reading->rules->contexts[found];
		return MM_VERDICT_UNLESS;
	}
	if (rule->requires_count > 0 &&
	    mm_context_for(support, reading->rules, plain, rule->requires, rule->requires_count,
			   place.from, place.to) == UINT32_MAX)
		return MM_VERDICT_REQUIRES;
	return MM_VERDICT_STANDS;
}

static void keep_place(struct judging *judging, struct mm_rule_state *state, struct mm_range place)
{
	struct mm_reading *reading = judging->reading;
	const struct mm_rule *rule = &reading->rules->rules[judging->rule];

	state->standing++;
	if (rule->kind != MM_RULE_HARASSMENT && rule->kind != MM_RULE_SENTIMENT)
		return;
	if (reading->place_count < MM_PLACES_MAX)
		judging->room->places[reading->place_count++] =
		    (struct mm_place){judging->rule, place.from, place.to};
}

static void judge_chain(void *self, const struct mm_chain *chain)
{
	struct judging *judging = self;
	struct mm_range place = in_plain(judging->reading, judging->view, whole_chain(chain));
	struct mm_rule_state *state;
	enum mm_verdict verdict;
	const char *by = NULL;

	if (judging->view == MM_FOLD_SQUEEZED && !is_disguised(judging->reading, chain)) {
		tell(judging, place, MM_VERDICT_UNCHANGED, NULL);
		return;
	}
	if (judging->view == MM_FOLD_SQUEEZED &&
	    mm_reading_index(judging->reading, NULL) != MM_OK) {
		judging->reading->has_failed = true;
		return;
	}
	if (judging->view == MM_FOLD_SQUEEZED && cuts_word(judging->reading, whole_chain(chain))) {
		tell(judging, place, MM_VERDICT_EDGE, NULL);
		return;
	}
	state = mm_rule_state(judging->reading->scanner, judging->rule);
	if (state->standing >= MM_PLACES_RULE_MAX)
		return;
	verdict = judge(judging, chain, place, &by);
	tell(judging, place, verdict, by);
	if (verdict == MM_VERDICT_STANDS)
		keep_place(judging, state, place);
	else if (state->cancelled < UINT16_MAX)
		state->cancelled++;
}

enum pass { PASS_GUARDS, PASS_CONTEXTS, PASS_SUBJECTS };

static void run_pattern(struct mm_reading *reading, enum mm_fold_view view, enum pass pass,
			const struct mm_pattern *pattern)
{
	static void (*const handlers[])(void *,
					const struct mm_chain *) = {[PASS_GUARDS] = add_guard,
								    [PASS_CONTEXTS] = add_context,
								    [PASS_SUBJECTS] = judge_chain};
	struct judging judging = {.reading = reading,
				  .room = reading->scanner->room,
				  .view = view,
				  .rule = pattern->rule};

	if (pass != PASS_SUBJECTS && pattern->is_guard != (pass == PASS_GUARDS))
		return;
	mm_join(&reading->scanner->views[view], &reading->views[view], pattern, &judging.room->join,
		handlers[pass], &judging);
}

static void run_pass(struct mm_reading *reading, enum mm_fold_view view, enum pass pass)
{
	const struct mm_view_hits *hits = &reading->scanner->views[view];
	const struct mm_view_set *set = hits->set;

	for (uint32_t i = 0; i < hits->touched_count; i++) {
		const struct mm_part *part = &set->parts[hits->touched[i]];
		uint32_t use = part->first_use, end = use + part->support_count;

		if (pass == PASS_SUBJECTS) {
			use = end;
			end += part->subject_count;
		}
		for (; use < end; use++)
			run_pattern(reading, view, pass, &set->patterns[set->uses[use]]);
	}
}

/* True when a match was found that guards or contexts may have a say in. */
static bool needs_support(const struct mm_reading *reading)
{
	if (reading->wants_contexts || reading->trace)
		return true;
	for (int view = 0; view < MM_VIEWS; view++) {
		const struct mm_view_hits *hits = &reading->scanner->views[view];

		for (uint32_t i = 0; i < hits->touched_count; i++) {
			const struct mm_part *part = &hits->set->parts[hits->touched[i]];
			const uint32_t *uses =
			    hits->set->uses + part->first_use + part->support_count;

			for (uint32_t j = 0; j < part->subject_count; j++)
				if (reading->rules
					->needs_support[hits->set->patterns[uses[j]].rule])
					return true;
		}
	}
	return false;
}

static void collect_support(struct mm_reading *reading)
{
	struct mm_support_room *support = &reading->scanner->room->support;

	mm_scan_waiting(reading->scanner);
	run_pass(reading, MM_FOLD_PLAIN, PASS_GUARDS);
	run_pass(reading, MM_FOLD_SQUEEZED, PASS_GUARDS);
	mm_guards_sort(support);
	run_pass(reading, MM_FOLD_PLAIN, PASS_CONTEXTS);
	mm_contexts_sort(support, reading->rules);
	reading->is_question =
	    mm_context_is_there(support, reading->rules, reading->rules->question);
	reading->is_polite = mm_context_is_there(support, reading->rules, reading->rules->polite);
	reading->is_fair = mm_context_is_there(support, reading->rules, reading->rules->fair);
}

enum mm_status mm_resolve(struct mm_reading *reading, struct mm_error *err)
{
	struct mm_resolve_room *room = reading->scanner->room;

	room->support.guard_count = room->support.context_count = 0;
	reading->places = room->places;
	reading->place_count = 0;
	if (needs_support(reading))
		collect_support(reading);
	run_pass(reading, MM_FOLD_PLAIN, PASS_SUBJECTS);
	run_pass(reading, MM_FOLD_SQUEEZED, PASS_SUBJECTS);
	if (reading->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the findings");
	return MM_OK;
}
