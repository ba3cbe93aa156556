/* turn_json: writes turns; decides nothing. */
#include "config.h"

#include "service/turn_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/token.h"
#include "service/analysis_json.h"
#include "service/burst.h"
#include "service/retry.h"
#include "text/utf8.h"

enum { GAP_CODE_POINTS = 500 };

static const char *const degradations[MM_DEGRADED__MAX] = {
    [MM_DEGRADED_HISTORY] = "history",
    [MM_DEGRADED_CONVERSATION_ID] = "conversation_id",
    [MM_DEGRADED_AI] = "ai",
    [MM_DEGRADED_IDEMPOTENCY] = "idempotency",
};

static void pair_id(struct mm_json_writer *writer, const char *key, const struct mm_id *id)
{
	char text[MM_ID_TEXT];
	mm_id_format(id, text);
	mm_json_pair_text(writer, key, text);
}

static void write_handoff(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	char time[25];
	mm_json_key(writer, "handoff");
	if (!turn->has_handoff) {
		mm_json_write_null(writer);
		return;
	}
	mm_clock_format_utc(turn->now_utc_ms, time);
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->handoff.id);
	mm_json_pair_text(writer, "reason", mm_handoff_reason_name(turn->handoff.reason));
	mm_json_pair_text(writer, "priority", mm_handoff_priority_name(turn->handoff.priority));
	mm_json_key(writer, "context");
	mm_handoff_write_context(writer, &turn->handoff);
	mm_json_pair_text(writer, "created_at", time);
	mm_json_object_end(writer);
}

/* Who should have answered before, and why not; left out when the first one did. */
static void write_tried(struct mm_json_writer *writer, const struct mm_ai_reply *reply)
{
	if (reply->tried_count == 0)
		return;
	mm_json_key(writer, "degraded");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < reply->tried_count; i++) {
		mm_json_object_begin(writer);
		mm_json_pair_text(writer, "provider", reply->tried[i].provider);
		mm_json_pair_text(writer, "reason", mm_fault_name(reply->tried[i].fault));
		mm_json_object_end(writer);
	}
	mm_json_array_end(writer);
}

static void write_ai(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_key(writer, "ai");
	if (!turn->reply.provider) {
		mm_json_write_null(writer);
		return;
	}
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "provider", turn->reply.provider);
	mm_json_pair_text(writer, "model", turn->reply.model);
	mm_json_pair_text(writer, "outcome", mm_ai_outcome_name(turn->reply.outcome));
	mm_json_pair_bool(writer, "is_fallback", turn->reply.is_fallback);
	mm_json_pair_bool(writer, "is_cut", turn->reply.is_cut);
	mm_json_pair_i64(writer, "latency_ms", turn->reply.latency_ms);
	write_tried(writer, &turn->reply);
	mm_json_object_end(writer);
}

static void write_degraded(struct mm_json_writer *writer, unsigned set)
{
	if (!set)
		return;
	mm_json_key(writer, "degraded");
	mm_json_array_begin(writer);
	for (unsigned value = 0; value < MM_DEGRADED__MAX; value++)
		if (set & 1u << value)
			mm_json_write_text(writer, degradations[value]);
	mm_json_array_end(writer);
}

static const char *owner_after(const struct mm_turn *turn)
{
	const bool is_handed = turn->has_handoff && turn->stored.owner != MM_OWNER_CLOSED;
	return mm_owner_name(is_handed ? MM_OWNER_HUMAN : turn->stored.owner);
}

static void write_identity(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	char token[MM_TOKEN_TEXT];
	mm_token_make(turn->runtime->token_secret, &turn->conversation_id, token);
	pair_id(writer, "conversation_id", &turn->conversation_id);
	mm_json_pair_text(writer, "conversation_token", token);
	pair_id(writer, "message_id", &turn->message_id);
}

/* What a reply comes from; a handoff's text comes from none. */
static void write_sources(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	const bool is_from_them =
	    turn->is_answered && turn->reply.provider && turn->reply.outcome == MM_AI_ANSWERED;
	mm_json_key(writer, "sources");
	mm_json_array_begin(writer);
	for (size_t i = 0; is_from_them && i < turn->source_count; i++) {
		const bool is_cited = turn->reply.cited & 1u << i;
		/* The built-in responder gives one article, and has not read the others. */
		if (!turn->reply.model && !is_cited)
			continue;
		mm_json_object_begin(writer);
		mm_json_pair_text(writer, "id", turn->sources[i].id);
		mm_json_pair_text(writer, "title", turn->sources[i].title);
		mm_json_pair_double(writer, "score", (double)turn->sources[i].match, 3);
		mm_json_pair_bool(writer, "is_cited", is_cited);
		mm_json_object_end(writer);
	}
	mm_json_array_end(writer);
}

static void write_findings(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_key(writer, "sentiment");
	mm_sentiment_write(writer, &turn->analysis.sentiment);
	mm_json_key(writer, "harassment");
	mm_harassment_write(writer, &turn->analysis.harassment);
	mm_json_key(writer, "signals");
	mm_signals_write(writer, turn->analysis.signals);
	mm_json_key(writer, "ai_analysis");
	mm_second_opinion_write(writer, turn->opinion);
	mm_json_key(writer, "conversation");
	mm_conversation_write(writer, &turn->analysis.conversation);
}

static void write_time(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	char time[25];
	mm_clock_format_utc(turn->now_utc_ms, time);
	mm_json_pair_text(writer, "timestamp", time);
}

static void write_usage(struct mm_json_writer *writer, const struct mm_ai_reply *reply)
{
	mm_json_key(writer, "usage");
	mm_json_object_begin(writer);
	mm_json_pair_i64(writer, "input_tokens", reply->input_tokens);
	mm_json_pair_i64(writer, "output_tokens", reply->output_tokens);
	mm_json_object_end(writer);
}

static void write_answer(struct mm_json_writer *writer, const struct mm_turn *turn, bool has_usage)
{
	mm_json_object_begin(writer);
	write_identity(writer, turn);
	mm_json_pair_text(writer, "response", turn->is_answered ? turn->reply.text : NULL);
	write_findings(writer, turn);
	write_handoff(writer, turn);
	mm_json_pair_bool(writer, "needs_handoff", turn->has_handoff);
	mm_json_pair_text(writer, "owner", owner_after(turn));
	write_ai(writer, turn);
	write_sources(writer, turn);
	if (has_usage)
		write_usage(writer, &turn->reply);
	mm_burst_write(writer, turn);
	write_time(writer, turn);
	write_degraded(writer, turn->degradations);
	mm_json_object_end(writer);
}

void mm_turn_write_answer(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	write_answer(writer, turn, false);
}

void mm_turn_write_meta(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_object_begin(writer);
	write_identity(writer, turn);
	write_findings(writer, turn);
	write_time(writer, turn);
	mm_json_object_end(writer);
}

void mm_turn_write_old_meta(struct mm_json_writer *writer, struct json_object *answer)
{
	static const char *const members[] = {"conversation_id", "conversation_token", "message_id",
					      "sentiment",       "harassment",         "signals",
					      "ai_analysis",     "conversation",       "timestamp"};
	mm_json_object_begin(writer);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		size_t length;
		const char *json = json_object_to_json_string_length(
		    json_object_object_get(answer, members[i]), JSON_C_TO_STRING_PLAIN, &length);
		mm_json_pair_raw(writer, members[i], json, length);
	}
	mm_json_object_end(writer);
}

void mm_turn_write_done(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	write_answer(writer, turn, true);
}

/* `degraded` is the answer's last member, and "journal" the last of its values. */
void mm_turn_add_spooled(struct mm_buffer *answer, const struct mm_turn *turn)
{
	answer->length -= strlen(turn->degradations ? "]}" : "}");
	mm_buffer_add_text(answer,
			   turn->degradations ? ",\"journal\"]}" : ",\"degraded\":[\"journal\"]}");
}

static void write_customer_message(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	const struct mm_analysis *analysis = &turn->analysis;
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->message_id);
	mm_json_pair_i64(writer, "at", turn->now_utc_ms);
	mm_json_pair_text(writer, "role", "customer");
	mm_json_pair_bytes(writer, "text", turn->message.text, turn->message.length);
	mm_json_pair_text(writer, "severity", mm_severity_name(analysis->harassment.severity));
	mm_json_pair_text(writer, "sentiment", mm_sentiment_name(analysis->sentiment.sentiment));
	mm_json_pair_double(writer, "confidence", analysis->harassment.confidence, 3);
	mm_json_key(writer, "signals");
	mm_signals_write(writer, analysis->signals);
	mm_json_pair_null(writer, "reply_to");
	mm_json_pair_bool(writer, "is_fallback", false);
	mm_json_object_end(writer);
}

static void write_bot_message(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->reply_id);
	mm_json_pair_i64(writer, "at", turn->reply_utc_ms);
	mm_json_pair_text(writer, "role", "bot");
	mm_json_pair_text(writer, "text", turn->reply.text);
	mm_json_pair_null(writer, "severity");
	mm_json_pair_null(writer, "sentiment");
	mm_json_pair_null(writer, "confidence");
	mm_json_key(writer, "signals");
	mm_signals_write(writer, 0);
	pair_id(writer, "reply_to", &turn->message_id);
	mm_json_pair_bool(writer, "is_fallback", turn->reply.is_fallback);
	mm_json_object_end(writer);
}

static void write_event(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	const struct mm_harassment *harassment = &turn->analysis.harassment;
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->record_id);
	mm_json_pair_i64(writer, "at", turn->now_utc_ms);
	pair_id(writer, "message_id", &turn->message_id);
	mm_json_pair_text(writer, "severity", mm_severity_name(harassment->severity));
	mm_json_key(writer, "categories");
	mm_categories_write(writer, harassment->categories);
	mm_json_pair_double(writer, "confidence", harassment->confidence, 3);
	mm_json_pair_bytes(writer, "text", turn->message.text, turn->message.length);
	mm_json_key(writer, "findings");
	mm_findings_write(writer, harassment);
	mm_json_pair_text(writer, "recommendation", harassment->recommendation);
	mm_json_object_end(writer);
}

static void write_conversation(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_key(writer, "conversation");
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->conversation_id);
	mm_json_pair_i64(writer, "created_at",
			 turn->stored.exists ? turn->stored.created_utc_ms : turn->now_utc_ms);
	mm_json_pair_text(writer, "customer_name", turn->customer_name);
	/* Of a row to be made, which cannot be closed; where there is one, its owner stays. */
	mm_json_pair_text(writer, "owner", strcmp(owner_after(turn), "bot") == 0 ? "bot" : "human");
	mm_json_object_end(writer);
}

static void write_stored_handoff(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_key(writer, "handoff");
	if (!turn->has_handoff) {
		mm_json_write_null(writer);
		return;
	}
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->handoff.id);
	mm_json_pair_i64(writer, "at", turn->now_utc_ms);
	mm_json_pair_text(writer, "reason", mm_handoff_reason_name(turn->handoff.reason));
	mm_json_pair_text(writer, "priority", mm_handoff_priority_name(turn->handoff.priority));
	mm_json_pair_text(writer, "summary", turn->handoff.summary);
	mm_json_key(writer, "context");
	mm_handoff_write_context(writer, &turn->handoff);
	mm_json_object_end(writer);
}

/* Left out where there is none: most records need not be looked at for it. */
static void write_gap(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	if (!turn->gap.text)
		return;
	mm_json_key(writer, "gap");
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->message_id);
	mm_json_pair_text(writer, "language", turn->language == MM_LANGUAGE_JA ? "ja" : "en");
	mm_json_pair_bytes(writer, "question", turn->gap.text,
			   mm_utf8_offset(turn->gap.text, turn->gap.length, GAP_CODE_POINTS));
	mm_json_object_end(writer);
}

void mm_turn_write_record(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	mm_json_object_begin(writer);
	pair_id(writer, "id", &turn->record_id);
	mm_json_pair_i64(writer, "at", turn->now_utc_ms);
	mm_json_pair_bool(writer, "is_reply_held", mm_turn_is_reply_held(turn));
	write_conversation(writer, turn);
	mm_json_key(writer, "messages");
	mm_json_array_begin(writer);
	if (turn->part != MM_TURN_REPLY)
		write_customer_message(writer, turn);
	if (turn->is_answered && turn->part != MM_TURN_MESSAGE)
		write_bot_message(writer, turn);
	mm_json_array_end(writer);
	mm_json_key(writer, "events");
	mm_json_array_begin(writer);
	if (turn->analysis.harassment.is_harassment && turn->part != MM_TURN_REPLY)
		write_event(writer, turn);
	mm_json_array_end(writer);
	write_stored_handoff(writer, turn);
	if (turn->has_notice)
		pair_id(writer, "notice", &turn->message_id);
	mm_retry_write(writer, turn);
	write_gap(writer, turn);
	mm_json_object_end(writer);
}
