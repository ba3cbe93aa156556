/* chain: who is asked, how often, and what is made of a fault; speaks no vendor's protocol. */
#include "config.h"

#include "ai/chain.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ai/budget.h"
#include "ai/builtin.h"
#include "ai/chain_internal.h"
#include "ai/grounding.h"
#include "ai/reply_check.h"
#include "base/log.h"

enum {
	ATTEMPTS_MAX = 2,
	WAIT_MIN_MS = 250, /* before asking again, where the provider says nothing */
	TIME_MIN_MS = 300, /* less is not worth a question */
	RETRY_TIME_MS = 1500,
};

/* A question on its way along the chain. */
struct passage {
	struct mm_chain *chain;
	const struct mm_ai_request *request;
	const char *prompt;
	int64_t started_mono_ms;
	int64_t deadline_mono_ms; /* of the providers: the reserve is taken off */
	struct mm_arena *arena;
	struct mm_ai_reply *reply;
};

static int64_t mono(const struct passage *passage)
{
	return mm_clock_mono_ms(passage->chain->clock);
}

static int64_t utc(const struct passage *passage)
{
	return mm_clock_utc_ms(passage->chain->clock);
}

/* ---- admission */

static enum mm_fault take_place(struct mm_link *link)
{
	const int64_t under_way = atomic_fetch_add(&link->under_way, 1);
	if (under_way < link->settings->max_concurrent)
		return MM_FAULT_NONE;
	atomic_fetch_sub(&link->under_way, 1);
	return MM_FAULT_BUSY;
}

static enum mm_fault take_budget(const struct passage *passage, const struct mm_link *link,
				 struct mm_budget_promise *promise)
{
	const int64_t tokens = mm_remote_estimate(link->remote, passage->request, passage->prompt);
	return mm_budget_promise(link->account, link->settings->daily_tokens, tokens, utc(passage),
				 promise)
		   ? MM_FAULT_NONE
		   : MM_FAULT_BUDGET;
}

/* The breaker comes last: whoever it admits after a pause has to try. */
static enum mm_fault admit(const struct passage *passage, struct mm_link *link,
			   struct mm_budget_promise *promise)
{
	if (mono(passage) + TIME_MIN_MS > passage->deadline_mono_ms)
		return MM_FAULT_DEADLINE;
	enum mm_fault fault = take_place(link);
	if (fault != MM_FAULT_NONE)
		return fault;
	fault = take_budget(passage, link, promise);
	if (fault == MM_FAULT_NONE &&
	    !mm_breaker_admit(link->account, &passage->chain->breaker, utc(passage))) {
		mm_budget_settle(link->account, promise, 0);
		fault = MM_FAULT_BREAKER;
	}
	if (fault != MM_FAULT_NONE)
		atomic_fetch_sub(&link->under_way, 1);
	return fault;
}

static void leave(struct mm_link *link, const struct mm_budget_promise *promise, int64_t used)
{
	mm_budget_settle(link->account, promise, used);
	atomic_fetch_sub(&link->under_way, 1);
}

/* ---- judgement */

static bool is_in_language(const struct mm_ai_request *request,
			   const struct mm_remote_answer *answer)
{
	return request->schema || mm_reply_matches_language(request->text, request->length,
							    answer->text, answer->length);
}

static enum mm_fault judge(const struct passage *passage, const struct mm_remote_answer *answer)
{
	const struct mm_ai_watcher *watcher = &passage->request->watcher;
	if (answer->fault != MM_FAULT_NONE || answer->outcome != MM_AI_ANSWERED)
		return answer->fault;
	if (!is_in_language(passage->request, answer))
		return MM_FAULT_LANGUAGE;
	if (watcher->accept && !watcher->accept(watcher->context, answer->text, answer->length))
		return MM_FAULT_UNACCEPTED;
	return MM_FAULT_NONE;
}

static void log_fault(const struct passage *passage, const struct mm_link *link,
		      const struct mm_remote_answer *answer, enum mm_fault fault)
{
	mm_log(mm_fault_level(fault), passage->request->request_id,
	       "ai: %s: %s (model %s, http status %d, request %s)", mm_vendor_name(link->vendor),
	       mm_fault_name(fault), link->settings->model, answer->http_status,
	       answer->request_id[0] ? answer->request_id : "-");
}

/* What came, of whatever content, shows that the provider is there. */
static void tell_breaker(const struct passage *passage, struct mm_link *link,
			 const struct mm_remote_answer *answer, enum mm_fault fault)
{
	if (mm_fault_weight(fault) == MM_WEIGHT_NONE) {
		if (answer->http_status != 0)
			mm_breaker_succeed(link->account);
		return;
	}
	if (mm_breaker_fail(link->account, &passage->chain->breaker, fault, answer->retry_ms,
			    utc(passage)))
		mm_log(MM_LOG_WARNING, passage->request->request_id,
		       "ai: %s is left alone for a while", mm_vendor_name(link->vendor));
}

/* ---- asking */

/* Where a provider failed in the middle, what it said so far is void. */
static void take_back(const struct passage *passage, const struct mm_remote_answer *answer)
{
	const struct mm_ai_watcher *watcher = &passage->request->watcher;
	if (answer->has_delivered && watcher->on_delta)
		watcher->on_delta(watcher->context, NULL, 0);
}

static enum mm_fault ask_once(const struct passage *passage, struct mm_link *link,
			      struct mm_remote_answer *answer)
{
	atomic_fetch_add(&link->account->calls, 1);
	mm_remote_ask(link->remote, passage->request, passage->prompt, passage->deadline_mono_ms,
		      answer, passage->arena);
	const enum mm_fault fault = judge(passage, answer);
	tell_breaker(passage, link, answer, fault);
	if (fault != MM_FAULT_NONE)
		log_fault(passage, link, answer, fault);
	else
		atomic_fetch_add(&link->account->answers, 1);
	if (fault != MM_FAULT_NONE ||
	    (answer->outcome != MM_AI_ANSWERED && answer->outcome != MM_AI_STOPPED))
		take_back(passage, answer);
	return fault;
}

/* How long to wait before asking again, or -1: not again. */
static int64_t choose_wait(const struct passage *passage, enum mm_fault fault,
			   const struct mm_remote_answer *answer)
{
	const bool is_wanted =
	    answer->should_retry == 1 && mm_fault_weight(fault) != MM_WEIGHT_NONE;
	if (answer->should_retry == 0 || answer->has_delivered ||
	    !(mm_fault_is_retryable(fault) || is_wanted))
		return -1;
	int64_t wait = answer->retry_ms > 0 ? answer->retry_ms : WAIT_MIN_MS;
	wait += randombytes_uniform((uint32_t)(wait < MM_CHAIN_WAIT_MAX_MS ? wait / 4 + 1 : 1));
	const bool is_too_long = wait > MM_CHAIN_WAIT_MAX_MS + MM_CHAIN_WAIT_MAX_MS / 4 ||
				 mono(passage) + wait + RETRY_TIME_MS > passage->deadline_mono_ms;
	return is_too_long ? -1 : wait;
}

static void sleep_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

/* False: the watcher wants no more. */
static bool wait_watched(const struct passage *passage, int64_t ms)
{
	const struct mm_ai_watcher *watcher = &passage->request->watcher;
	for (; ms > 0; ms -= MM_AI_WAIT_MS) {
		sleep_ms(ms < MM_AI_WAIT_MS ? ms : MM_AI_WAIT_MS);
		if (watcher->on_wait && !watcher->on_wait(watcher->context))
			return false;
	}
	return true;
}

static int64_t tokens_of(const struct mm_remote_answer *answer)
{
	return answer->input_tokens + answer->output_tokens;
}

static enum mm_fault ask_link(const struct passage *passage, struct mm_link *link,
			      struct mm_remote_answer *answer)
{
	struct mm_budget_promise promise;
	int64_t used = 0, wait = 0;
	enum mm_fault fault = admit(passage, link, &promise);
	if (fault != MM_FAULT_NONE)
		return fault;
	for (int attempt = 0; attempt < ATTEMPTS_MAX && wait >= 0; attempt++) {
		if (!wait_watched(passage, wait)) {
			*answer = (struct mm_remote_answer){.outcome = MM_AI_STOPPED, .text = ""};
			fault = MM_FAULT_NONE;
			break;
		}
		fault = ask_once(passage, link, answer);
		used += tokens_of(answer);
		wait = fault == MM_FAULT_NONE ? -1 : choose_wait(passage, fault, answer);
	}
	leave(link, &promise, used);
	return fault;
}

/* ---- the reply */

static void take_answer(struct passage *passage, const struct mm_link *link,
			const struct mm_remote_answer *answer)
{
	struct mm_ai_reply *reply = passage->reply;
	reply->text = answer->text;
	reply->provider = mm_vendor_name(link->vendor);
	reply->model = link->settings->model;
	reply->outcome = answer->outcome;
	reply->is_cut = answer->is_cut;
	reply->input_tokens = answer->input_tokens;
	reply->output_tokens = answer->output_tokens;
}

static void note(struct mm_ai_reply *reply, const struct mm_link *link, enum mm_fault fault)
{
	if (reply->tried_count < MM_AI_TRIED_MAX)
		reply->tried[reply->tried_count++] =
		    (struct mm_ai_tried){.provider = mm_vendor_name(link->vendor), .fault = fault};
}

/* False: no provider answered. */
static bool ask_links(struct passage *passage)
{
	struct mm_chain *chain = passage->chain;
	for (size_t i = 0; i < chain->count; i++) {
		struct mm_remote_answer answer;
		const enum mm_fault fault = ask_link(passage, &chain->links[i], &answer);
		if (fault == MM_FAULT_NONE) {
			take_answer(passage, &chain->links[i], &answer);
			return true;
		}
		note(passage->reply, &chain->links[i], fault);
	}
	return false;
}

/* The built-in responder's answer, with what was tried before it. */
static enum mm_status ask_builtin(const struct passage *passage, struct mm_error *err)
{
	const struct mm_ai_watcher *watcher = &passage->request->watcher;
	const struct mm_provider *builtin = &passage->chain->builtin;
	struct mm_ai_reply reply;
	const enum mm_status status =
	    builtin->reply(builtin->self, passage->request, &reply, passage->arena, err);
	if (status != MM_OK)
		return status;
	reply.tried_count = passage->reply->tried_count;
	memcpy(reply.tried, passage->reply->tried, sizeof reply.tried);
	*passage->reply = reply;
	if (watcher->on_delta)
		watcher->on_delta(watcher->context, reply.text, strlen(reply.text));
	return MM_OK;
}

static enum mm_status fail(const struct mm_ai_reply *reply, struct mm_error *err)
{
	if (reply->tried_count == 0)
		return mm_error_cause(err, MM_UPSTREAM, "ai: no provider is configured");
	const struct mm_ai_tried *last = &reply->tried[reply->tried_count - 1];
	const bool is_late = last->fault == MM_FAULT_TIMEOUT || last->fault == MM_FAULT_DEADLINE;
	return mm_error_cause(err, is_late ? MM_TIMEOUT : MM_UPSTREAM, "ai: %s: %s", last->provider,
			      mm_fault_name(last->fault));
}

/* Only a chain with providers has a prompt. False: out of memory. */
static bool add_grounding(struct passage *passage)
{
	if (passage->chain->count > 0)
		passage->prompt =
		    mm_grounding_prompt(passage->prompt, passage->request, passage->arena);
	return passage->chain->count == 0 || passage->prompt;
}

static enum mm_status chain_reply(void *self, const struct mm_ai_request *request,
				  struct mm_ai_reply *out, struct mm_arena *arena,
				  struct mm_error *err)
{
	struct mm_chain *chain = self;
	struct passage passage = {.chain = chain,
				  .request = request,
				  .prompt = request->prompt ? request->prompt
							    : chain->prompts[request->language],
				  .arena = arena,
				  .reply = out,
				  .started_mono_ms = mm_clock_mono_ms(chain->clock)};
	const int64_t deadline = request->deadline_mono_ms
				     ? request->deadline_mono_ms
				     : passage.started_mono_ms + chain->settings->ai.deadline_ms;
	passage.deadline_mono_ms = deadline - MM_CHAIN_RESERVE_MS;
	if (!add_grounding(&passage))
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the prompt");
	*out = (struct mm_ai_reply){.text = ""};
	if (!ask_links(&passage)) {
		const enum mm_status status =
		    request->schema ? fail(out, err) : ask_builtin(&passage, err);
		if (status != MM_OK)
			return status;
	}
	out->latency_ms = mono(&passage) - passage.started_mono_ms;
	return MM_OK;
}

bool mm_chain_has_provider(const struct mm_chain *chain)
{
	return chain->count > 0;
}

const char *mm_chain_prompt(const struct mm_chain *chain, enum mm_language language)
{
	return chain && chain->prompts[language] ? chain->prompts[language] : "";
}

struct mm_provider mm_chain_provider(struct mm_chain *chain)
{
	return (struct mm_provider){.name = "chain", .reply = chain_reply, .self = chain};
}
