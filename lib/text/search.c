/* search: asks an index; how it is made is search_build.c. */
#include "config.h"

#include "text/search.h"

#include <stdlib.h>
#include <string.h>

#include "text/search_internal.h"
#include "text/search_terms.h"

enum { TERMS_READ_MAX = 4096 };

static const float WEAK = 0.3F;        /* what a weak term counts */
static const float OTHER_GROUP = 0.5F; /* what a document of another group counts */

void mm_search_free(struct mm_search *search)
{
	if (!search)
		return;
	free(search->terms);
	free(search->postings);
	free(search->groups);
	free(search);
}

size_t mm_search_bytes(const struct mm_search *search)
{
	return sizeof(*search) + search->slot_count * sizeof(*search->terms) +
	       search->posting_bytes + search->document_count;
}

/* A term of the question. */
struct wanted {
	uint32_t key;
	float rarity;
	const struct mm_search_term *term; /* NULL: no document has it */
};

struct question {
	const struct mm_search *search;
	struct wanted *wanted; /* TERMS_READ_MAX of them */
	size_t count;
};

static void take_term(void *self, uint32_t key, bool is_weak)
{
	struct question *question = self;

	if (question->count == TERMS_READ_MAX)
		return;
	const struct mm_search_term *term = mm_search_slot(question->search, key);
	const float weight = is_weak ? WEAK : 1;
	question->wanted[question->count++] = (struct wanted){
	    key, weight * mm_search_rarity(question->search->document_count, term->documents),
	    term->documents ? term : NULL};
}

/* The rarest first, the same key side by side. */
static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *left = a, *right = b;

	if (left->rarity != right->rarity)
		return left->rarity > right->rarity ? -1 : 1;
	return left->key < right->key ? -1 : left->key > right->key;
}

/* Sorts the terms, drops what is there twice and what is too much; returns the sum of rarities. */
static float tidy(struct question *question)
{
	size_t kept = 0;
	float sum = 0;

	qsort(question->wanted, question->count, sizeof(*question->wanted), compare_wanted);
	for (size_t i = 0; i < question->count && kept < MM_SEARCH_TERMS_MAX; i++) {
		if (kept > 0 && question->wanted[kept - 1].key == question->wanted[i].key)
			continue;
		question->wanted[kept++] = question->wanted[i];
		sum += question->wanted[i].rarity;
	}
	question->count = kept;
	return sum;
}

/* Adds what a term says about its documents; `matches` may be NULL. */
static void add_postings(const struct mm_search *search, const struct wanted *wanted, float *scores)
{
	const uint8_t *at = search->postings + wanted->term->offset;
	const float weight = wanted->rarity / MM_SEARCH_IMPACT_MAX;
	uint32_t next = 0; /* the document before, plus one */

	for (uint32_t i = 0; i < wanted->term->documents; i++) {
		uint32_t distance = *at & 127;
		for (unsigned shift = 7; *at++ & 128; shift += 7)
			distance |= (uint32_t)(*at & 127) << shift;
		next += distance;
		scores[next - 1] += weight * *at++;
	}
}

/* Keeps the hits sorted; a later document does not displace an equal one. */
static size_t insert(struct mm_search_hit *hits, size_t count, size_t max, struct mm_search_hit hit)
{
	size_t at = count < max ? count++ : max;

	while (at > 0 && hits[at - 1].score < hit.score) {
		if (at < max)
			hits[at] = hits[at - 1];
		at--;
	}
	if (at < max)
		hits[at] = hit;
	return count;
}

static size_t choose(const struct mm_search *search, const float *scores, float sum, uint8_t group,
		     struct mm_search_hit *hits, size_t max)
{
	size_t count = 0;
	float least = 0;

	for (size_t i = 0; i < search->document_count; i++) {
		if (scores[i] <= least)
			continue;
		const float score =
		    search->groups[i] == group ? scores[i] : scores[i] * OTHER_GROUP;
		count = insert(hits, count, max,
			       (struct mm_search_hit){(uint32_t)i, score, score / sum});
		if (count == max)
			least = hits[max - 1].score;
	}
	return count;
}

static enum mm_status find_folded(const struct mm_search *search, const struct mm_folded *folded,
				  uint8_t group, struct mm_search_hit *hits, size_t max,
				  size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct question question = {
	    .search = search,
	    .wanted = mm_arena_alloc(arena, TERMS_READ_MAX * sizeof(struct wanted))};
	float *scores = mm_arena_array(arena, search->document_count, sizeof(*scores));

	if (!question.wanted || !scores)
		return mm_error_cause(err, MM_NO_MEMORY, "search: no memory");
	mm_search_terms(folded, take_term, &question);
	const float sum = tidy(&question);
	for (size_t i = 0; i < question.count; i++)
		if (question.wanted[i].term)
			add_postings(search, &question.wanted[i], scores);
	*count_out = max > 0 && sum > 0 ? choose(search, scores, sum, group, hits, max) : 0;
	return MM_OK;
}

enum mm_status mm_search_find(const struct mm_search *search, const char *text, size_t length,
			      uint8_t group, struct mm_search_hit *hits, size_t max,
			      size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_folded folded;
	enum mm_status status = mm_fold(text, length, MM_FOLD_PLAIN, &folded, arena, err);

	if (status != MM_OK)
		return status;
	return find_folded(search, &folded, group, hits, max, count_out, arena, err);
}
