/* ask: masks what leaves, checks and unmasks what comes back. */
#include "config.h"

#include "service/ask.h"

#include <string.h>

#include "ai/citation.h"
#include "ai/guard.h"
#include "base/log.h"
#include "service/ground.h"
#include "service/release.h"
#include "service/turn_stream.h"
#include "service/window.h"
#include "text/pii_mask.h"

enum { REPLY_MAX_CODE_POINTS = 4000, SCRATCH_MAX_BYTES = 8 * 1024 * 1024 };

/* One question under way. */
struct asking {
	struct mm_turn *turn;
	struct mm_pii_mask *mask;
	struct mm_release release; /* of a streamed turn */
	struct mm_arena *scratch;  /* of one look at a part of its reply */
};

static enum mm_status mask_text(const struct asking *asking, const char **text, size_t *length,
				struct mm_error *err)
{
	struct mm_pii_masked masked;
	const enum mm_status status = mm_pii_mask_text(asking->mask, *text, *length, &masked, err);
	if (status != MM_OK)
		return status;
	*text = masked.text;
	*length = masked.length;
	return MM_OK;
}

static enum mm_status mask_history(const struct asking *asking, struct mm_ai_request *request,
				   struct mm_error *err)
{
	const struct mm_past *past = &asking->turn->past;
	const size_t start =
	    mm_window_start(past, asking->turn->runtime->settings->conversation.history_tokens_max);
	const size_t count = past->count - start;
	struct mm_ai_turn *turns = mm_arena_array(asking->turn->arena, count, sizeof *turns);
	enum mm_status status = MM_OK;
	if (!turns)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the question");
	for (size_t i = 0; i < count && status == MM_OK; i++) {
		const struct mm_past_message *message = &past->messages[start + i];
		turns[i] = (struct mm_ai_turn){.text = message->text,
					       .length = message->length,
					       .is_customer = message->is_customer};
		status = mask_text(asking, &turns[i].text, &turns[i].length, err);
	}
	request->history = turns;
	request->history_count = count;
	return status;
}

static void log_findings(const struct asking *asking, const struct mm_guard_verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++)
		mm_log(MM_LOG_WARNING, asking->turn->request_id,
		       "ask: a model's reply was not sent: %s",
		       mm_guard_code_name(verdict->findings[i].code));
}

/* The reply as the customer gets it: marks of sources taken out, values put back. */
static enum mm_status finish_text(const struct asking *asking, const char **text, size_t *length,
				  size_t *unknown_out, unsigned *cited_out, struct mm_error *err)
{
	struct mm_turn *turn = asking->turn;
	if (turn->source_count > 0) {
		*text =
		    mm_citation_take(*text, *length, turn->source_count, cited_out, turn->arena);
		if (!*text)
			return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the reply");
		*length = strlen(*text);
	}
	return mm_pii_unmask(asking->mask, *text, *length, text, length, unknown_out, err);
}

static struct mm_guard_text prompt_of(const struct mm_turn *turn)
{
	const char *prompt = mm_chain_prompt(turn->runtime->chain, turn->language);
	return (struct mm_guard_text){prompt, strlen(prompt)};
}

/* Of an unmasked text. The learned model knows how customers write, not those who answer them: it
 * takes their regrets for pressure. So only rules judge a reply. */
static enum mm_status check_text(const struct asking *asking, struct mm_guard_text reply,
				 size_t unknown, struct mm_guard_verdict *out,
				 struct mm_arena *arena, struct mm_error *err)
{
	const struct mm_turn *turn = asking->turn;
	struct mm_guard_text sources[MM_SOURCES_MAX];
	struct mm_analysis analysis;
	const enum mm_status status =
	    mm_detect(turn->detector, reply.text, reply.length, NULL, &analysis, arena, err);
	if (status != MM_OK)
		return status;
	for (size_t i = 0; i < turn->source_count; i++)
		sources[i] =
		    (struct mm_guard_text){turn->sources[i].body, strlen(turn->sources[i].body)};
	const struct mm_guard_facts facts = {.reply = reply,
					     .language = turn->language,
					     .severity = analysis.harassment.by_rules,
					     .max_code_points = REPLY_MAX_CODE_POINTS,
					     .prompt = prompt_of(turn),
					     .sources = sources,
					     .source_count = turn->source_count,
					     .unknown_placeholders = unknown};
	return mm_guard_check(&facts, out, arena, err);
}

static enum mm_status check_reply(const struct asking *asking, const char *text, size_t length,
				  struct mm_guard_verdict *out, struct mm_error *err)
{
	struct mm_guard_text reply = {text, length};
	size_t unknown = 0;
	unsigned cited = 0;
	const enum mm_status status =
	    finish_text(asking, &reply.text, &reply.length, &unknown, &cited, err);
	return status == MM_OK ? check_text(asking, reply, unknown, out, asking->turn->arena, err)
			       : status;
}

/* A reply that cannot be checked is not sent. */
static bool accept_reply(void *context, const char *text, size_t length)
{
	const struct asking *asking = context;
	struct mm_guard_verdict verdict;
	struct mm_error err = {.status = MM_OK};
	if (check_reply(asking, text, length, &verdict, &err) != MM_OK) {
		mm_log(MM_LOG_WARNING, asking->turn->request_id,
		       "ask: a model's reply could not be checked: %s%s", err.message, err.cause);
		return false;
	}
	log_findings(asking, &verdict);
	return verdict.count == 0;
}

/* ---- a streamed turn */

/* Many looks at one reply; each begins with the memory of the last. */
static bool is_good_so_far(void *context, const char *text, size_t length, size_t unknown)
{
	const struct asking *asking = context;
	struct mm_guard_verdict verdict = {.count = 1};
	struct mm_error err = {.status = MM_OK};
	const enum mm_status status = check_text(asking, (struct mm_guard_text){text, length},
						 unknown, &verdict, asking->scratch, &err);
	mm_arena_reset(asking->scratch);
	return status == MM_OK && verdict.count == 0;
}

/* What cannot be looked at is not shown; the whole reply is judged by accept_reply. */
static bool take_delta(void *context, const char *text, size_t length)
{
	struct asking *asking = context;
	struct mm_error err = {.status = MM_OK};
	const char *part = "";
	size_t part_length = 0;
	if (!text) {
		mm_release_forget(&asking->release);
		mm_turn_stream_take_back(asking->turn);
		return mm_turn_stream_wait(asking->turn);
	}
	if (mm_release_add(&asking->release, text, length, &part, &part_length, &err) != MM_OK)
		part_length = 0;
	return mm_turn_stream_show(asking->turn, part, part_length);
}

static bool wait_on(void *context)
{
	const struct asking *asking = context;
	return mm_turn_stream_wait(asking->turn);
}

static enum mm_status begin_stream(struct asking *asking, struct mm_ai_watcher *watcher,
				   struct mm_error *err)
{
	const struct mm_release_judge judge = {.is_good = is_good_so_far, .context = asking};
	asking->scratch = mm_arena_new(SCRATCH_MAX_BYTES);
	if (!asking->scratch)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for a stream");
	mm_release_init(&asking->release, asking->mask, asking->turn->source_count, &judge,
			asking->turn->arena);
	watcher->on_delta = take_delta;
	watcher->on_wait = wait_on;
	return mm_turn_stream_begin(asking->turn, err);
}

/* Of a reply that was stopped counts what was shown of it. */
static enum mm_status take_shown(const struct asking *asking, struct mm_error *err)
{
	struct mm_turn *turn = asking->turn;
	const struct mm_buffer *sent = &turn->stream->sent;
	turn->is_answered = sent->length > 0;
	turn->reply.text = mm_arena_strndup(turn->arena, sent->data, sent->length);
	return turn->reply.text ? MM_OK
				: mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for a reply");
}

/* ---- the question */

/* The built-in responder's text is finished: what looks like a mark is its own. */
static enum mm_status finish_reply(const struct asking *asking, struct mm_error *err)
{
	struct mm_ai_reply *reply = &asking->turn->reply;
	if (reply->outcome == MM_AI_STOPPED)
		return take_shown(asking, err);
	if (!reply->text || !reply->model)
		return MM_OK;
	size_t length = strlen(reply->text);
	return finish_text(asking, &reply->text, &length, NULL, &reply->cited, err);
}

enum mm_status mm_ask_provider(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_provider *provider = &turn->runtime->provider;
	struct asking asking = {.turn = turn, .mask = mm_pii_mask_new(turn->arena)};
	struct mm_ai_request request = {.text = turn->question.text,
					.length = turn->question.length,
					.language = turn->language,
					.analysis = turn->question_analysis,
					.order_number = turn->order_number,
					.customer_name = turn->customer_name,
					.can_hand_over = true,
					.deadline_mono_ms = turn->deadline_mono_ms,
					.request_id = turn->request_id,
					.watcher = {.accept = accept_reply, .context = &asking}};
	if (!asking.mask)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the question");
	enum mm_status status = mask_text(&asking, &request.text, &request.length, err);
	if (status == MM_OK)
		status = mask_history(&asking, &request, err);
	if (status == MM_OK)
		status = mm_ground_request(turn, &request, err);
	if (status == MM_OK && turn->stream)
		status = begin_stream(&asking, &request.watcher, err);
	if (status == MM_OK)
		status = provider->reply(provider->self, &request, &turn->reply, turn->arena, err);
	if (status == MM_OK)
		status = finish_reply(&asking, err);
	mm_arena_free(asking.scratch);
	if (status == MM_OK)
		mm_ground_note_gap(turn, &request);
	if (status == MM_OK && turn->reply.tried_count > 0)
		turn->degradations |= 1u << MM_DEGRADED_AI;
	return status;
}
