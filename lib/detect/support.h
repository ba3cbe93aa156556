/*
 * support: the guards and contexts that a message holds (floor 2, private to this folder).
 *
 * Units    places are bytes of the plain view
 * Limits   MM_SUPPORTS_MAX guards and as many contexts; what comes after is not looked at
 */
#ifndef MM_DETECT_SUPPORT_H
#define MM_DETECT_SUPPORT_H

#include "detect/join.h"

enum {
	MM_SUPPORTS_MAX = 2048,
	MM_CONTEXT_STEPS = 24 /* hits of one name that are tried on each side of a match */
};

struct mm_support {
	uint32_t from, to, rule;
};

struct mm_support_room {
	struct mm_support guards[MM_SUPPORTS_MAX];
	uint32_t reach[MM_SUPPORTS_MAX]; /* the farthest end of this guard and those before it */
	uint32_t guard_count;
	struct mm_support contexts[MM_SUPPORTS_MAX]; /* by context number, then place */
	uint32_t context_count;
};

/* Adds a guard or a context; call the matching sort before asking. */
void mm_guard_add(struct mm_support_room *room, struct mm_support guard);
void mm_guards_sort(struct mm_support_room *room);
void mm_context_add(struct mm_support_room *room, struct mm_support context);
void mm_contexts_sort(struct mm_support_room *room, const struct mm_rules *rules);

/* The number of the rule whose guard for `rule` overlaps [from, to), or UINT32_MAX. */
uint32_t mm_guard_over(const struct mm_support_room *room, const struct mm_rules *rules,
		       uint32_t rule, uint32_t from, uint32_t to);

/* The first of `count` contexts at `names` that applies to [from, to), or UINT32_MAX. */
uint32_t mm_context_for(const struct mm_support_room *room, const struct mm_rules *rules,
			const struct mm_folded *plain, const uint32_t *names, uint32_t count,
			uint32_t from, uint32_t to);

/* True when the message holds context `number` anywhere. */
bool mm_context_is_there(const struct mm_support_room *room, const struct mm_rules *rules,
			 uint32_t number);

#endif
