/*
 * second_opinion: a model's judgement of one message, merged into our own (floor 4).
 *
 * Shape    struct mm_second_opinion is a plain value; its JSON is `ai_analysis`
 * Own      texts live in the arena
 * Errors   MM_NO_MEMORY, MM_BAD_INPUT. That nobody gave an opinion is none: the analysis stays as it
 *          was and `failure` says why
 * Threads  any
 *
 * Personal data is masked before the message leaves and put back into the explanation. A message is
 * asked about once: a second time within an hour the same answer is taken (opinion_cache.h).
 */
#ifndef MM_SERVICE_SECOND_OPINION_H
#define MM_SERVICE_SECOND_OPINION_H

#include "ai/opinion.h"
#include "service/runtime.h"
#include "text/json_writer.h"

struct mm_second_opinion {
	enum mm_status failure; /* MM_OK: there is an opinion */
	struct mm_opinion_answer answer;
	enum mm_opinion_effect effect;
	bool is_cached;
};

struct mm_second_opinion_facts {
	const char *text;
	size_t length;
	enum mm_language language;
	const char *request_id;
	int64_t deadline_mono_ms; /* 0: ai.deadline_ms from now on */
};

/* Whether the chain has a provider that can be asked at all. */
bool mm_second_opinion_is_possible(const struct mm_runtime *runtime);

/* Asks, and merges the opinion into `analysis`. Needs MM_NEED_REPLIES of the runtime. */
enum mm_status mm_second_opinion_ask(struct mm_runtime *runtime,
				     const struct mm_second_opinion_facts *facts,
				     struct mm_analysis *analysis, struct mm_second_opinion *out,
				     struct mm_arena *arena, struct mm_error *err);

/* Writes {"provider": …, "effect": …}, or null for NULL. */
void mm_second_opinion_write(struct mm_json_writer *writer,
			     const struct mm_second_opinion *opinion);

#endif
