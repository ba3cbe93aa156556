/* support.c: keeps guards and contexts sorted and answers what applies where. */
#include "config.h"

#include "detect/support.h"

#include <stdlib.h>

enum { SHORT_LIST = 24 }; /* insertion sort wins below this length */

static void sort_supports(struct mm_support *items, uint32_t count,
			  int (*order)(const void *, const void *))
{
	if (count > SHORT_LIST) {
		qsort(items, count, sizeof(*items), order);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		struct mm_support item = items[i];
		uint32_t at = i;

		for (; at > 0 && order(&items[at - 1], &item) > 0; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct mm_support *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

void mm_guard_add(struct mm_support_room *room, struct mm_support guard)
{
	if (room->guard_count < MM_SUPPORTS_MAX)
		room->guards[room->guard_count++] = guard;
}

void mm_guards_sort(struct mm_support_room *room)
{
	uint32_t reach = 0;

	sort_supports(room->guards, room->guard_count, by_place);
	for (uint32_t i = 0; i < room->guard_count; i++) {
		if (room->guards[i].to > reach)
			reach = room->guards[i].to;
		room->reach[i] = reach;
	}
}

void mm_context_add(struct mm_support_room *room, struct mm_support context)
{
	if (room->context_count < MM_SUPPORTS_MAX)
		room->contexts[room->context_count++] = context;
}

static uint32_t name_of(const struct mm_rules *rules, const struct mm_support *context)
{
	return rules->rules[context->rule].context_index;
}

/* While sorting, `rule` carries the context number above the rule number. */
static int by_name_and_place(const void *a, const void *b)
{
	const struct mm_support *x = a, *y = b;
	uint32_t x_name = x->rule >> 24, y_name = y->rule >> 24;

	if (x_name != y_name)
		return x_name < y_name ? -1 : 1;
	return by_place(a, b);
}

void mm_contexts_sort(struct mm_support_room *room, const struct mm_rules *rules)
{
	_Static_assert(MM_CONTEXTS_MAX <= 256 && MM_RULES_MAX < (1 << 24), "must share 32 bits");
	for (uint32_t i = 0; i < room->context_count; i++)
		room->contexts[i].rule |= name_of(rules, &room->contexts[i]) << 24;
	sort_supports(room->contexts, room->context_count, by_name_and_place);
	for (uint32_t i = 0; i < room->context_count; i++)
		room->contexts[i].rule &= (1u << 24) - 1;
}

uint32_t mm_guard_over(const struct mm_support_room *room, const struct mm_rules *rules,
		       uint32_t rule, uint32_t from, uint32_t to)
{
	uint32_t low = 0, high = room->guard_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (room->guards[middle].from < to)
			low = middle + 1;
		else
			high = middle;
	}
	/* Those before `low` begin in time; walk back while one of them can still reach `from`. */
	while (low-- > 0 && room->reach[low] > from)
		if (room->guards[low].to > from &&
		    mm_rule_is_guarded_by(rules, rule, room->guards[low].rule))
			return room->guards[low].rule;
	return UINT32_MAX;
}

static bool is_near(const struct mm_folded *plain, const struct mm_rule *context,
		    const struct mm_support *place, uint32_t from, uint32_t to)
{
	bool is_before = place->from <= from, is_after = place->to >= to;
	bool is_overlapping = place->from < to && place->to > from;

	if (context->side == MM_SIDE_ANYWHERE)
		return true;
	if (context->side == MM_SIDE_BEFORE && !is_before)
		return false;
	if (context->side == MM_SIDE_AFTER && !is_after)
		return false;
	if (is_overlapping)
		return true;
	if (place->to <= from)
		return mm_gap_is_open(plain, place->to, from, context->within);
	return mm_gap_is_open(plain, to, place->from, context->within);
}

/* The first context of `number` or a higher one, at `from` or after. */
static uint32_t find_context(const struct mm_support_room *room, const struct mm_rules *rules,
			     uint32_t number, uint32_t from)
{
	uint32_t low = 0, high = room->context_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		uint32_t name = name_of(rules, &room->contexts[middle]);

		if (name < number || (name == number && room->contexts[middle].from < from))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool applies(const struct mm_support_room *room, const struct mm_rules *rules,
		    const struct mm_folded *plain, uint32_t number, uint32_t from, uint32_t to)
{
	uint32_t middle = find_context(room, rules, number, from);
	uint32_t first = middle > MM_CONTEXT_STEPS ? middle - MM_CONTEXT_STEPS : 0;
	uint32_t end = middle + MM_CONTEXT_STEPS;

	if (end > room->context_count)
		end = room->context_count;
	for (uint32_t i = first; i < end; i++) {
		const struct mm_support *place = &room->contexts[i];

		if (name_of(rules, place) == number &&
		    is_near(plain, &rules->rules[place->rule], place, from, to))
			return true;
	}
	return false;
}

uint32_t mm_context_for(const struct mm_support_room *room, const struct mm_rules *rules,
			const struct mm_folded *plain, const uint32_t *names, uint32_t count,
			uint32_t from, uint32_t to)
{
	if (room->context_count == 0)
		return UINT32_MAX;
	for (uint32_t i = 0; i < count; i++)
		if (applies(room, rules, plain, names[i], from, to))
			return names[i];
	return UINT32_MAX;
}

bool mm_context_is_there(const struct mm_support_room *room, const struct mm_rules *rules,
			 uint32_t number)
{
	uint32_t at;

	if (number == UINT32_MAX)
		return false;
	at = find_context(room, rules, number, 0);
	return at < room->context_count && name_of(rules, &room->contexts[at]) == number;
}
