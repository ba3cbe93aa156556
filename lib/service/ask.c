/* ask: masks what leaves, checks and unmasks what comes back. */
#include "config.h"

#include "service/ask.h"

#include <string.h>

#include "ai/citation.h"
#include "ai/guard.h"
#include "base/log.h"
#include "service/ground.h"
#include "text/pii_mask.h"

enum { REPLY_MAX_CODE_POINTS = 4000 };

/* One question under way. */
struct asking {
	struct mm_turn *turn;
	struct mm_pii_mask *mask;
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
	struct mm_ai_turn *turns = mm_arena_array(asking->turn->arena, past->count, sizeof *turns);
	enum mm_status status = MM_OK;
	if (!turns)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the question");
	for (size_t i = 0; i < past->count && status == MM_OK; i++) {
		turns[i] = (struct mm_ai_turn){.text = past->messages[i].text,
					       .length = past->messages[i].length,
					       .is_customer = past->messages[i].is_customer};
		status = mask_text(asking, &turns[i].text, &turns[i].length, err);
	}
	request->history = turns;
	request->history_count = past->count;
	return status;
}

static void log_findings(const struct asking *asking, const struct mm_guard_verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++)
		mm_log(MM_LOG_WARNING, asking->turn->request_id,
		       "ask: a model's reply was not sent: %s",
		       mm_guard_code_name(verdict->findings[i].code));
}

/* The reply as the customer gets it: values put back, marks of sources taken out. */
static enum mm_status finish_text(const struct asking *asking, const char **text, size_t *length,
				  size_t *unknown_out, unsigned *cited_out, struct mm_error *err)
{
	struct mm_turn *turn = asking->turn;
	const enum mm_status status =
	    mm_pii_unmask(asking->mask, *text, *length, text, length, unknown_out, err);
	if (status != MM_OK || turn->source_count == 0)
		return status;
	*text = mm_citation_take(*text, *length, turn->source_count, cited_out, turn->arena);
	if (!*text)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the reply");
	*length = strlen(*text);
	return MM_OK;
}

static enum mm_status check_reply(const struct asking *asking, const char *text, size_t length,
				  struct mm_guard_verdict *out, struct mm_error *err)
{
	struct mm_turn *turn = asking->turn;
	struct mm_guard_text sources[MM_SOURCES_MAX];
	struct mm_guard_facts facts = {.reply = {text, length},
				       .language = turn->language,
				       .max_code_points = REPLY_MAX_CODE_POINTS,
				       .sources = sources,
				       .source_count = turn->source_count};
	struct mm_analysis analysis;
	unsigned cited;
	for (size_t i = 0; i < turn->source_count; i++)
		sources[i] =
		    (struct mm_guard_text){turn->sources[i].body, strlen(turn->sources[i].body)};
	enum mm_status status = finish_text(asking, &facts.reply.text, &facts.reply.length,
					    &facts.unknown_placeholders, &cited, err);
	if (status == MM_OK)
		status = mm_detect(turn->detector, facts.reply.text, facts.reply.length, NULL,
				   &analysis, turn->arena, err);
	if (status != MM_OK)
		return status;
	facts.severity = analysis.harassment.severity;
	return mm_guard_check(&facts, out, turn->arena, err);
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

/* The built-in responder's text is finished: what looks like a mark is its own. */
static enum mm_status finish_reply(const struct asking *asking, struct mm_error *err)
{
	struct mm_ai_reply *reply = &asking->turn->reply;
	if (!reply->text || !reply->model)
		return MM_OK;
	size_t length = strlen(reply->text);
	return finish_text(asking, &reply->text, &length, NULL, &reply->cited, err);
}

enum mm_status mm_ask_provider(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_provider *provider = &turn->runtime->provider;
	struct asking asking = {.turn = turn, .mask = mm_pii_mask_new(turn->arena)};
	struct mm_ai_request request = {.text = turn->message.text,
					.length = turn->message.length,
					.language = turn->language,
					.analysis = &turn->analysis,
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
	if (status == MM_OK)
		status = provider->reply(provider->self, &request, &turn->reply, turn->arena, err);
	if (status == MM_OK)
		status = finish_reply(&asking, err);
	if (status == MM_OK)
		mm_ground_note_gap(turn, &request);
	if (status == MM_OK && turn->reply.tried_count > 0)
		turn->degradations |= 1u << MM_DEGRADED_AI;
	return status;
}
