/* rules_needles.c: from the folded parts of one view to needles for vectorscan and programs for
 * what stands around them. */
#include "config.h"

#include "detect/rules_internal.h"

#include <stdlib.h>
#include <string.h>

#include "detect/grow.h"
#include "detect/keys.h"
#include "text/utf8.h"

enum { WORK_MAX_BYTES = 256 * 1024 * 1024 };

/* Needle `needle` of its kind belongs to branch `branch`. */
struct pair {
	uint32_t needle, branch;
	unsigned kind;
};

/* A program of the part at work, for branches with the same items. */
struct made {
	const struct mm_node *const *items;
	size_t count;
	bool is_backward;
	struct mm_reach reach;
};

struct cutter {
	struct mm_view_set *set;
	struct mm_view_source *source;
	struct mm_arena *keep, *scratch, *work; /* work is reset after every part */
	struct mm_error *err;
	struct mm_intern needles[MM_NEEDLE_KINDS];
	struct mm_branch *branches;
	uint32_t branch_count, branch_capacity;
	struct pair *pairs;
	uint32_t pair_count, pair_capacity;
	struct made made[2 * MM_BRANCHES_MAX];
	size_t made_count;
};

static enum mm_status out_of_memory(struct cutter *c)
{
	mm_error_cause(c->err, MM_NO_MEMORY, "no memory for the rules");
	return MM_NO_MEMORY;
}

static enum mm_status bad_part(struct cutter *c, uint32_t part, const char *reason)
{
	return mm_error_set(c->err, MM_BAD_INPUT, NULL, NULL, "%s:%u: %s in %s",
			    c->source->part_files[part], c->source->part_lines[part], reason,
			    c->source->parts.texts[part]);
}

static enum mm_status add_pair(struct cutter *c, const char *text, unsigned kind)
{
	struct pair *pairs = mm_grow(c->pairs, c->pair_count, &c->pair_capacity, sizeof(*c->pairs));
	uint32_t needle;

	if (!pairs)
		return out_of_memory(c);
	c->pairs = pairs;
	if (!mm_intern_add(&c->needles[kind], text, &needle))
		return out_of_memory(c);
	c->pairs[c->pair_count++] = (struct pair){needle, c->branch_count, kind};
	return MM_OK;
}

/* Adds a program, or finds the one that an earlier branch of the part has made of these items. */
static bool add_program(struct cutter *c, const struct mm_node *const *items, size_t count,
			bool is_backward, struct mm_reach *out)
{
	uint32_t program;

	for (size_t i = 0; i < c->made_count; i++) {
		const struct made *made = &c->made[i];

		if (made->count != count || made->is_backward != is_backward ||
		    memcmp(made->items, items, count * sizeof(*items)) != 0)
			continue;
		*out = made->reach;
		return true;
	}
	if (!mm_program_add(&c->set->code, items, count, is_backward, &program))
		return false;
	*out = (struct mm_reach){.program = MM_REACH_NOTHING};
	if (program != MM_NO_PROGRAM) {
		const struct mm_program *new_one = &c->set->code.programs[program];

		out->program = program & MM_REACH_NOTHING;
		out->must_run = new_one->has_assertion;
		out->is_nullable = new_one->is_nullable;
		out->first[0] = (uint32_t)new_one->first;
		out->first[1] = (uint32_t)(new_one->first >> 32);
	}
	if (c->made_count < sizeof(c->made) / sizeof(c->made[0]))
		c->made[c->made_count++] = (struct made){items, count, is_backward, *out};
	return true;
}

static enum mm_status add_branch(struct cutter *c, uint32_t part, const struct mm_branch_plan *plan)
{
	struct mm_branch branch = {.part = part & MM_REACH_NOTHING,
				   .is_support = c->set->parts[part].is_support};
	struct mm_branch *branches =
	    mm_grow(c->branches, c->branch_count, &c->branch_capacity, sizeof(*c->branches));

	if (!branches)
		return out_of_memory(c);
	c->branches = branches;
	if (!add_program(c, plan->items, plan->before, true, &branch.before) ||
	    !add_program(c, plan->items + plan->after, plan->item_count - plan->after, false,
			 &branch.after))
		return bad_part(c, part, "too large a pattern");
	for (size_t i = 0; i < plan->needle_count; i++) {
		const char *literal = mm_arena_strdup(c->scratch, plan->needles[i]);
		bool is_single = mm_utf8_count(plan->needles[i], strlen(plan->needles[i])) == 1;
		enum mm_status status =
		    literal ? add_pair(c, literal, is_single ? MM_SINGLES : MM_LITERALS)
			    : out_of_memory(c);

		if (status != MM_OK)
			return status;
	}
	c->branches[c->branch_count++] = branch;
	return MM_OK;
}

/* A part without a useful literal: vectorscan finds its end, a program reads it backwards. */
static enum mm_status add_whole(struct cutter *c, uint32_t part, const struct mm_node *tree)
{
	struct mm_branch branch = {.part = part & MM_REACH_NOTHING,
				   .is_support = c->set->parts[part].is_support,
				   .is_whole = true,
				   .after = {.program = MM_REACH_NOTHING}};
	struct mm_branch *branches =
	    mm_grow(c->branches, c->branch_count, &c->branch_capacity, sizeof(*c->branches));
	enum mm_status status;

	if (!branches)
		return out_of_memory(c);
	c->branches = branches;
	if (!add_program(c, &tree, 1, true, &branch.before))
		return bad_part(c, part, "too large a pattern");
	c->made_count = 0; /* `tree` is a local of this function */
	branch.before.must_run = true;
	status = add_pair(c, c->source->parts.texts[part], MM_WHOLES);
	if (status == MM_OK)
		c->branches[c->branch_count++] = branch;
	return status;
}

static enum mm_status cut_part(struct cutter *c, uint32_t part)
{
	struct mm_node *tree;
	struct mm_plan plan;
	const char *reason = NULL;
	enum mm_status status = MM_OK;

	if (!mm_regex_parse(c->source->parts.texts[part], &tree, c->work, &reason))
		return reason ? bad_part(c, part, reason) : out_of_memory(c);
	if (!mm_regex_plan(tree, &plan, c->work))
		return out_of_memory(c);
	if (plan.branch_count == 0)
		return add_whole(c, part, tree);
	for (size_t i = 0; i < plan.branch_count && status == MM_OK; i++)
		status = add_branch(c, part, &plan.branches[i]);
	return status;
}

static uint32_t needle_of(const struct cutter *c, const struct pair *pair)
{
	return c->set->first_needle[pair->kind] + pair->needle;
}

/* Spells a needle in code points; a whole expression has none. */
static bool spell_needle(struct cutter *c, const char *text, struct mm_needle *needle)
{
	size_t length = strlen(text), at = 0;
	uint32_t *code_points = mm_arena_array(c->keep, length + 1, sizeof(*code_points));

	if (!code_points)
		return false;
	needle->code_points = code_points;
	needle->has_own_keys = true;
	while (at < length) {
		size_t step = mm_utf8_decode(text + at, length - at, &code_points[needle->length]);

		needle->has_own_keys &= mm_key_is_own(code_points[needle->length]);
		needle->length++;
		at += step ? step : 1;
	}
	return true;
}

static bool name_needles(struct cutter *c)
{
	struct mm_view_set *set = c->set;

	for (unsigned kind = 0; kind < MM_NEEDLE_KINDS; kind++) {
		for (uint32_t i = 0; i < c->needles[kind].count; i++) {
			uint32_t number = set->first_needle[kind] + i;
			const char *text = c->needles[kind].texts[i];

			c->source->needles[number] = text;
			if (kind != MM_WHOLES && !spell_needle(c, text, &set->needles[number]))
				return false;
			if (kind != MM_SINGLES)
				continue;
			uint32_t bit = mm_single_bit(set->needles[number].code_points[0]);
			set->singles[bit / 64] |= (uint64_t)1 << (bit % 64);
		}
	}
	return true;
}

/* Copies the branches of every needle one after the other, so that they are read in one go. */
static void list_branches(struct cutter *c)
{
	struct mm_view_set *set = c->set;
	uint32_t next = 0;

	for (uint32_t i = 0; i < c->pair_count; i++) {
		uint32_t number = needle_of(c, &c->pairs[i]);

		set->needles[number].branch_count++;
		c->source->needle_parts[number] = c->branches[c->pairs[i].branch].part;
	}
	for (uint32_t i = 0; i < set->needle_count; i++) {
		set->needles[i].first_branch = next;
		next += set->needles[i].branch_count;
		set->needles[i].branch_count = 0;
	}
	for (uint32_t i = 0; i < c->pair_count; i++) {
		struct mm_needle *needle = &set->needles[needle_of(c, &c->pairs[i])];

		set->branches[needle->first_branch + needle->branch_count++] =
		    c->branches[c->pairs[i].branch];
	}
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Single characters are looked up by halving, so they are numbered by code point, which is the
 * order of their bytes. */
static bool order_singles(struct cutter *c)
{
	struct mm_intern *singles = &c->needles[MM_SINGLES], sorted = {0};
	uint32_t *numbers = mm_arena_array(c->scratch, singles->count + 1u, sizeof(*numbers));
	const char **texts = mm_arena_array(c->scratch, singles->count + 1u, sizeof(*texts));
	bool is_good = numbers && texts;

	if (is_good && singles->count > 0)
		memcpy(texts, singles->texts, singles->count * sizeof(*texts));
	if (is_good)
		qsort(texts, singles->count, sizeof(*texts), by_text);
	for (uint32_t i = 0, number; i < singles->count && is_good; i++)
		is_good = mm_intern_add(&sorted, texts[i], &number);
	for (uint32_t i = 0; i < singles->count && is_good; i++)
		is_good = mm_intern_add(&sorted, singles->texts[i], &numbers[i]);
	for (uint32_t i = 0; i < c->pair_count && is_good; i++)
		if (c->pairs[i].kind == MM_SINGLES)
			c->pairs[i].needle = numbers[c->pairs[i].needle];
	mm_intern_free(singles);
	*singles = sorted;
	return is_good;
}

static enum mm_status list_needles(struct cutter *c)
{
	struct mm_view_set *set = c->set;

	if (!order_singles(c))
		return out_of_memory(c);
	for (unsigned kind = 0; kind < MM_NEEDLE_KINDS; kind++)
		set->first_needle[kind + 1] = set->first_needle[kind] + c->needles[kind].count;
	set->needle_count = set->first_needle[MM_NEEDLE_KINDS];
	set->branch_count = c->pair_count;
	set->needles = mm_arena_array(c->keep, set->needle_count + 1u, sizeof(*set->needles));
	set->branches = mm_arena_array(c->keep, c->pair_count + 1u, sizeof(*set->branches));
	c->source->needles = mm_arena_array(c->scratch, set->needle_count + 1u, sizeof(char *));
	c->source->needle_parts =
	    mm_arena_array(c->scratch, set->needle_count + 1u, sizeof(uint32_t));
	if (!set->needles || !set->branches || !c->source->needles || !c->source->needle_parts ||
	    !name_needles(c))
		return out_of_memory(c);
	list_branches(c);
	return MM_OK;
}

enum mm_status mm_rules_cut(struct mm_rules *rules, struct mm_view_set *set,
			    struct mm_view_source *source, struct mm_arena *scratch,
			    struct mm_error *err)
{
	struct cutter cutter = {.set = set,
				.source = source,
				.keep = rules->arena,
				.scratch = scratch,
				.work = mm_arena_new(WORK_MAX_BYTES),
				.err = err};
	enum mm_status status = cutter.work ? MM_OK : out_of_memory(&cutter);

	set->code.arena = rules->arena;
	for (uint32_t part = 0; part < set->part_count && status == MM_OK; part++) {
		status = cut_part(&cutter, part);
		mm_arena_reset(cutter.work);
		cutter.made_count = 0;
	}
	if (status == MM_OK)
		status = list_needles(&cutter);
	free(cutter.pairs);
	free(cutter.branches);
	for (unsigned kind = 0; kind < MM_NEEDLE_KINDS; kind++)
		mm_intern_free(&cutter.needles[kind]);
	mm_arena_free(cutter.work);
	return status;
}
