/*
 * join: from hits of parts to matches of whole patterns (floor 2, private to this folder).
 *
 * Nearly linear in the hits of the pattern's parts: from the last part to the first, a hit is kept when
 * the nearest kept hit of the next part follows within the gap and in the same sentence.
 */
#ifndef MM_DETECT_JOIN_H
#define MM_DETECT_JOIN_H

#include "detect/scan.h"

struct mm_range {
	uint32_t from, to; /* bytes of the view */
};

/* One match of a pattern: where each of its parts is. */
struct mm_chain {
	unsigned count;
	struct mm_range parts[MM_PATTERN_PARTS_MAX];
};

/* A hit from which the rest of the pattern can be completed. */
struct mm_link {
	uint32_t hit;
	uint32_t next; /* index among the links of the next part */
};

struct mm_join_room {
	struct mm_link links[MM_PATTERN_PARTS_MAX][MM_HITS_PART_MAX];
};

/* Calls `each` for every match of `pattern`, in the order of the first part's hits. */
void mm_join(const struct mm_view_hits *view, const struct mm_folded *folded,
	     const struct mm_pattern *pattern, struct mm_join_room *room,
	     void (*each)(void *self, const struct mm_chain *chain), void *self);

/* True when bytes [from, to) of the view hold at most `characters` and no end of a sentence. */
bool mm_gap_is_open(const struct mm_folded *folded, size_t from, size_t to, unsigned characters);

#endif
