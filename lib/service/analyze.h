/*
 * analyze: judge messages, keep the judgements (floor 4).
 *
 * Shape    a JSON body in, the JSON of the answer out; {"message"} gives one result,
 *          {"messages": [...]} gives {"results": [...]} in the same order
 * Errors   MM_BAD_INPUT and MM_TOO_LARGE name the field; MM_BUSY when nothing can keep the
 *          judgements: then nothing was answered and nothing was stored
 * Threads  any number at once over one runtime
 *
 * With use_ai a model is asked about each message, one after the other, until ai.deadline_ms is over;
 * what it says is merged as ai/opinion.h has it. Without a provider in ai.chain, `ai_analysis` stays
 * null.
 */
#ifndef MM_SERVICE_ANALYZE_H
#define MM_SERVICE_ANALYZE_H

#include "base/buffer.h"
#include "service/keep.h"
#include "service/runtime.h"
#include "text/json.h"

struct mm_analyze_request {
	struct json_object *body;
	const char *request_id;             /* goes into the record */
	const struct mm_deferral *deferral; /* NULL: wait until the record is durable */
};

/*
 * Answers one request into `out`. Needs the runtime's detector. With a journal the answer may
 * leave only when the results are durable, which is when this returns, or when the deferral
 * releases it; all messages of a request are one record. Without a journal nothing is stored.
 */
enum mm_status mm_analyze(struct mm_runtime *runtime, const struct mm_analyze_request *request,
			  struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err);

#endif
