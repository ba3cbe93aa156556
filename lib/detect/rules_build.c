/* rules_build.c: from a draft to the sets of pattern parts that are compiled. Equal parts of
 * different rules become one. */
#include "config.h"

#include "detect/rules_internal.h"

#include <string.h>

#include "text/fold.h"

struct builder {
	const struct mm_draft *draft;
	struct mm_rules *rules;
	struct mm_arena *scratch, *work; /* work is reset after every part */
	struct mm_error *err;
	uint32_t *numbers; /* draft rule -> final rule, UINT32_MAX when dropped */
};

static enum mm_status out_of_memory(struct builder *b)
{
	mm_error_cause(b->err, MM_NO_MEMORY, "no memory for the rules");
	return MM_NO_MEMORY;
}

static enum mm_status number_rules(struct builder *b)
{
	struct mm_rules *rules = b->rules;

	b->numbers = mm_arena_array(b->scratch, b->draft->rule_count + 1, sizeof(*b->numbers));
	rules->rules =
	    mm_arena_array(rules->arena, b->draft->rule_count + 1, sizeof(*rules->rules));
	if (!b->numbers || !rules->rules)
		return out_of_memory(b);
	for (size_t i = 0; i < b->draft->rule_count; i++) {
		b->numbers[i] = UINT32_MAX;
		if (b->draft->rules[i].is_dropped)
			continue;
		b->numbers[i] = rules->rule_count;
		rules->rules[rules->rule_count++] = b->draft->rules[i].rule;
	}
	if (rules->rule_count == 0)
		return mm_error_set(b->err, MM_BAD_INPUT, NULL, NULL, "there is no rule");
	return MM_OK;
}

static enum mm_status number_contexts(struct builder *b)
{
	struct mm_rules *rules = b->rules;

	rules->contexts = mm_arena_array(rules->arena, MM_CONTEXTS_MAX, sizeof(*rules->contexts));
	if (!rules->contexts)
		return out_of_memory(b);
	for (uint32_t i = 0; i < rules->rule_count; i++) {
		struct mm_rule *rule = &rules->rules[i];

		if (rule->kind != MM_RULE_CONTEXT)
			continue;
		rule->context_index = mm_rules_context_find(rules, rule->context);
		if (rule->context_index != UINT32_MAX)
			continue;
		if (rules->context_count == MM_CONTEXTS_MAX)
			return mm_error_set(b->err, MM_BAD_INPUT, NULL, NULL,
					    "%s:%u: more than %d context names", rule->file,
					    rule->line, MM_CONTEXTS_MAX);
		rule->context_index = rules->context_count;
		rules->contexts[rules->context_count++] = rule->context;
	}
	rules->question = mm_rules_context_find(rules, "question");
	rules->polite = mm_rules_context_find(rules, "polite");
	rules->fair = mm_rules_context_find(rules, "fair");
	return MM_OK;
}

struct name_list {
	const struct mm_rules *rules;
	uint32_t *items;
	uint32_t count;
	char unknown[64];
};

static bool add_name(void *self, const char *name, size_t length)
{
	struct name_list *list = self;

	for (uint32_t i = 0; i < list->rules->context_count; i++) {
		const char *known = list->rules->contexts[i];

		if (strlen(known) != length || memcmp(known, name, length) != 0)
			continue;
		list->items[list->count++] = i;
		return true;
	}
	if (length >= sizeof(list->unknown))
		length = sizeof(list->unknown) - 1;
	memcpy(list->unknown, name, length);
	list->unknown[length] = '\0';
	return false;
}

static enum mm_status resolve_names(struct builder *b, const struct mm_rule *rule,
				    const char *names, const uint32_t **items, uint32_t *count)
{
	struct name_list list = {.rules = b->rules};
	uint32_t *room;

	if (!names)
		return MM_OK;
	room = mm_arena_array(b->rules->arena, strlen(names) / 2 + 1, sizeof(*room));
	if (!room)
		return out_of_memory(b);
	list.items = room;
	if (!mm_rules_each_name(names, add_name, &list))
		return mm_error_set(b->err, MM_BAD_INPUT, NULL, NULL,
				    "%s:%u: [%s] names the context %s, which no rule defines",
				    rule->file, rule->line, rule->id, list.unknown);
	*items = list.items;
	*count = list.count;
	return MM_OK;
}

static enum mm_status resolve_contexts(struct builder *b)
{
	for (size_t i = 0; i < b->draft->rule_count; i++) {
		const struct mm_draft_rule *draft = &b->draft->rules[i];
		enum mm_status status;

		if (draft->is_dropped)
			continue;
		struct mm_rule *rule = &b->rules->rules[b->numbers[i]];
		status =
		    resolve_names(b, rule, draft->unless_names, &rule->unless, &rule->unless_count);
		if (status == MM_OK)
			status = resolve_names(b, rule, draft->requires_names, &rule->requires,
					       &rule->requires_count);
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

static enum mm_status make_room(struct builder *b, struct mm_view_set *set,
				struct mm_view_source *source)
{
	size_t patterns = b->draft->pattern_count + 1;
	size_t parts = patterns * MM_PATTERN_PARTS_MAX;

	source->part_files = mm_arena_array(b->scratch, parts, sizeof(*source->part_files));
	source->part_lines = mm_arena_array(b->scratch, parts, sizeof(*source->part_lines));
	set->patterns = mm_arena_array(b->rules->arena, patterns, sizeof(*set->patterns));
	if (!source->part_files || !source->part_lines || !set->patterns)
		return out_of_memory(b);
	return MM_OK;
}

/* Folds a part and gives its number; UINT32_MAX when nothing of it is left in this view. */
static enum mm_status add_part(struct builder *b, const struct mm_draft_pattern *draft,
			       const char *part, enum mm_fold_view view,
			       struct mm_view_source *source, uint32_t *out)
{
	const struct mm_rule *rule = &b->rules->rules[b->numbers[draft->rule]];
	struct mm_error cause = {.status = MM_OK};
	char *folded;
	enum mm_status status = mm_fold_pattern(part, strlen(part), view, &folded, b->work, &cause);

	if (status == MM_NO_MEMORY)
		return out_of_memory(b);
	if (status != MM_OK)
		return mm_error_set(b->err, MM_BAD_INPUT, NULL, NULL, "%s:%u: [%s] \"%s\": %s",
				    rule->file, draft->line, rule->id, part, cause.message);
	*out = UINT32_MAX;
	if (folded[0] == '\0')
		return MM_OK;
	folded = mm_arena_strdup(b->scratch, folded);
	mm_arena_reset(b->work);
	if (!folded || !mm_intern_add(&source->parts, folded, out))
		return out_of_memory(b);
	if (!source->part_files[*out]) {
		source->part_files[*out] = rule->file;
		source->part_lines[*out] = draft->line;
	}
	return MM_OK;
}

/* Adds one pattern; one of which a part folds to nothing is left out of the view. */
static enum mm_status add_pattern(struct builder *b, const struct mm_draft_pattern *draft,
				  enum mm_fold_view view, struct mm_view_source *source)
{
	struct mm_view_set *set = &b->rules->views[view];
	const struct mm_rule *rule = &b->rules->rules[b->numbers[draft->rule]];
	struct mm_pattern pattern = {
	    .rule = b->numbers[draft->rule],
	    .is_guard = draft->is_guard || rule->kind == MM_RULE_GUARD,
	    .part_count = (uint8_t)draft->part_count,
	};

	for (unsigned i = 0; i < draft->part_count; i++) {
		enum mm_status status =
		    add_part(b, draft, draft->parts[i], view, source, &pattern.parts[i]);

		if (status != MM_OK || pattern.parts[i] == UINT32_MAX)
			return status;
		pattern.gaps[i] = (uint16_t)draft->gaps[i];
	}
	set->patterns[set->pattern_count++] = pattern;
	return MM_OK;
}

/* Guards are searched in both views, contexts in the plain one, other rules where they say. */
static bool is_in_view(const struct mm_rule *rule, const struct mm_draft_pattern *pattern,
		       enum mm_fold_view view)
{
	if (view == MM_FOLD_PLAIN)
		return true;
	return pattern->is_guard || rule->kind == MM_RULE_GUARD || rule->is_squeezed;
}

static bool is_support(const struct mm_rules *rules, const struct mm_pattern *pattern)
{
	return pattern->is_guard || rules->rules[pattern->rule].kind == MM_RULE_CONTEXT;
}

/* Notes the parts that no subject has. */
static void mark_support(const struct mm_rules *rules, struct mm_view_set *set)
{
	for (uint32_t i = 0; i < set->part_count; i++)
		set->parts[i].is_support = true;
	for (uint32_t i = 0; i < set->pattern_count; i++)
		for (unsigned j = 0; j < set->patterns[i].part_count; j++)
			if (!is_support(rules, &set->patterns[i]))
				set->parts[set->patterns[i].parts[j]].is_support = false;
}

/* Lists for every part the patterns that begin with it, guards and contexts first. */
static enum mm_status list_uses(struct builder *b, struct mm_view_set *set)
{
	uint32_t next = 0;

	set->parts = mm_arena_array(b->rules->arena, set->part_count + 1u, sizeof(*set->parts));
	set->uses = mm_arena_array(b->rules->arena, set->pattern_count + 1u, sizeof(*set->uses));
	if (!set->parts || !set->uses)
		return out_of_memory(b);
	mark_support(b->rules, set);
	for (uint32_t i = 0; i < set->pattern_count; i++) {
		struct mm_part *part = &set->parts[set->patterns[i].parts[0]];

		if (is_support(b->rules, &set->patterns[i]))
			part->support_count++;
		else
			part->subject_count++;
	}
	for (uint32_t i = 0; i < set->part_count; i++) {
		set->parts[i].first_use = next;
		next += set->parts[i].support_count + set->parts[i].subject_count;
		set->parts[i].support_count = set->parts[i].subject_count = 0;
	}
	/* Two passes in this order, so that a part's subjects follow its support. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < set->pattern_count; i++) {
			struct mm_part *part = &set->parts[set->patterns[i].parts[0]];
			bool is_first = is_support(b->rules, &set->patterns[i]);

			if (is_first != (pass == 0))
				continue;
			set->uses[part->first_use + part->support_count + part->subject_count] = i;
			if (is_first)
				part->support_count++;
			else
				part->subject_count++;
		}
	}
	return MM_OK;
}

static enum mm_status build_view(struct builder *b, enum mm_fold_view view,
				 struct mm_view_source *source)
{
	struct mm_view_set *set = &b->rules->views[view];
	enum mm_status status = make_room(b, set, source);

	for (size_t i = 0; i < b->draft->pattern_count && status == MM_OK; i++) {
		const struct mm_draft_pattern *pattern = &b->draft->patterns[i];
		const struct mm_draft_rule *rule = &b->draft->rules[pattern->rule];

		if (!rule->is_dropped && is_in_view(&rule->rule, pattern, view))
			status = add_pattern(b, pattern, view, source);
	}
	set->part_count = source->parts.count;
	if (status == MM_OK)
		status = list_uses(b, set);
	return status == MM_OK ? mm_rules_cut(b->rules, set, source, b->scratch, b->err) : status;
}

bool mm_rule_is_guarded_by(const struct mm_rules *rules, uint32_t rule, uint32_t guard)
{
	const struct mm_rule *subject = &rules->rules[rule], *owner = &rules->rules[guard];

	if (owner->kind != MM_RULE_GUARD)
		return rule == guard;
	for (uint32_t i = 0; i < owner->guard_count; i++) {
		const char *prefix = owner->guards[i];

		if (strcmp(prefix, "*") == 0) {
			if (subject->kind != MM_RULE_CONTEXT)
				return true;
		} else if (strncmp(subject->id, prefix, strlen(prefix)) == 0) {
			return true;
		}
	}
	return false;
}

/* Notes which rules cannot be judged without guards and contexts. */
static enum mm_status find_needs(struct builder *b)
{
	struct mm_rules *rules = b->rules;

	rules->needs_support = mm_arena_array(rules->arena, rules->rule_count + 1u, sizeof(bool));
	if (!rules->needs_support)
		return out_of_memory(b);
	for (uint32_t i = 0; i < rules->rule_count; i++)
		rules->needs_support[i] =
		    rules->rules[i].unless_count > 0 || rules->rules[i].requires_count > 0;
	for (size_t i = 0; i < b->draft->pattern_count; i++)
		if (b->draft->patterns[i].is_guard &&
		    b->numbers[b->draft->patterns[i].rule] != UINT32_MAX)
			rules->needs_support[b->numbers[b->draft->patterns[i].rule]] = true;
	for (uint32_t guard = 0; guard < rules->rule_count; guard++)
		for (uint32_t i = 0; i < rules->rule_count; i++)
			if (rules->rules[guard].kind == MM_RULE_GUARD &&
			    mm_rule_is_guarded_by(rules, i, guard))
				rules->needs_support[i] = true;
	return MM_OK;
}

enum mm_status mm_rules_build(const struct mm_draft *draft, struct mm_rules *rules,
			      struct mm_view_source sources[MM_VIEWS], struct mm_arena *scratch,
			      struct mm_error *err)
{
	struct builder builder = {.draft = draft,
				  .rules = rules,
				  .scratch = scratch,
				  .work = mm_arena_new(0),
				  .err = err};
	enum mm_status status = builder.work ? number_rules(&builder) : out_of_memory(&builder);

	if (status == MM_OK)
		status = number_contexts(&builder);
	if (status == MM_OK)
		status = resolve_contexts(&builder);
	if (status == MM_OK)
		status = find_needs(&builder);
	for (int view = 0; view < MM_VIEWS && status == MM_OK; view++)
		status = build_view(&builder, (enum mm_fold_view)view, &sources[view]);
	mm_arena_free(builder.work);
	return status;
}
