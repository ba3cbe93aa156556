/*
 * grounding: what a model is told of the company's articles (floor 3).
 *
 * Own      what is returned lives in the arena, or is `prompt` itself
 * Errors   NULL: out of memory
 * Threads  any
 *
 * Sources go into the system prompt, each inside a fence (fence.h) with a nonce of its own request:
 * an article may have been copied from anywhere, and is data too. A model marks what it uses as
 * citation.h says.
 */
#ifndef MM_AI_GROUNDING_H
#define MM_AI_GROUNDING_H

#include "ai/provider.h"

/* `prompt` with the request's sources behind it; with the order to say that the answer is not known
 * where it is grounded and has none; unchanged where it is not grounded or wants a document. */
const char *mm_grounding_prompt(const char *prompt, const struct mm_ai_request *request,
				struct mm_arena *arena);

#endif
