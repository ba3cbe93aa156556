/*
 * release: how much of a reply may be shown while it is still being made (floor 4).
 *
 * Shape    words of a model go in as they come, and what may go out comes out. Held back are
 *            an end that may be the beginning of a placeholder, of a mark of a source
 *            (ai/citation.h), or of a character
 *            everything from the moment on that the whole text so far does not pass the judge, until
 *            a longer one passes: a condition at the end of a sentence can mend its beginning
 *          So no text is ever shown that the judge, asked about all of it, objected to
 * Units    bytes
 * Own      struct mm_release is a plain value, whose buffers live in the arena of the turn; parts that
 *          are returned are borrowed until the next call
 * Errors   MM_NO_MEMORY; MM_BAD_INPUT: no UTF-8. The parts shown before stay shown
 * Threads  one
 *
 * Whether the whole reply is good is decided elsewhere, at its end. Text that the judge is asked about
 * grows with each part, so the cost of a reply grows with the square of its length; the judge may bound
 * that by objecting to what is too long.
 */
#ifndef MM_SERVICE_RELEASE_H
#define MM_SERVICE_RELEASE_H

#include "base/buffer.h"
#include "text/pii_mask.h"

struct mm_release_judge {
	/* Whether a text may be shown; unknown: placeholders in it that stand for nothing. */
	bool (*is_good)(void *context, const char *text, size_t length, size_t unknown);
	void *context;
};

struct mm_release {
	const struct mm_pii_mask *mask;
	struct mm_release_judge judge;
	size_t source_count;
	struct mm_arena *arena;
	struct mm_buffer tail; /* heard and not unmasked, because it may go on */
	struct mm_buffer text; /* unmasked */
	size_t shown;          /* bytes of it */
	size_t unknown;
};

/* Nothing is heard. The mask is borrowed. Marks of sources are taken out where there are sources. */
void mm_release_init(struct mm_release *release, const struct mm_pii_mask *mask,
		     size_t source_count, const struct mm_release_judge *judge,
		     struct mm_arena *arena);

/* Takes more words; *part_out is what may be shown beyond what was, maybe empty. */
enum mm_status mm_release_add(struct mm_release *release, const char *words, size_t length,
			      const char **part_out, size_t *part_length_out, struct mm_error *err);

/* What was heard is void: the next words begin another reply. True: something of it was shown. */
bool mm_release_forget(struct mm_release *release);

#endif
