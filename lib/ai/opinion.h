/*
 * opinion: what a model thinks of one message, and what becomes of the analysis by it (floor 3).
 *
 * Shape    plain values; a question goes through a struct mm_provider with a JSON schema, which each
 *          vendor enforces by its own mechanism
 * Units    confidence lies in 0..1, times are milliseconds
 * Own      texts live in the arena of the call; provider and model are the provider's own
 * Errors   MM_UPSTREAM, MM_TIMEOUT: nobody gave an opinion that is one; MM_NO_MEMORY
 * Threads  any
 *
 * The message is fenced as data: what it says to the model is text to be judged (fence.h). An answer
 * counts only when every member is there, known and in range; the chain otherwise asks the next
 * provider.
 *
 * Merging, with P the own confidence, Q the model's, kept to MM_OPINION_TRUST_MAX:
 *   ignored   Q < 0.5, or one of the conditions below is missing: nothing changes
 *   agreed    both say harassment, or both do not, and the severity stays: confidence = max(P, Q)
 *   raised    the model's severity is higher: it becomes that, at most high, with the model's
 *             categories beside the own ones and a finding MM_OPINION_RULE about the whole message;
 *             confidence = Q, or max(P, Q) if it was harassment before
 *   lowered   the model's severity is lower, Q >= 0.7, and rules and the learned model were
 *             themselves in dispute: it becomes that, never less than `firm` (what a rule says for
 *             certain: threats that are critical, a site's own rules, the conversation's findings);
 *             findings above it fall; confidence = Q
 * The own sentiment and the signals stay.
 */
#ifndef MM_AI_OPINION_H
#define MM_AI_OPINION_H

#include "ai/provider.h"

#define MM_OPINION_RULE      "ai.opinion"
#define MM_OPINION_TRUST_MAX 0.95

enum { MM_OPINION_EXPLANATION_MAX = 400 }; /* code points */

struct mm_opinion {
	enum mm_severity severity;
	unsigned categories; /* empty below medium, else not */
	enum mm_sentiment sentiment;
	double confidence;       /* that `severity` is harassment or not, rightly */
	const char *explanation; /* the model's own words */
};

struct mm_opinion_question {
	const char *text; /* masked */
	size_t length;
	const char *nonce; /* made for this request, and unknown to the customer */
	enum mm_language language;
	const struct mm_analysis *analysis;
	int64_t deadline_mono_ms;
	const char *request_id;
};

/* What an opinion came with. */
struct mm_opinion_answer {
	struct mm_opinion opinion;
	const char *provider, *model;
	int64_t latency_ms;
};

/* Asks. The answer is checked. */
enum mm_status mm_opinion_ask(const struct mm_provider *provider,
			      const struct mm_opinion_question *question,
			      struct mm_opinion_answer *out, struct mm_arena *arena,
			      struct mm_error *err);

/* Reads a model's answer; false: it is no opinion. `out` is untouched then. */
bool mm_opinion_read(const char *text, size_t length, struct mm_opinion *out,
		     struct mm_arena *arena);

enum mm_opinion_effect {
	MM_OPINION_IGNORED,
	MM_OPINION_AGREED,
	MM_OPINION_RAISED,
	MM_OPINION_LOWERED,
	MM_OPINION_EFFECT__MAX
};

/* "ignored", "agreed", "raised", "lowered". */
const char *mm_opinion_effect_name(enum mm_opinion_effect effect);

/*
 * Merges into the analysis of the message `text`, which findings are slices of. MM_NO_MEMORY: the
 * analysis is as it was.
 */
enum mm_status mm_opinion_merge(const struct mm_opinion *opinion, const char *text, size_t length,
				struct mm_analysis *analysis, enum mm_opinion_effect *effect_out,
				struct mm_arena *arena, struct mm_error *err);

#endif
