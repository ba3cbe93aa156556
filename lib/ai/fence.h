/*
 * fence: text of others, marked as data for a model (floor 3).
 *
 * Own      what is returned lives in the arena
 * Errors   NULL: out of memory
 * Threads  pure functions
 *
 * A customer may write what looks like an instruction, or like the end of the customer's text. The
 * fence has a name that the customer cannot know, and the text loses what a person cannot see but a
 * model reads: control characters, zero-width and bidirectional signs, tag characters. That a
 * message tries it, the detector's `injection` signal says; a fence does not make a model obey.
 */
#ifndef MM_AI_FENCE_H
#define MM_AI_FENCE_H

#include <stddef.h>

#include "base/arena.h"

/*
 * "<KIND-NONCE>\ntext\n</KIND-NONCE>\n". `kind` is a word such as "customer_message" or "source";
 * `nonce` is one that was made for this request and that nobody can guess, such as an id. Where the
 * text has the nonce in it nevertheless, it is taken out. `text` is valid UTF-8.
 */
const char *mm_fence_text(const char *kind, const char *nonce, const char *text, size_t length,
			  struct mm_arena *arena);

/* A paragraph for the system prompt that says what the fences of this nonce mean. */
const char *mm_fence_rule(const char *nonce, struct mm_arena *arena);

#endif
