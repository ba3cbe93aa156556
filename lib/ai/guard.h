/*
 * guard: looks at a model's reply before it goes out (floor 3).
 *
 * Shape    facts in, a verdict out: a set of codes and one place for each. What is done with a
 *          reply that has findings (another provider, a person) is the caller's business
 * Units    places are code points of the reply; max_code_points likewise
 * Own      facts are borrowed for the call; the verdict is a plain value
 * Errors   MM_BAD_INPUT: the reply is not valid UTF-8; MM_NO_MEMORY
 * Threads  pure functions over const tables
 *
 * Promises and legal statements are looked for sentence by sentence with the phrases of
 * guard_phrases.c, in Japanese and English. Conditions (場合, if) and announcements of a check
 * (確認いたします) are no promise, and neither is what a source says in the same words. The
 * disadvantage: a promise in words that are not in the table passes, so the prompt must forbid it
 * too. Whether the reply is abusive the detector says; the caller passes its verdict in.
 * Time is linear in the lengths of reply, prompt and sources.
 */
#ifndef MM_AI_GUARD_H
#define MM_AI_GUARD_H

#include <stdint.h>

#include "ai/replies.h"
#include "base/arena.h"
#include "base/status.h"
#include "detect/labels.h"

enum mm_guard_code {
	MM_GUARD_EMPTY,        /* nothing but spaces */
	MM_GUARD_TOO_LONG,     /* more than max_code_points */
	MM_GUARD_LANGUAGE,     /* not in the customer's language */
	MM_GUARD_ABUSE,        /* the detector calls it harassment */
	MM_GUARD_REFUND,       /* promises money back */
	MM_GUARD_COMPENSATION, /* promises compensation, a discount, a gift */
	MM_GUARD_LEGAL,        /* admits liability or says what the law is */
	MM_GUARD_CANARY,       /* has the mark of the prompt in it */
	MM_GUARD_PROMPT,       /* repeats a long passage of the prompt */
	MM_GUARD_PLACEHOLDER,  /* a placeholder of pii_mask that stands for nothing */
	MM_GUARD__MAX
};

/* "reply_empty", "promise_of_refund" and so on; "unknown" when out of range. */
const char *mm_guard_code_name(enum mm_guard_code code);

struct mm_guard_text {
	const char *text;
	size_t length;
};

struct mm_guard_facts {
	struct mm_guard_text reply;
	enum mm_language language;           /* the customer's */
	enum mm_severity severity;           /* the detector's verdict on the reply */
	size_t max_code_points;              /* 0: any length */
	struct mm_guard_text prompt;         /* the instructions, without sources; may be empty */
	const char *canary;                  /* a random word that stands in the prompt, or NULL */
	const struct mm_guard_text *sources; /* what the reply may say in the same words */
	size_t source_count;
	size_t unknown_placeholders; /* as mm_pii_unmask counted them */
};

struct mm_guard_finding {
	enum mm_guard_code code;
	uint32_t start, end; /* the first place; the whole reply where there is none */
};

struct mm_guard_verdict {
	unsigned set;                                    /* bits of enum mm_guard_code */
	struct mm_guard_finding findings[MM_GUARD__MAX]; /* one for each code, in their order */
	size_t count;                                    /* 0: the reply may go out */
};

enum mm_status mm_guard_check(const struct mm_guard_facts *facts, struct mm_guard_verdict *out,
			      struct mm_arena *arena, struct mm_error *err);

#endif
