/*
 * search: which of many short articles answers a question (floor 1).
 *
 * Shape    struct mm_search is opaque and immutable: an inverted index in memory. It keeps no text:
 *          a document is its number in the array that the index was built from
 * Units    memory is bytes; scores have no unit
 * Own      mm_search_build returns an index that mm_search_free ends; documents are borrowed for the
 *          build only
 * Errors   MM_NO_MEMORY; MM_BAD_INPUT: text that is not valid UTF-8. Outputs are untouched unless
 *          MM_OK
 * Threads  a built index may be searched by any number of threads
 * Source   S. Robertson and H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond
 *          (2009); terms are those of search_terms.h
 *
 * A posting is the distance to the document before it and its weight: two or three bytes. Title and
 * tags count more than the body. The disadvantage of words without meaning: a question that shares
 * no word with its article does not find it; tags are the place for other words.
 */
#ifndef MM_TEXT_SEARCH_H
#define MM_TEXT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

struct mm_search;

/* Texts are NUL-terminated UTF-8. */
struct mm_search_document {
	const char *title, *body, *tags;
	uint8_t group; /* the language, or what else divides them */
};

struct mm_search_hit {
	uint32_t document;
	float score; /* higher is better; comparable within one search only */
	float match; /* how much of the question is in the document, 0 to 1; for thresholds */
};

/* Builds an index of `count` documents; 0 is allowed. */
enum mm_status mm_search_build(const struct mm_search_document *documents, size_t count,
			       struct mm_search **out, struct mm_error *err);

/* NULL is allowed. */
void mm_search_free(struct mm_search *search);

/* Bytes that the index takes. */
size_t mm_search_bytes(const struct mm_search *search);

/*
 * Finds up to `max` documents, the best first; *count_out may be 0. Documents of another group than
 * `group` count for less. Only the rarest MM_SEARCH_TERMS_MAX terms of a long question are used.
 */
enum { MM_SEARCH_TERMS_MAX = 64 };
enum mm_status mm_search_find(const struct mm_search *search, const char *text, size_t length,
			      uint8_t group, struct mm_search_hit *hits, size_t max,
			      size_t *count_out, struct mm_arena *arena, struct mm_error *err);

#endif
