/*
 * scan: runs the compiled patterns over a folded text (floor 2, private to this folder).
 *
 * Shape    a scanner is the memory of one scan: vectorscan's scratch, the hits of both views, and
 *          one small record a part and a rule. A pool lends at most MM_SCANNERS_MAX of them.
 * Units    from and to are bytes of the folded view
 * Own      hits live in the scanner until its next use
 * Errors   enum mm_status
 * Threads  the pool is safe for all; a scanner belongs to one thread between take and give
 *
 * Records carry the number of the scan that wrote them (generation), so that nothing has to be
 * cleared between messages.
 */
#ifndef MM_DETECT_SCAN_H
#define MM_DETECT_SCAN_H

#include "detect/detector.h"
#include "detect/keys.h"
#include "detect/rewrite.h"
#include "detect/rules_internal.h"
#include "text/fold.h"

enum { MM_WAITING_MAX = 8192 /* of a view */ };

#define MM_NO_HIT UINT32_MAX

/* A match of a part; the hits of one part form a list in the order of their beginnings. */
struct mm_hit {
	uint32_t from, to, next;
};

struct mm_part_hits {
	uint32_t generation, first, last, count;
	bool is_mixed; /* out of order until the scan ends */
};

/* A branch that is read only when a guard or a context is asked for; from and end of its needle in
 * characters. */
struct mm_waiting {
	const struct mm_branch *branch;
	uint32_t from, to;
};

/* How often a needle was looked at. */
struct mm_needle_use {
	uint32_t generation, count;
};

/* What one view's scan found. */
struct mm_view_hits {
	const struct mm_view_set *set;
	struct mm_part_hits *parts; /* by part number */
	uint32_t *touched;          /* parts with hits, in the order of their first */
	uint32_t touched_count;
	struct mm_hit *hits;
	uint32_t hit_count;
	uint32_t generation;
	struct mm_keyed keyed; /* the text being scanned */
	uint32_t base;         /* character at which the scan under way began */
	struct mm_automaton *automaton;
	struct mm_needle_use *needle_uses; /* by needle number */
	struct mm_waiting *waiting;
	uint32_t waiting_count;
};

/* What became of a rule's candidates. */
struct mm_rule_state {
	uint32_t generation;
	uint16_t standing, cancelled;
};

struct mm_scanner {
	hs_scratch_t *scratch;
	struct mm_view_hits views[MM_VIEWS];
	struct mm_rule_state *rules; /* by rule number */
	uint32_t rule_count;
	uint32_t *fired; /* rules with a state of this generation */
	uint32_t fired_count;
	uint32_t generation;
	const struct mm_rewrites *rewrites;
	const struct mm_rewriting *rewritings; /* of the squeezed view, in order */
	uint32_t rewriting_count;
	struct mm_resolve_room *room; /* resolve.c's working memory */
	struct mm_scanner *next;      /* in the pool */
};

struct mm_scanner_pool;

enum mm_status mm_scanner_pool_new(const struct mm_rules *rules, struct mm_scanner_pool **out,
				   struct mm_error *err);
void mm_scanner_pool_free(struct mm_scanner_pool *pool);

/* Lends a scanner, waiting while all are out. Give it back with mm_scanner_give. */
enum mm_status mm_scanner_take(struct mm_scanner_pool *pool, struct mm_scanner **out,
			       struct mm_error *err);
void mm_scanner_give(struct mm_scanner_pool *pool, struct mm_scanner *scanner);

/* Scans the plain view of a message, and of the squeezed view the sentences with a disguise; before
 * that, views[MM_FOLD_SQUEEZED] is rewritten (rewrite.h). Parts that only guards and contexts have
 * are left waiting. */
enum mm_status mm_scan(struct mm_scanner *scanner, struct mm_folded views[MM_VIEWS],
		       struct mm_arena *arena, struct mm_error *err);

/* Reads the parts that wait, of both views. */
void mm_scan_waiting(struct mm_scanner *scanner);

/* The hits of `part`, first of the list, or MM_NO_HIT. */
static inline uint32_t mm_hits_of(const struct mm_view_hits *view, uint32_t part)
{
	const struct mm_part_hits *hits = &view->parts[part];

	return hits->generation == view->generation ? hits->first : MM_NO_HIT;
}

/* The state of `rule` in this scan, made empty and listed in `fired` at its first use. */
static inline struct mm_rule_state *mm_rule_state(struct mm_scanner *scanner, uint32_t rule)
{
	struct mm_rule_state *state = &scanner->rules[rule];

	if (state->generation != scanner->generation) {
		*state = (struct mm_rule_state){.generation = scanner->generation};
		scanner->fired[scanner->fired_count++] = rule;
	}
	return state;
}

#endif
