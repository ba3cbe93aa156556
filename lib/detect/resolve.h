/*
 * resolve: from raw hits to what stands (floor 2, private to this folder).
 *
 * Joins parts to patterns, collects guards and contexts, and judges every candidate. All places
 * are bytes of the plain view, wherever a candidate was found.
 */
#ifndef MM_DETECT_RESOLVE_H
#define MM_DETECT_RESOLVE_H

#include "detect/evidence.h"
#include "detect/scan.h"

enum {
	MM_PLACES_MAX = 2048,
	MM_PLACES_RULE_MAX = 8 /* standing matches of one rule that are kept */
};

/* A standing match of a rule of kind harassment or sentiment. */
struct mm_place {
	uint32_t rule, from, to;
};

/* The message and everything that is known of it. */
struct mm_reading {
	const struct mm_rules *rules;
	const struct mm_model *model; /* NULL: rules alone judge */
	const char *utf8;
	size_t length;
	struct mm_folded views[MM_VIEWS];
	const struct mm_trace *trace; /* NULL: nobody listens */
	bool wants_contexts;          /* is_question, is_polite and is_fair are asked for */
	bool has_failed;              /* no memory while judging */
	struct mm_scanner *scanner;
	struct mm_arena *arena;
	uint32_t *offsets; /* byte of every code point and of the end; made when first needed */
	/* filled by mm_resolve */
	struct mm_place *places;
	size_t place_count;
	bool is_question, is_polite, is_fair;
	/* filled by evidence.c and model.c */
	struct mm_tally tally;
	struct mm_model_score score; /* with a model */
	struct mm_evidence evidence; /* with a model */
};

struct mm_resolve_room *mm_resolve_room_new(void);
void mm_resolve_room_free(struct mm_resolve_room *room);

/* Judges all candidates. Rule states go to the scanner, places to the reading. */
enum mm_status mm_resolve(struct mm_reading *reading, struct mm_error *err);

/* Makes reading->offsets. MM_NO_MEMORY. */
enum mm_status mm_reading_index(struct mm_reading *reading, struct mm_error *err);

#endif
