/* chat: the steps of a turn, in order; their JSON is turn_json's, handoffs are handoff's. */
#include "config.h"

#include "service/chat.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/token.h"
#include "detect/order_number.h"
#include "service/ask.h"
#include "service/past.h"
#include "service/turn.h"
#include "service/turn_json.h"

enum {
	RECORD_MAX_BYTES = 4 * 1024 * 1024,
	LOAD_TIMEOUT_MS = 1000, /* what reading the history may cost a turn */
};

/* ---- 1. validate */

static enum mm_status read_request(struct mm_turn *turn, struct json_object *body,
				   struct mm_error *err)
{
	const size_t max = (size_t)turn->runtime->settings->server.max_message;
	if (!json_object_is_type(body, json_type_object))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "the body must be a JSON object");
	enum mm_status status = mm_field_message(body, max, &turn->message, err);
	if (status == MM_OK)
		status = mm_field_conversation_id(body, &turn->conversation_id,
						  &turn->has_conversation, err);
	if (status == MM_OK)
		status = mm_field_customer_name(body, &turn->customer_name, err);
	if (status == MM_OK)
		status = mm_field_history(body, max, &turn->past, turn->arena, err);
	return status;
}

/* ---- 2. prove */

/* The token of an "Authorization: Bearer" header, or NULL. */
static const char *bearer_token(const char *authorization)
{
	static const char scheme[] = "Bearer ";
	if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
		return NULL;
	authorization += sizeof scheme - 1;
	return authorization + strspn(authorization, " ");
}

/* The body's token stands before the header's: a site may use the header for itself. */
static enum mm_status prove(struct mm_turn *turn, const struct mm_chat_request *request,
			    struct mm_error *err)
{
	const char *token;
	size_t length;
	const enum mm_status status =
	    mm_json_text(request->body, "conversation_token", false, &token, &length, err);
	if (status != MM_OK)
		return status;
	if (!token) {
		token = bearer_token(request->authorization);
		length = token ? strlen(token) : 0;
	}
	if (!turn->has_conversation || !token)
		return MM_OK;
	if (!mm_token_is_valid(turn->runtime->token_secret, &turn->conversation_id, token, length))
		return mm_error_set(err, MM_DENIED, NULL, "conversation_token",
				    "conversation_token is not the token of this conversation");
	turn->is_proved = true;
	return MM_OK;
}

/* ---- 3. load */

static enum mm_status use_stored_history(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_stored_conversation *stored = &turn->stored;
	if (stored->customer_name && !turn->customer_name)
		turn->customer_name = stored->customer_name;
	if (stored->count == 0)
		return MM_OK;
	struct mm_past_message *messages =
	    mm_arena_array(turn->arena, stored->count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the history");
	for (size_t i = 0; i < stored->count; i++) {
		const struct mm_stored_message *from = &stored->messages[i];
		messages[i] =
		    (struct mm_past_message){.text = from->text,
					     .length = from->length,
					     .utc_ms = from->utc_ms,
					     .is_customer = from->role == MM_ROLE_CUSTOMER,
					     .is_no_answer = from->is_fallback,
					     .has_analysis = from->has_analysis,
					     .severity = from->severity,
					     .sentiment = from->sentiment};
	}
	turn->past.messages = messages;
	turn->past.count = stored->count;
	return MM_OK;
}

/* Nobody can tell whose conversation this is: the turn gets one of its own. */
static enum mm_status begin_own_conversation(struct mm_turn *turn)
{
	turn->degradations |= 1u << MM_DEGRADED_CONVERSATION_ID;
	return mm_id_next(turn->runtime->ids, &turn->conversation_id);
}

/* The database cannot be asked: go on with what the client says, but never take its word for
 * whose conversation it is. */
static enum mm_status go_on_without_history(struct mm_turn *turn, const struct mm_error *cause)
{
	mm_log(MM_LOG_INFO, turn->request_id, "chat: history not loaded: %s", cause->cause);
	turn->stored = (struct mm_stored_conversation){.owner = MM_OWNER_BOT};
	turn->degradations |= 1u << MM_DEGRADED_HISTORY;
	return turn->is_proved ? MM_OK : begin_own_conversation(turn);
}

static enum mm_status check_stored(const struct mm_turn *turn, struct mm_error *err)
{
	if (turn->stored.exists && !turn->is_proved)
		return mm_error_set(err, MM_DENIED, NULL, "conversation_token",
				    "this conversation needs its conversation_token");
	if (turn->stored.owner == MM_OWNER_CLOSED)
		return mm_error_set(err, MM_GONE, "conversation_closed", "conversation_id",
				    "this conversation is closed; send the message without "
				    "conversation_id to begin a new one");
	return MM_OK;
}

static enum mm_status load(struct mm_turn *turn, struct mm_error *err)
{
	struct mm_runtime *runtime = turn->runtime;
	struct mm_error cause = {.status = MM_OK};
	if (!turn->has_conversation)
		return mm_id_next(runtime->ids, &turn->conversation_id);
	/* Asked first: a spool may be emptied while the database is read. */
	const bool may_be_spooled =
	    !turn->is_proved && mm_keep_may_be_spooled(runtime, turn->arena);
	enum mm_status status = mm_conversation_load(
	    runtime->pool, &turn->conversation_id, (int)runtime->settings->conversation.history_max,
	    mm_clock_mono_ms(runtime->clock) + LOAD_TIMEOUT_MS, &turn->stored, turn->arena, &cause);
	if (status != MM_OK)
		return go_on_without_history(turn, &cause);
	/* What the database does not know may be somebody's, in a spool. */
	if (!turn->stored.exists && may_be_spooled)
		return begin_own_conversation(turn);
	status = check_stored(turn, err);
	return status == MM_OK ? use_stored_history(turn, err) : status;
}

/* ---- 4. detect */

static enum mm_status find_order_number(struct mm_turn *turn, const char *text, size_t length,
					struct mm_error *err)
{
	struct mm_order_number *found;
	size_t count;
	const enum mm_status status =
	    mm_order_number_find(text, length, &found, &count, turn->arena, err);
	if (status == MM_OK && count > 0)
		turn->order_number = found[count - 1].value;
	return status;
}

/* This message's order number, else the last one that the customer named before. */
static enum mm_status find_last_order_number(struct mm_turn *turn, struct mm_error *err)
{
	enum mm_status status =
	    find_order_number(turn, turn->message.text, turn->message.length, err);
	for (size_t i = turn->past.count; i-- > 0 && status == MM_OK && !turn->order_number;) {
		const struct mm_past_message *message = &turn->past.messages[i];
		if (message->is_customer)
			status = find_order_number(turn, message->text, message->length, err);
	}
	return status;
}

/* What the bot said without saying anything is no answer: a customer may ask again. */
static enum mm_status mark_no_answers(struct mm_turn *turn, struct mm_error *err)
{
	const size_t count = turn->past.count;
	if (count == 0)
		return MM_OK;
	struct mm_past_message *messages = mm_arena_array(turn->arena, count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the history");
	memcpy(messages, turn->past.messages, count * sizeof *messages);
	for (size_t i = 0; i < count; i++)
		if (!messages[i].is_customer &&
		    mm_replies_is_no_answer(turn->runtime->replies, messages[i].text,
					    messages[i].length))
			messages[i].is_no_answer = true;
	turn->past.messages = messages;
	return MM_OK;
}

static enum mm_status detect(struct mm_turn *turn, struct mm_error *err)
{
	turn->past.now_utc_ms = turn->now_utc_ms;
	turn->language = mm_language_of(turn->message.text, turn->message.length);
	enum mm_status status = mark_no_answers(turn, err);
	if (status == MM_OK)
		status = mm_judge_borrow(turn->runtime->judge, &turn->detector, turn->arena, err);
	if (status == MM_OK)
		status = mm_past_judge(turn->detector, &turn->past, turn->arena, err);
	if (status == MM_OK)
		status = mm_detect(turn->detector, turn->message.text, turn->message.length,
				   &turn->past, &turn->analysis, turn->arena, err);
	return status == MM_OK ? find_last_order_number(turn, err) : status;
}

/* ---- 5. answer or hand over */

static enum mm_status hand_over(struct mm_turn *turn, enum mm_handoff_reason reason,
				struct mm_error *err)
{
	const struct mm_handoff_facts facts = {.detector = turn->detector,
					       .text = turn->message.text,
					       .length = turn->message.length,
					       .analysis = &turn->analysis,
					       .past = &turn->past,
					       .customer_name = turn->customer_name,
					       .language = turn->language};
	const enum mm_status status =
	    mm_handoff_build(&facts, reason, &turn->handoff, turn->arena, err);
	if (status != MM_OK)
		return status;
	turn->has_handoff = true;
	turn->reply = (struct mm_ai_reply){
	    .text = mm_replies_text(turn->runtime->replies, turn->language,
				    mm_handoff_reply_key(reason)),
	};
	return mm_id_next(turn->runtime->ids, &turn->handoff.id);
}

/* A person has the conversation already: what cannot wait for their next look is handed over
 * again, with its priority. The bot says nothing. */
static enum mm_status warn_person(struct mm_turn *turn, struct mm_error *err)
{
	enum mm_handoff_reason reason;
	const bool is_due = mm_handoff_is_due(turn->runtime->settings, &turn->analysis, 0, &reason);
	const bool is_urgent =
	    is_due && (reason == MM_HANDOFF_SELF_HARM ||
		       turn->analysis.harassment.severity == MM_SEVERITY_CRITICAL);
	return is_urgent ? hand_over(turn, reason, err) : MM_OK;
}

/* A model that declines, or asks for a person, ends in a handoff, whose text the customer gets. */
static enum mm_status hand_over_for_model(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_ai_reply asked = turn->reply;
	const enum mm_status status = hand_over(turn, MM_HANDOFF_FALLBACK, err);
	const char *text = turn->reply.text;
	turn->reply = asked;
	turn->reply.text = text;
	return status;
}

/* A person may have taken over while the model ran: then the customer hears that person only. */
static void drop_if_taken_over(struct mm_turn *turn)
{
	struct mm_error cause = {.status = MM_OK};
	enum mm_owner owner;
	bool exists;
	if (!turn->stored.exists || !turn->reply.model ||
	    mm_conversation_owner(turn->runtime->pool, &turn->conversation_id,
				  mm_clock_mono_ms(turn->runtime->clock) + LOAD_TIMEOUT_MS, &exists,
				  &owner, &cause) != MM_OK ||
	    !exists || owner == MM_OWNER_BOT)
		return;
	turn->stored.owner = owner;
	turn->is_answered = false;
	turn->reply = (struct mm_ai_reply){.text = NULL};
}

/* What needs a person is decided before a provider is asked; a bot out of answers, after. */
static enum mm_status answer(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_settings *settings = turn->runtime->settings;
	enum mm_handoff_reason reason;
	if (turn->stored.owner == MM_OWNER_HUMAN)
		return warn_person(turn, err);
	turn->is_answered = true;
	if (mm_handoff_is_due(settings, &turn->analysis, 0, &reason))
		return hand_over(turn, reason, err);
	const enum mm_status status = mm_ask_provider(turn, err);
	if (status == MM_OK)
		drop_if_taken_over(turn);
	if (status != MM_OK || !turn->is_answered)
		return status;
	if (turn->reply.outcome != MM_AI_ANSWERED)
		return hand_over_for_model(turn, err);
	const unsigned streak = turn->reply.is_fallback ? turn->stored.fallback_streak + 1 : 0;
	if (mm_handoff_is_due(settings, &turn->analysis, streak, &reason))
		return hand_over(turn, reason, err);
	return MM_OK;
}

/* ---- 6. keep and reply */

static enum mm_status make_ids(struct mm_turn *turn)
{
	struct mm_id *const ids[] = {&turn->record_id, &turn->message_id, &turn->reply_id};
	enum mm_status status = MM_OK;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0] && status == MM_OK; i++)
		status = mm_id_next(turn->runtime->ids, ids[i]);
	return status;
}

/* The answer is complete before anybody knows where its record will go. */
static void admit_spooled(void *context)
{
	struct mm_turn *turn = context;
	mm_turn_add_spooled(turn->answer, turn);
}

static enum mm_status keep(struct mm_turn *turn, const struct mm_deferral *deferral,
			   struct mm_error *err)
{
	struct mm_buffer text;
	struct mm_json_writer writer;
	mm_buffer_init(&text, 2048, RECORD_MAX_BYTES, turn->arena);
	mm_json_writer_init(&writer, &text);
	mm_turn_write_record(&writer, turn);
	if (text.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the record");
	const struct mm_record record = {.kind = MM_RECORD_TURN,
					 .id = turn->record_id,
					 .json = text.data,
					 .length = text.length};
	const struct mm_spooled spooled = {.tell = admit_spooled, .context = turn};
	return mm_keep(turn->runtime, &record, deferral, &spooled, turn->arena, err);
}

/* With room for what may have to be added when the record is kept and nobody may allocate. */
static void write_answer(struct mm_turn *turn, struct mm_buffer *out)
{
	struct mm_json_writer writer;
	mm_json_writer_init(&writer, out);
	mm_turn_write_answer(&writer, turn);
	mm_buffer_reserve(out, MM_TURN_SPOOLED_BYTES);
	turn->answer = out;
}

static enum mm_status run(struct mm_turn *turn, const struct mm_chat_request *request,
			  struct mm_error *err)
{
	enum mm_status status = read_request(turn, request->body, err);
	if (status == MM_OK)
		status = prove(turn, request, err);
	if (status == MM_OK)
		status = load(turn, err);
	if (status == MM_OK)
		status = make_ids(turn);
	if (status == MM_OK)
		status = detect(turn, err);
	return status == MM_OK ? answer(turn, err) : status;
}

enum mm_status mm_chat(struct mm_runtime *runtime, const struct mm_chat_request *request,
		       struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_turn *turn = mm_arena_zalloc(arena, sizeof *turn);
	if (!turn)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the turn");
	turn->runtime = runtime;
	turn->arena = arena;
	turn->request_id = request->request_id;
	turn->now_utc_ms = mm_clock_utc_ms(runtime->clock);
	if (request->started_mono_ms)
		turn->deadline_mono_ms =
		    request->started_mono_ms + runtime->settings->ai.deadline_ms;
	const enum mm_status status = run(turn, request, err);
	if (status != MM_OK)
		return status;
	write_answer(turn, out);
	/* What cannot be answered is not kept: the 503 says that nothing was accepted. */
	if (out->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the answer");
	return keep(turn, request->deferral, err);
}
