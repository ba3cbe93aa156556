/* join.c: joins the hits of pattern parts. Whether a match means anything is resolve.c's business. */
#include "config.h"

#include "detect/join.h"

#include <string.h>

/* A sentence ends at 。 ! ? and newline; at a full stop only before a blank or the end. */
static bool ends_sentence(const struct mm_folded *folded, size_t at)
{
	const char *text = folded->text + at;

	switch (*text) {
	case '!':
	case '?':
	case '\n':
		return true;
	case '.':
		return text[1] == ' ' || text[1] == '\n' || text[1] == '\0';
	case '\xe3':
		return at + 3 <= folded->length && memcmp(text, "。", 3) == 0;
	default:
		return false;
	}
}

bool mm_gap_is_open(const struct mm_folded *folded, size_t from, size_t to, unsigned characters)
{
	unsigned seen = 0;

	if (to > from && to - from > (size_t)characters * 4)
		return false;
	for (size_t at = from; at < to; at++) {
		if (((unsigned char)folded->text[at] & 0xc0) == 0x80)
			continue;
		if (++seen > characters || ends_sentence(folded, at))
			return false;
	}
	return true;
}

/* The links of the last part: all its hits. */
static uint32_t link_last(const struct mm_view_hits *view, uint32_t part, struct mm_link *links)
{
	uint32_t count = 0;

	for (uint32_t hit = mm_hits_of(view, part); hit != MM_NO_HIT; hit = view->hits[hit].next)
		links[count++] = (struct mm_link){.hit = hit};
	return count;
}

/* The first link whose hit begins at `from` or later. */
static uint32_t find_link(const struct mm_view_hits *view, const struct mm_link *links,
			  uint32_t count, uint32_t from)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (view->hits[links[middle].hit].from < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The links of a part: its hits that are followed by a link of the next part. */
static uint32_t link_part(const struct mm_view_hits *view, const struct mm_folded *folded,
			  uint32_t part, unsigned gap, const struct mm_link *following,
			  uint32_t following_count, struct mm_link *links)
{
	uint32_t count = 0;

	for (uint32_t hit = mm_hits_of(view, part); hit != MM_NO_HIT; hit = view->hits[hit].next) {
		uint32_t end = view->hits[hit].to;
		uint32_t next = find_link(view, following, following_count, end);

		if (next < following_count &&
		    mm_gap_is_open(folded, end, view->hits[following[next].hit].from, gap))
			links[count++] = (struct mm_link){.hit = hit, .next = next};
	}
	return count;
}

static void report_chains(const struct mm_view_hits *view, const struct mm_pattern *pattern,
			  const struct mm_join_room *room, uint32_t count,
			  void (*each)(void *self, const struct mm_chain *chain), void *self)
{
	for (uint32_t i = 0; i < count; i++) {
		struct mm_chain chain = {.count = pattern->part_count};
		uint32_t link = i;

		for (unsigned part = 0; part < chain.count; part++) {
			const struct mm_hit *hit = &view->hits[room->links[part][link].hit];

			chain.parts[part] = (struct mm_range){hit->from, hit->to};
			link = room->links[part][link].next;
		}
		each(self, &chain);
	}
}

static bool has_all_parts(const struct mm_view_hits *view, const struct mm_pattern *pattern)
{
	for (unsigned part = 1; part < pattern->part_count; part++)
		if (mm_hits_of(view, pattern->parts[part]) == MM_NO_HIT)
			return false;
	return true;
}

void mm_join(const struct mm_view_hits *view, const struct mm_folded *folded,
	     const struct mm_pattern *pattern, struct mm_join_room *room,
	     void (*each)(void *self, const struct mm_chain *chain), void *self)
{
	unsigned last = pattern->part_count - 1u;
	uint32_t count;

	if (!has_all_parts(view, pattern))
		return;
	count = link_last(view, pattern->parts[last], room->links[last]);
	for (unsigned part = last; part > 0 && count > 0; part--)
		count = link_part(view, folded, pattern->parts[part - 1], pattern->gaps[part],
				  room->links[part], count, room->links[part - 1]);
	report_chains(view, pattern, room, count, each, self);
}
