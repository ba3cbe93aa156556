/*
 * search_terms: what a text is made of, for searching (floor 1, private to lib/text).
 *
 * Shape    a term is a number: two neighbouring characters of Japanese, or the stem of a word in
 *          Latin letters or digits. Polite phrases and little words are no terms
 * Own      nothing is kept
 * Errors   none: texts are folded, so they are valid
 * Threads  pure
 * Source   M. F. Porter: An algorithm for suffix stripping (1980), of which this is the lightest
 *          part; character bigrams for Japanese: Fujii and Croft (SIGIR 1993)
 *
 * Two terms may share a number: one in four thousand million pairs of words, and characters beyond
 * the basic plane. A search then finds a little too much.
 */
#ifndef MM_TEXT_SEARCH_TERMS_H
#define MM_TEXT_SEARCH_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "text/fold.h"

/* A term is weak when it is made of kana: most such pairs are grammar. */
typedef void mm_search_visit(void *self, uint32_t term, bool is_weak);

/* Calls for every term of a text folded PLAIN, in order, as often as it stands there. */
void mm_search_terms(const struct mm_folded *text, mm_search_visit *visit, void *self);

#endif
