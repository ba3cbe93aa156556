/*
 * disguise: where the squeezed view says something that the plain view does not (floor 2, private
 * to this folder).
 *
 * Units    bytes of the views; source places are code points of the message
 */
#ifndef MM_DETECT_DISGUISE_H
#define MM_DETECT_DISGUISE_H

#include "text/fold.h"

/* The first byte of the plain view made from code point `source` or a later one. */
uint32_t mm_plain_byte(const struct mm_folded *plain, uint32_t source);

/*
 * True when bytes [from, to) of the squeezed view are worth a scan of their own. False when they
 * are as in the plain view, but for small kana written large that stood where they belong (っ, and
 * ゃ ゅ ょ after き し ち …), as in most sentences: what is found in them, the plain view has too.
 */
bool mm_disguise_is_there(const struct mm_folded *plain, const struct mm_folded *squeezed,
			  size_t from, size_t to);

/* How many characters of bytes [from, to) of a view are neither letters, digits nor ー. */
uint32_t mm_disguise_signs(const struct mm_folded *view, size_t from, size_t to);

/* True when a letter of bytes [from, to) of the plain view was sent in an odd form (full width,
 * circled, mathematical, small capital), or with invisible characters or marks in it. `offsets`
 * are the bytes of the message's code points. */
bool mm_disguise_is_odd(const struct mm_folded *plain, size_t from, size_t to, const char *utf8,
			const uint32_t *offsets);

#endif
