/*
 * builtin: the responder that needs no key and no network (floor 3).
 *
 * It places a message by its intents and answers with the text of replies.conf in the customer's
 * language. It cannot know anything about an order; it says what will be checked and asks for
 * what is missing. The first of the request's sources, an article, is given instead, unless the
 * message is about an order that the customer has named. A message that neither answers gets the
 * fallback text, which says so and offers a person, and is_fallback.
 */
#ifndef MM_AI_BUILTIN_H
#define MM_AI_BUILTIN_H

#include "ai/provider.h"
#include "ai/replies.h"

/* A provider over `replies`, which must outlive it. Plain value; nothing to free. */
struct mm_provider mm_builtin_provider(const struct mm_replies *replies);

#endif
