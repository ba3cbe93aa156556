/* search_build: makes an index in two passes: the first counts bytes, the second writes them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "text/search_internal.h"
#include "text/search_terms.h"

enum {
	SLOTS_FIRST = 1024,
	BAG_FIRST = 1024,
	TITLE_WEIGHT = 3,
	TAGS_WEIGHT = 3,
	BODY_WEIGHT = 1,
};

static const float SATURATION = 1.2F;    /* BM25's k1 */
static const float LENGTH_WEIGHT = 0.6F; /* BM25's b */
static const float LARGEST = 2.2F;       /* no impact is larger: k1 + 1 */

/* The terms of one document with their weighted counts; emptied by listing what was used. */
struct bag {
	uint32_t *keys, *counts, *used;
	size_t slots, count;
	uint32_t length, weight;
	bool has_failed;
};

/* What is kept per term while building. */
struct growth {
	uint32_t last;  /* document seen last, plus one */
	uint32_t bytes; /* of its postings; in the second pass, written so far */
};

struct build {
	struct mm_search *search;
	struct growth *growths; /* beside search->terms */
	struct bag bag;
	struct mm_arena *scratch;
	double total_length;
	float mean_length;
};

static bool grow_bag(struct bag *bag);

static void bag_add(struct bag *bag, uint32_t key, uint32_t count)
{
	if (bag->count * 2 >= bag->slots && !grow_bag(bag)) {
		bag->has_failed = true;
		return;
	}
	size_t at = (key * 2654435761u >> 4) & (bag->slots - 1);
	while (bag->counts[at] != 0 && bag->keys[at] != key)
		at = (at + 1) & (bag->slots - 1);
	if (bag->counts[at] == 0) {
		bag->keys[at] = key;
		bag->used[bag->count++] = (uint32_t)at;
	}
	bag->counts[at] += count;
}

static void free_bag(struct bag *bag)
{
	free(bag->keys);
	free(bag->counts);
	free(bag->used);
}

static bool open_bag(struct bag *bag, size_t slots)
{
	*bag = (struct bag){.keys = calloc(slots, sizeof(uint32_t)),
			    .counts = calloc(slots, sizeof(uint32_t)),
			    .used = calloc(slots, sizeof(uint32_t)),
			    .slots = slots};
	if (bag->keys && bag->counts && bag->used)
		return true;
	free_bag(bag);
	*bag = (struct bag){0};
	return false;
}

static bool grow_bag(struct bag *bag)
{
	struct bag larger;

	if (!open_bag(&larger, bag->slots * 2))
		return false;
	larger.length = bag->length;
	larger.weight = bag->weight;
	for (size_t i = 0; i < bag->count; i++)
		bag_add(&larger, bag->keys[bag->used[i]], bag->counts[bag->used[i]]);
	free_bag(bag);
	*bag = larger;
	return true;
}

static void empty_bag(struct bag *bag)
{
	for (size_t i = 0; i < bag->count; i++)
		bag->counts[bag->used[i]] = 0;
	bag->count = 0;
	bag->length = 0;
}

static void take_term(void *self, uint32_t term, bool is_weak)
{
	struct bag *bag = self;

	(void)is_weak;
	bag->length += bag->weight;
	bag_add(bag, term, bag->weight);
}

static enum mm_status fill_bag(struct build *build, const struct mm_search_document *document,
			       struct mm_error *err)
{
	const struct {
		const char *text;
		uint32_t weight;
	} fields[] = {{document->title, TITLE_WEIGHT},
		      {document->tags, TAGS_WEIGHT},
		      {document->body, BODY_WEIGHT}};
	struct mm_folded folded;

	empty_bag(&build->bag);
	mm_arena_reset(build->scratch);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		enum mm_status status = mm_fold(fields[i].text, strlen(fields[i].text),
						MM_FOLD_PLAIN, &folded, build->scratch, err);
		if (status != MM_OK)
			return status;
		build->bag.weight = fields[i].weight;
		mm_search_terms(&folded, take_term, &build->bag);
	}
	if (build->bag.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "search: no memory for an article");
	return MM_OK;
}

#if defined(__GNUC__) && !defined(__clang__)
/* gcc 12 takes what the members of build->search point to for lost; mm_search_free frees it, and the
 * tests run under LeakSanitizer. */
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

static bool open_terms(struct build *build, size_t slots)
{
	build->search->terms = calloc(slots, sizeof(*build->search->terms));
	build->growths = calloc(slots, sizeof(*build->growths));
	build->search->slot_count = slots;
	return build->search->terms && build->growths;
}

static bool grow_terms(struct build *build)
{
	struct mm_search_term *terms = build->search->terms;
	struct growth *growths = build->growths;
	size_t slots = build->search->slot_count;
	bool is_open = open_terms(build, slots * 2);

	for (size_t i = 0; i < slots && is_open; i++) {
		if (terms[i].documents == 0)
			continue;
		struct mm_search_term *slot = mm_search_slot(build->search, terms[i].key);
		*slot = terms[i];
		build->growths[slot - build->search->terms] = growths[i];
	}
	free(terms);
	free(growths);
	return is_open;
}

static unsigned distance_bytes(uint32_t distance)
{
	unsigned bytes = 1;

	for (; distance >= 128; distance >>= 7)
		bytes++;
	return bytes;
}

/* First pass: how many documents and bytes each term has. */
static enum mm_status count_document(struct build *build, uint32_t number, struct mm_error *err)
{
	struct mm_search *search = build->search;

	for (size_t i = 0; i < build->bag.count; i++) {
		if ((search->term_count + 1) * 4 > search->slot_count * 3 && !grow_terms(build))
			return mm_error_cause(err, MM_NO_MEMORY, "search: no memory for terms");
		uint32_t key = build->bag.keys[build->bag.used[i]];
		struct mm_search_term *term = mm_search_slot(search, key);
		struct growth *growth = &build->growths[term - search->terms];
		search->term_count += term->documents == 0;
		term->key = key;
		term->documents++;
		growth->bytes += distance_bytes(number + 1 - growth->last) + 1;
		growth->last = number + 1;
	}
	build->total_length += build->bag.length;
	return MM_OK;
}

/* Between the passes: every term gets its place. */
static enum mm_status place_terms(struct build *build, struct mm_error *err)
{
	struct mm_search *search = build->search;
	size_t offset = 0;

	for (size_t i = 0; i < search->slot_count; i++) {
		search->terms[i].offset = (uint32_t)offset;
		offset += build->growths[i].bytes;
		build->growths[i] = (struct growth){0};
	}
	if (offset > UINT32_MAX)
		return mm_error_cause(err, MM_NO_MEMORY, "search: too many articles");
	search->posting_bytes = offset;
	search->postings = malloc(offset + 1);
	if (!search->postings)
		return mm_error_cause(err, MM_NO_MEMORY, "search: no memory for the index");
	build->mean_length = search->document_count == 0
				 ? 1
				 : (float)(build->total_length / (double)search->document_count);
	return MM_OK;
}

static uint8_t impact_of(const struct build *build, uint32_t count)
{
	float length = (float)build->bag.length / build->mean_length;
	float damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length);
	float impact = (float)count * (SATURATION + 1) / ((float)count + damping);

	return (uint8_t)(impact / LARGEST * MM_SEARCH_IMPACT_MAX + 0.5F);
}

/* Second pass. */
static void write_document(struct build *build, uint32_t number)
{
	struct mm_search *search = build->search;

	for (size_t i = 0; i < build->bag.count; i++) {
		uint32_t slot = build->bag.used[i];
		struct mm_search_term *term = mm_search_slot(search, build->bag.keys[slot]);
		struct growth *growth = &build->growths[term - search->terms];
		uint32_t distance = number + 1 - growth->last;
		uint8_t *at = search->postings + term->offset + growth->bytes;
		uint8_t *begin = at;
		for (; distance >= 128; distance >>= 7)
			*at++ = (uint8_t)(distance & 127) | 128;
		*at++ = (uint8_t)distance;
		*at++ = impact_of(build, build->bag.counts[slot]);
		growth->bytes += (uint32_t)(at - begin);
		growth->last = number + 1;
	}
}

static enum mm_status run_passes(struct build *build, const struct mm_search_document *documents,
				 struct mm_error *err)
{
	size_t count = build->search->document_count;
	enum mm_status status = MM_OK;

	for (size_t i = 0; i < count && status == MM_OK; i++) {
		build->search->groups[i] = documents[i].group;
		status = fill_bag(build, &documents[i], err);
		if (status == MM_OK)
			status = count_document(build, (uint32_t)i, err);
	}
	if (status == MM_OK)
		status = place_terms(build, err);
	for (size_t i = 0; i < count && status == MM_OK; i++) {
		status = fill_bag(build, &documents[i], err);
		if (status == MM_OK)
			write_document(build, (uint32_t)i);
	}
	return status;
}

enum mm_status mm_search_build(const struct mm_search_document *documents, size_t count,
			       struct mm_search **out, struct mm_error *err)
{
	struct build build = {.search = calloc(1, sizeof(*build.search)),
			      .scratch = mm_arena_new(0)};
	enum mm_status status = MM_NO_MEMORY;

	if (build.search && build.scratch && count < UINT32_MAX) {
		build.search->document_count = count;
		build.search->groups = calloc(count + 1, 1);
		if (build.search->groups && open_terms(&build, SLOTS_FIRST) &&
		    open_bag(&build.bag, BAG_FIRST))
			status = run_passes(&build, documents, err);
		else
			mm_error_cause(err, status, "search: no memory");
	} else {
		mm_error_cause(err, status, "search: no memory");
	}
	mm_arena_free(build.scratch);
	free_bag(&build.bag);
	free(build.growths);
	if (status == MM_OK)
		*out = build.search;
	else
		mm_search_free(build.search);
	return status;
}
