/*
 * replies: the texts that Mamori answers with, from replies.conf (floor 3).
 *
 * Shape    a table of language x key; opaque, immutable after loading
 * Own      texts are borrowed from the table and live as long as it does
 * Errors   a missing key, an unknown key or a wrong line is MM_BAD_INPUT with file and line
 * Threads  a loaded table may be read by any number of threads
 */
#ifndef MM_AI_REPLIES_H
#define MM_AI_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

enum mm_language { MM_LANGUAGE_JA, MM_LANGUAGE_EN, MM_LANGUAGE__MAX };

enum mm_reply_key {
	MM_REPLY_GREETING,
	MM_REPLY_THANKS,
	MM_REPLY_SHIPPING,
	MM_REPLY_SHIPPING_ASK,
	MM_REPLY_RETURNS,
	MM_REPLY_RETURNS_ASK,
	MM_REPLY_DEFECT,
	MM_REPLY_DEFECT_ASK,
	MM_REPLY_ACCOUNT,
	MM_REPLY_BILLING,
	MM_REPLY_COMPLAINT_ASK,
	MM_REPLY_FALLBACK,
	MM_REPLY_APOLOGY,
	MM_REPLY_HANDOFF_SEVERITY,
	MM_REPLY_HANDOFF_HUMAN_REQUESTED,
	MM_REPLY_HANDOFF_ANGER,
	MM_REPLY_HANDOFF_FALLBACK,
	MM_REPLY_HANDOFF_SELF_HARM,
	MM_REPLY__MAX
};

struct mm_replies;

/* Reads `path`. Every key must be there in every language. */
enum mm_status mm_replies_load(const char *path, struct mm_replies **out, struct mm_error *err);

/* Frees a table; NULL is allowed. */
void mm_replies_free(struct mm_replies *replies);

/* The text of `key`; never NULL. Borrowed. */
const char *mm_replies_text(const struct mm_replies *replies, enum mm_language language,
			    enum mm_reply_key key);

/* Whether `text` is, to the letter, a reply that answers nothing: the bot has no answer, a person
 * will come. */
bool mm_replies_is_no_answer(const struct mm_replies *replies, const char *text, size_t length);

/* What stands in for a placeholder; NULL leaves the placeholder out. */
struct mm_reply_values {
	const char *order;
	const char *name;
};

/*
 * The text of `key` with its placeholders filled, returned in `arena`; NULL when out of memory.
 */
const char *mm_replies_fill(const struct mm_replies *replies, enum mm_language language,
			    enum mm_reply_key key, const struct mm_reply_values *values,
			    struct mm_arena *arena);

/* Japanese if the text holds kana or a Chinese character, else English. `text` is valid UTF-8. */
enum mm_language mm_language_of(const char *text, size_t length);

#endif
