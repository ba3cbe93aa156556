/*
 * pii_mask: personal data taken out of texts that leave, and put back into what comes (floor 1).
 *
 * Shape    struct mm_pii_mask is opaque: the values seen so far and their placeholders. One mask
 *          serves all texts of one conversation that go out together, so that the same value has
 *          the same placeholder in each
 * Units    lengths are bytes
 * Own      everything lives in the arena given to mm_pii_mask_new, texts that are returned too
 * Errors   MM_BAD_INPUT: not valid UTF-8; MM_NO_MEMORY. Outputs are untouched unless MM_OK
 * Threads  a mask belongs to one thread
 *
 * A placeholder is the kind in capitals and a number in brackets: [PHONE_1], [ADDRESS_2]. A reader
 * of the masked text still sees what kind of thing stands there. Two spellings of one number are
 * two values. What pii.h does not find is not masked. Time is linear in the length.
 */
#ifndef MM_TEXT_PII_MASK_H
#define MM_TEXT_PII_MASK_H

#include "text/pii.h"

struct mm_pii_mask;

/* Makes an empty mask; NULL when out of memory. */
struct mm_pii_mask *mm_pii_mask_new(struct mm_arena *arena);

struct mm_pii_masked {
	const char *text; /* NUL-terminated */
	size_t length;
	const struct mm_pii_span *spans; /* in the text that was given */
	size_t count;
};

/* Masks one text. Without personal data out->text is a copy. */
enum mm_status mm_pii_mask_text(struct mm_pii_mask *mask, const char *text, size_t length,
				struct mm_pii_masked *out, struct mm_error *err);

/*
 * Puts the values back: [PHONE_1], also in small letters or with ［］ or 【】, as models write it. A
 * placeholder that stands for nothing stays, and is counted in *unknown_out (NULL: not wanted).
 */
enum mm_status mm_pii_unmask(const struct mm_pii_mask *mask, const char *text, size_t length,
			     const char **out, size_t *length_out, size_t *unknown_out,
			     struct mm_error *err);

#endif
