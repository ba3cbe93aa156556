/*
 * search_internal: the index as search_build.c makes it and search.c reads it (floor 1, private to
 * lib/text).
 *
 * Shape    an open hash table of terms; a term's postings are bytes from `offset` on: for each
 *          document the distance to the one before (7 bits a byte, the last below 128; the first
 *          counts from -1), then its impact
 * Own      malloc'ed, ended by mm_search_free
 */
#ifndef MM_TEXT_SEARCH_INTERNAL_H
#define MM_TEXT_SEARCH_INTERNAL_H

#include <math.h>

#include "text/search.h"

enum { MM_SEARCH_IMPACT_MAX = 255 };

struct mm_search_term {
	uint32_t key;
	uint32_t documents; /* 0: the slot is empty */
	uint32_t offset;    /* of its postings */
};

struct mm_search {
	struct mm_search_term *terms;
	size_t slot_count, term_count; /* slots: a power of two */
	uint8_t *postings;
	size_t posting_bytes;
	uint8_t *groups; /* per document */
	size_t document_count;
};

/* The slot of a key, or the empty one where it belongs. */
static inline struct mm_search_term *mm_search_slot(const struct mm_search *search, uint32_t key)
{
	size_t mask = search->slot_count - 1;
	size_t at = (key * 2654435761u >> 4) & mask;

	while (search->terms[at].documents != 0 && search->terms[at].key != key)
		at = (at + 1) & mask;
	return &search->terms[at];
}

/* How much a term says that so many of all documents have. */
static inline float mm_search_rarity(size_t all, size_t having)
{
	return logf(1.0F + ((float)all - (float)having + 0.5F) / ((float)having + 0.5F));
}

#endif
