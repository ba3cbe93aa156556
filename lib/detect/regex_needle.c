/* regex_needle.c: finds the literals that every match must contain, and cuts the expression there.
 * The needles wanted are those that ordinary text holds most seldom. */
#include "config.h"

#include "detect/regex.h"

#include <math.h>
#include <string.h>

#include "text/utf8.h"

enum {
	TEXTS_MAX = MM_NEEDLES_MAX, /* literals of one item */
	PRODUCT_MAX = 64,           /* literals of several items together */
	CLASS_MAX = 12,             /* members of a class that may be spelled out */
	LITERAL_MAX = 60,           /* bytes of a literal */
	DISTRIBUTIONS_MAX = 2       /* alternatives inside alternatives that are taken apart */
};

/* With a frequency above this, vectorscan is better at the whole expression. */
static const double frequency_max = 0.5;
/* Below this a needle is good enough not to look for better ones inside groups. */
static const double frequency_good = 0.1;
/* Below this a needle need not be longer. */
static const double frequency_rare = 0.0004;
/* What one more needle costs, as a frequency. */
static const double needle_cost = 0.0003;

/* A finite set of literals; count 0 stands for "not finite or too many". */
struct texts {
	const char **items;
	size_t count;
};

struct planner {
	struct mm_arena *arena;
	struct mm_branch_plan *branches;
	size_t branch_count;
	bool is_full;    /* the arena */
	bool is_useless; /* a branch has no needle */
};

static const struct texts no_texts = {NULL, 0};

static const char **take_texts(struct planner *p, size_t count)
{
	const char **items = mm_arena_alloc(p->arena, count * sizeof(*items));

	p->is_full = p->is_full || !items;
	return items;
}

static struct texts one_text(struct planner *p, const char *text)
{
	struct texts set = {take_texts(p, 1), 1};

	if (!set.items)
		return no_texts;
	set.items[0] = text;
	return set;
}

static const char *spell(struct planner *p, uint32_t code_point)
{
	char bytes[4];
	size_t length = mm_utf8_encode(code_point, bytes);
	const char *text = length ? mm_arena_strndup(p->arena, bytes, length) : NULL;

	p->is_full = p->is_full || !text;
	return text;
}

static struct texts class_texts(struct planner *p, const struct mm_char_class *class)
{
	struct texts set = {take_texts(p, CLASS_MAX), 0};

	if (class->is_negated || !set.items)
		return no_texts;
	for (uint32_t i = 0; i < class->range_count; i++) {
		for (uint32_t c = class->ranges[i].from; c <= class->ranges[i].to; c++) {
			if (set.count == CLASS_MAX || c == 0)
				return no_texts;
			set.items[set.count] = spell(p, c);
			if (!set.items[set.count++])
				return no_texts;
		}
	}
	return set;
}

/* NULL when it gets too long. */
static const char *append(struct planner *p, const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	char *text;

	if (a_length + b_length > LITERAL_MAX)
		return NULL;
	text = mm_arena_alloc(p->arena, a_length + b_length + 1);
	if (!text) {
		p->is_full = true;
		return NULL;
	}
	memcpy(text, a, a_length);
	memcpy(text + a_length, b, b_length);
	text[a_length + b_length] = '\0';
	return text;
}

static struct texts product(struct planner *p, struct texts a, struct texts b, size_t limit)
{
	struct texts set = {NULL, 0};

	if (a.count == 0 || b.count == 0 || a.count * b.count > limit)
		return no_texts;
	set.items = take_texts(p, a.count * b.count);
	for (size_t i = 0; i < a.count && set.items; i++) {
		for (size_t j = 0; j < b.count; j++) {
			set.items[set.count] = append(p, a.items[i], b.items[j]);
			if (!set.items[set.count++])
				return no_texts;
		}
	}
	return set;
}

/* Adds the literals of `b` to `a`, which has room for TEXTS_MAX. False: there are too many. */
static bool add_texts(struct texts *a, struct texts b)
{
	if (b.count == 0 || a->count + b.count > TEXTS_MAX)
		return false;
	memcpy(a->items + a->count, b.items, b.count * sizeof(*b.items));
	a->count += b.count;
	return true;
}

static struct texts spell_out(struct planner *p, const struct mm_node *node);

static struct texts repeat_texts(struct planner *p, const struct mm_node *node)
{
	struct texts inner, power, all = no_texts;

	if (node->max > 3)
		return no_texts;
	inner = spell_out(p, node->child);
	power = one_text(p, "");
	all.items = take_texts(p, TEXTS_MAX);
	if (!all.items || inner.count == 0)
		return no_texts;
	for (uint32_t i = 0; i <= node->max; i++) {
		if (i >= node->min && !add_texts(&all, power))
			return no_texts;
		if (i < node->max)
			power = product(p, power, inner, PRODUCT_MAX);
	}
	return all;
}

static struct texts alternative_texts(struct planner *p, const struct mm_node *node)
{
	struct texts set = {take_texts(p, TEXTS_MAX), 0};

	for (const struct mm_node *c = node->child; c && set.items; c = c->next)
		if (!add_texts(&set, spell_out(p, c)))
			return no_texts;
	return set.items ? set : no_texts;
}

/* All that a tree matches, when that is a short list. */
static struct texts spell_out(struct planner *p, const struct mm_node *node)
{
	struct texts set = no_texts;

	switch (node->kind) {
	case MM_NODE_CHAR: {
		const char *text = node->code_point ? spell(p, node->code_point) : NULL;

		return text ? one_text(p, text) : no_texts;
	}
	case MM_NODE_CLASS:
		return class_texts(p, node->class);
	case MM_NODE_REPEAT:
		return repeat_texts(p, node);
	case MM_NODE_ASSERT:
		return no_texts;
	case MM_NODE_CAT:
		set = one_text(p, "");
		for (const struct mm_node *c = node->child; c && set.count > 0; c = c->next)
			set = product(p, set, spell_out(p, c), TEXTS_MAX);
		return set;
	case MM_NODE_ALT:
		break;
	}
	return alternative_texts(p, node);
}

/* How many bits a character says beside its neighbours, roughly: kana are common. */
static double bits_of(uint32_t c)
{
	if (c >= 0x3041 && c <= 0x309f)
		return 4.0;
	if (c >= 'a' && c <= 'z')
		return 3.0;
	return c < 0x80 ? 4.0 : 6.5;
}

/* The share of characters of ordinary text at which the literal begins, very roughly. */
static double frequency_of(const char *text)
{
	size_t length = strlen(text), at = 0;
	double bits = 0.0;

	while (at < length) {
		uint32_t c = 0;
		size_t step = mm_utf8_decode(text + at, length - at, &c);

		if (step == 0)
			break;
		bits += bits_of(c);
		at += step;
	}
	return at == 0 ? 1e9 : exp2(-bits);
}

static double cost_of(struct texts set)
{
	double cost = needle_cost * (double)set.count;

	if (set.count == 0)
		return 1e9;
	for (size_t i = 0; i < set.count; i++)
		cost += frequency_of(set.items[i]);
	return cost;
}

/* A list of items that grows while groups are opened. */
struct items {
	const struct mm_node **list;
	size_t count, capacity;
};

static bool add_item(struct planner *p, struct items *items, const struct mm_node *node)
{
	if (items->count == items->capacity) {
		size_t capacity = items->capacity ? items->capacity * 2 : 16;
		const struct mm_node **list =
		    mm_arena_array(p->arena, capacity, sizeof(struct mm_node *));

		if (!list) {
			p->is_full = true;
			return false;
		}
		if (items->count > 0)
			memcpy(list, items->list, items->count * sizeof(*list));
		items->list = list;
		items->capacity = capacity;
	}
	items->list[items->count++] = node;
	return true;
}

/* Opens sequences, and takes the first turn out of a repetition that has at least one. */
static bool flatten(struct planner *p, struct items *items, const struct mm_node *node)
{
	struct mm_node *rest;

	if (node->kind == MM_NODE_CAT) {
		for (const struct mm_node *c = node->child; c; c = c->next)
			if (!flatten(p, items, c))
				return false;
		return true;
	}
	if (node->kind != MM_NODE_REPEAT || node->min == 0 || mm_regex_is_nullable(node->child))
		return add_item(p, items, node);
	if (!flatten(p, items, node->child))
		return false;
	if (node->max == 1)
		return true;
	rest = mm_arena_alloc(p->arena, sizeof(*rest));
	if (!rest) {
		p->is_full = true;
		return false;
	}
	*rest = *node;
	rest->min--;
	rest->max = node->max == MM_UNBOUNDED ? MM_UNBOUNDED : node->max - 1;
	return add_item(p, items, rest);
}

/* The run of items with the rarest literals. */
static double best_window(struct planner *p, const struct items *items, struct mm_branch_plan *plan)
{
	struct texts *sets = mm_arena_array(p->arena, items->count + 1, sizeof(*sets));
	double best = 1e9;

	if (!sets) {
		p->is_full = true;
		return best;
	}
	for (size_t i = 0; i < items->count; i++)
		sets[i] = spell_out(p, items->list[i]);
	for (size_t i = 0; i < items->count && !p->is_full; i++) {
		struct texts window = sets[i];

		for (size_t j = i; window.count > 0; j++) {
			double cost = cost_of(window);

			if (cost < best) {
				best = cost;
				plan->before = i;
				plan->after = j + 1;
				plan->needles = window.items;
				plan->needle_count = window.count;
			}
			if (j + 1 == items->count || cost < frequency_rare)
				break;
			window = product(p, window, sets[j + 1], PRODUCT_MAX);
		}
	}
	return best;
}

static void plan_items(struct planner *p, const struct items *items, unsigned depth);

/* Replaces item `at`, a choice, by each of its alternatives in turn. */
static void distribute(struct planner *p, const struct items *items, size_t at, unsigned depth)
{
	const struct mm_node *group = items->list[at];

	if (group->kind == MM_NODE_REPEAT) {
		struct items without = {0};

		for (size_t i = 0; i < items->count; i++)
			if (i != at && !add_item(p, &without, items->list[i]))
				return;
		plan_items(p, &without, depth);
	}
	for (const struct mm_node *c = group->child; c && !p->is_full && !p->is_useless;
	     c = c->next) {
		struct items one = {0};

		for (size_t i = 0; i < items->count; i++)
			if (i == at ? !flatten(p, &one, c) : !add_item(p, &one, items->list[i]))
				return;
		plan_items(p, &one, depth);
	}
}

static bool is_choice(const struct mm_node *node)
{
	return node->kind == MM_NODE_ALT ||
	       (node->kind == MM_NODE_REPEAT && node->min == 0 && node->max == 1);
}

static size_t first_choice(const struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		if (is_choice(items->list[i]) && items->list[i]->kind == MM_NODE_ALT)
			return i;
	for (size_t i = 0; i < items->count; i++)
		if (is_choice(items->list[i]))
			return i;
	return items->count;
}

/* Takes the branch as it is, or opens a choice in it when its needles are too common. */
static void plan_items(struct planner *p, const struct items *items, unsigned depth)
{
	struct mm_branch_plan plan = {.items = items->list, .item_count = items->count};
	double cost = best_window(p, items, &plan);
	size_t choice = first_choice(items);

	if (p->is_full || p->is_useless)
		return;
	if (cost > frequency_good && depth > 0 && choice < items->count) {
		size_t mark = p->branch_count;

		distribute(p, items, choice, depth - 1);
		if (!p->is_useless || p->is_full)
			return;
		p->branch_count = mark;
		p->is_useless = false;
	}
	if (cost > frequency_max || p->branch_count == MM_BRANCHES_MAX) {
		p->is_useless = true;
		return;
	}
	p->branches[p->branch_count++] = plan;
}

bool mm_regex_plan(const struct mm_node *tree, struct mm_plan *out, struct mm_arena *arena)
{
	struct planner planner = {
	    .arena = arena,
	    .branches = mm_arena_alloc(arena, MM_BRANCHES_MAX * sizeof(*planner.branches))};
	const struct mm_node *first = tree->kind == MM_NODE_ALT ? tree->child : tree;

	if (!planner.branches)
		return false;
	for (const struct mm_node *c = first; c && !planner.is_full && !planner.is_useless;
	     c = tree->kind == MM_NODE_ALT ? c->next : NULL) {
		struct items items = {0};

		if (flatten(&planner, &items, c))
			plan_items(&planner, &items, DISTRIBUTIONS_MAX);
	}
	if (planner.is_full)
		return false;
	*out = (struct mm_plan){planner.branches, planner.is_useless ? 0 : planner.branch_count};
	return true;
}
