/* burst: who asks for a conversation, and with which messages. Asking is ask's. */
#include "config.h"

#include "service/burst.h"

#include <string.h>

#include "base/log.h"
#include "store/turn_store.h"

enum {
	LEASE_TIMEOUT_MS = 1000,
	LEASE_GRACE_MS = 5000, /* beyond the deadline of an answer */
};

static struct mm_turn_caller caller_of(const struct mm_turn *turn)
{
	return (struct mm_turn_caller){.pool = turn->runtime->pool,
				       .holder = turn->message_id,
				       .deadline_mono_ms = mm_clock_mono_ms(turn->runtime->clock) +
							   LEASE_TIMEOUT_MS};
}

/* An id that nobody else can know yet, a responder that takes no time, or no database. A streamed
 * turn tells its new id before the reply. */
static bool needs_no_lease(const struct mm_turn *turn)
{
	return (!turn->has_conversation && !turn->stream) ||
	       turn->degradations & 1u << MM_DEGRADED_HISTORY ||
	       strcmp(turn->runtime->settings->ai.chain, "builtin") == 0;
}

static enum mm_status judge_lease(struct mm_turn *turn, enum mm_lease lease, struct mm_error *err)
{
	turn->burst.has_lease = lease == MM_LEASE_HELD;
	turn->burst.is_joined = lease == MM_LEASE_JOINED;
	if (lease == MM_LEASE_DENIED)
		return mm_error_set(err, MM_DENIED, NULL, "conversation_token",
				    "this conversation needs its conversation_token");
	if (lease == MM_LEASE_FULL)
		return mm_error_set(err, MM_CONFLICT, "conversation_busy", "conversation_id",
				    "earlier messages are still being answered; send it again");
	return MM_OK;
}

enum mm_status mm_burst_begin(struct mm_turn *turn, struct mm_error *err)
{
	const struct mm_turn_caller caller = caller_of(turn);
	struct mm_error cause = {.status = MM_OK};
	enum mm_lease lease;
	if (needs_no_lease(turn))
		return MM_OK;
	const struct mm_turn_message message = {
	    .conversation_id = turn->conversation_id,
	    .id = turn->message_id,
	    .text =
		mm_arena_printf(turn->arena, "%.*s", (int)turn->message.length, turn->message.text),
	    .is_proved = turn->is_proved};
	if (!message.text)
		return mm_error_cause(err, MM_NO_MEMORY, "burst: no memory for the message");
	if (mm_turn_begin(&caller, &message,
			  turn->runtime->settings->ai.deadline_ms + LEASE_GRACE_MS, &lease,
			  &turn->burst.answered_with, turn->arena, &cause) == MM_OK)
		return judge_lease(turn, lease, err);
	mm_log(MM_LOG_INFO, turn->request_id, "chat: no lease: %s", cause.cause);
	return MM_OK;
}

static enum mm_status add_answered(struct mm_burst *burst, const struct mm_turn_message *messages,
				   size_t count, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_id *ids = mm_arena_array(arena, burst->count + count, sizeof *ids);
	if (!ids)
		return mm_error_cause(err, MM_NO_MEMORY, "burst: no memory for what joined");
	if (burst->count > 0)
		memcpy(ids, burst->ids, burst->count * sizeof *ids);
	for (size_t i = 0; i < count; i++)
		ids[burst->count + i] = messages[i].id;
	burst->ids = ids;
	burst->count += count;
	return MM_OK;
}

/* `first` and the messages behind it, with `joint` in between. */
static enum mm_status join(const struct mm_message *first, const struct mm_turn_message *messages,
			   size_t count, const char *joint, struct mm_message *out,
			   struct mm_arena *arena, struct mm_error *err)
{
	struct mm_buffer text;
	mm_buffer_init(&text, first->length + 256, 0, arena);
	mm_buffer_add(&text, first->text, first->length);
	for (size_t i = 0; i < count; i++) {
		mm_buffer_add_text(&text, joint);
		mm_buffer_add(&text, messages[i].text, messages[i].length);
	}
	if (text.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "burst: no memory for the question");
	*out = (struct mm_message){mm_buffer_text(&text), text.length};
	return MM_OK;
}

/* All that the customer has said since the last answer: a line a message for the model; as one
 * sentence for the detector, because a sentence is often sent in parts. */
static enum mm_status ask_all(struct mm_turn *turn, const struct mm_turn_message *messages,
			      size_t count, struct mm_error *err)
{
	struct mm_message *sentence = &turn->burst.sentence;
	struct mm_analysis *analysis = mm_arena_zalloc(turn->arena, sizeof *analysis);
	if (!analysis)
		return mm_error_cause(err, MM_NO_MEMORY, "burst: no memory for the question");
	if (!sentence->text)
		*sentence = turn->message;
	enum mm_status status =
	    join(&turn->question, messages, count, "\n", &turn->question, turn->arena, err);
	if (status == MM_OK)
		status =
		    join(sentence, messages, count, turn->language == MM_LANGUAGE_JA ? "" : " ",
			 sentence, turn->arena, err);
	if (status == MM_OK)
		status = mm_detect(turn->detector, sentence->text, sentence->length, NULL, analysis,
				   turn->arena, err);
	turn->question_analysis = analysis;
	return status;
}

enum mm_status mm_burst_take(struct mm_turn *turn, bool *is_more_out, struct mm_error *err)
{
	struct mm_burst *burst = &turn->burst;
	const struct mm_turn_caller caller = caller_of(turn);
	struct mm_turn_message *messages;
	struct mm_error cause = {.status = MM_OK};
	size_t count;
	*is_more_out = false;
	if (!burst->has_lease)
		return MM_OK;
	burst->rounds++;
	if (mm_turn_take_joins(&caller, &turn->conversation_id,
			       burst->rounds + 1 >= MM_BURST_ROUNDS, &messages, &count, turn->arena,
			       &cause) != MM_OK) {
		mm_log(MM_LOG_INFO, turn->request_id, "chat: who joined is not known: %s",
		       cause.cause);
		return MM_OK;
	}
	burst->has_lease = count > 0;
	if (count == 0)
		return MM_OK;
	*is_more_out = true;
	const enum mm_status status = add_answered(burst, messages, count, turn->arena, err);
	return status == MM_OK ? ask_all(turn, messages, count, err) : status;
}

void mm_burst_end(struct mm_turn *turn)
{
	const struct mm_turn_caller caller = caller_of(turn);
	struct mm_error cause = {.status = MM_OK};
	if (!turn->burst.has_lease)
		return;
	turn->burst.has_lease = false;
	if (mm_turn_end(&caller, &turn->conversation_id, turn->arena, &cause) != MM_OK)
		mm_log(MM_LOG_INFO, turn->request_id, "chat: a lease runs out by itself: %s",
		       cause.cause);
}

static void write_id(struct mm_json_writer *writer, const struct mm_id *id)
{
	char text[MM_ID_TEXT];
	mm_id_format(id, text);
	mm_json_write_text(writer, text);
}

void mm_burst_write(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	const struct mm_burst *burst = &turn->burst;
	if (burst->is_joined) {
		mm_json_key(writer, "answered_with");
		write_id(writer, &burst->answered_with);
	}
	if (burst->count == 0)
		return;
	mm_json_key(writer, "answers");
	mm_json_array_begin(writer);
	write_id(writer, &turn->message_id);
	for (size_t i = 0; i < burst->count; i++)
		write_id(writer, &burst->ids[i]);
	mm_json_array_end(writer);
}
