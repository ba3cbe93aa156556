/* turn_stream: when which event leaves, and what is durable by then; decides nothing of the turn. */
#include "config.h"

#include "service/turn_stream.h"

#include <string.h>

#include "base/log.h"
#include "service/retry.h"
#include "service/turn_json.h"
#include "text/json.h"

enum { EVENT_INITIAL = 1024, EVENT_MAX = 1024 * 1024, SENT_INITIAL = 512 };

void mm_turn_stream_init(struct mm_turn_stream *stream, const struct mm_audience *audience,
			 struct mm_arena *arena)
{
	*stream = (struct mm_turn_stream){.audience = audience, .attempt = 1};
	mm_buffer_init(&stream->sent, SENT_INITIAL, EVENT_MAX, arena);
}

/* ---- events */

static bool send(struct mm_turn_stream *stream, const char *event, const struct mm_buffer *json)
{
	const struct mm_audience *audience = stream->audience;
	if (stream->state == MM_AUDIENCE_LEFT)
		return false;
	if (json->has_failed || !audience->send(audience->context, event, json->data, json->length))
		stream->state = MM_AUDIENCE_LEFT;
	return stream->state != MM_AUDIENCE_LEFT;
}

static void send_meta(struct mm_turn *turn)
{
	struct mm_buffer json;
	struct mm_json_writer writer;
	mm_buffer_init(&json, EVENT_INITIAL, EVENT_MAX, turn->arena);
	mm_json_writer_init(&writer, &json);
	mm_turn_write_meta(&writer, turn);
	turn->stream->has_begun = true;
	send(turn->stream, "meta", &json);
}

/* There are many deltas: their memory is not the turn's. */
static bool send_delta(struct mm_turn_stream *stream, const char *text, size_t length)
{
	struct mm_buffer json;
	struct mm_json_writer writer;
	mm_buffer_init(&json, length + 64, EVENT_MAX, NULL);
	mm_json_writer_init(&writer, &json);
	mm_json_object_begin(&writer);
	mm_json_pair_i64(&writer, "attempt", stream->attempt);
	mm_json_pair_bytes(&writer, "text", text, length);
	mm_json_object_end(&writer);
	const bool is_sent = send(stream, "delta", &json);
	mm_buffer_free(&json);
	return is_sent;
}

/* ---- while a model answers */

enum mm_status mm_turn_stream_begin(struct mm_turn *turn, struct mm_error *err)
{
	if (turn->stream->has_begun) {
		mm_turn_stream_take_back(turn);
		return MM_OK;
	}
	turn->part = MM_TURN_MESSAGE;
	enum mm_status status = turn->stream->keep(turn, err);
	turn->part = MM_TURN_REPLY;
	if (status == MM_OK)
		status = mm_id_next(turn->runtime->ids, &turn->record_id);
	if (status == MM_OK)
		send_meta(turn);
	return status;
}

bool mm_turn_stream_show(struct mm_turn *turn, const char *text, size_t length)
{
	if (length > 0 && send_delta(turn->stream, text, length))
		mm_buffer_add(&turn->stream->sent, text, length);
	return mm_turn_stream_wait(turn);
}

void mm_turn_stream_take_back(struct mm_turn *turn)
{
	struct mm_turn_stream *stream = turn->stream;
	if (stream->sent.length == 0)
		return;
	mm_buffer_clear(&stream->sent);
	stream->attempt++;
	send_delta(stream, "", 0);
}

bool mm_turn_stream_wait(struct mm_turn *turn)
{
	struct mm_turn_stream *stream = turn->stream;
	if (stream->state == MM_AUDIENCE_THERE)
		stream->state = stream->audience->wait(stream->audience->context);
	return stream->state == MM_AUDIENCE_THERE;
}

/* ---- the end */

/* The client shall have shown the reply as it is kept. */
static void send_rest(struct mm_turn *turn)
{
	const struct mm_buffer *sent = &turn->stream->sent;
	const char *text = turn->is_answered ? turn->reply.text : "";
	const size_t length = strlen(text);
	if (length < sent->length || memcmp(text, sent->data, sent->length) != 0)
		mm_turn_stream_take_back(turn);
	if (length > sent->length)
		mm_turn_stream_show(turn, text + sent->length, length - sent->length);
}

static void write_done(struct mm_turn *turn, struct mm_buffer *json)
{
	struct mm_json_writer writer;
	mm_buffer_init(json, EVENT_INITIAL, EVENT_MAX, turn->arena);
	mm_json_writer_init(&writer, json);
	mm_turn_write_done(&writer, turn);
	mm_buffer_reserve(json, MM_TURN_SPOOLED_BYTES);
}

static enum mm_status send_off(struct mm_turn *turn, struct mm_error *err)
{
	if (turn->stream->state == MM_AUDIENCE_SENT_OFF && turn->reply.outcome == MM_AI_STOPPED)
		return mm_error_set(
		    err, MM_STOPPING, "stopping", NULL,
		    "The service is restarting; what was shown of the reply is kept");
	if (turn->stream->state == MM_AUDIENCE_LEFT)
		mm_log(MM_LOG_INFO, turn->request_id, "chat: the client left before the end");
	return MM_OK;
}

/* A person has the conversation, or the client left before the first word: then the message is all
 * that there is, and the answer that a retry gets. */
static bool has_more_to_keep(const struct mm_turn *turn)
{
	return turn->part == MM_TURN_WHOLE || turn->is_answered || turn->has_handoff ||
	       mm_retry_has_answer(turn);
}

enum mm_status mm_turn_stream_end(struct mm_turn *turn, struct mm_error *err)
{
	struct mm_buffer *done = mm_arena_zalloc(turn->arena, sizeof *done);
	if (done)
		write_done(turn, done);
	if (!done || done->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "chat: no memory for the answer");
	turn->answer = done;
	if (turn->is_spooled)
		mm_turn_add_spooled(done, turn);
	const enum mm_status status =
	    has_more_to_keep(turn) ? turn->stream->keep(turn, err) : MM_OK;
	turn->answer = NULL;
	if (status != MM_OK)
		return status;
	if (!turn->stream->has_begun)
		send_meta(turn);
	send_rest(turn);
	if (turn->reply.outcome != MM_AI_STOPPED)
		send(turn->stream, "done", done);
	return send_off(turn, err);
}

/* ---- the same again */

enum mm_status mm_turn_stream_replay(struct mm_turn *turn, const struct mm_buffer *answer,
				     struct mm_error *err)
{
	struct json_object *old;
	struct mm_buffer json;
	struct mm_json_writer writer;
	const char *text = NULL;
	size_t length = 0;
	enum mm_status status =
	    mm_json_parse(answer->data, answer->length, NULL, &old, turn->arena, err);
	if (status == MM_OK)
		status = mm_json_text(old, "response", false, &text, &length, err);
	if (status != MM_OK)
		return mm_error_cause(err, MM_BUG, "chat: a stored answer is no JSON object");
	mm_buffer_init(&json, EVENT_INITIAL, EVENT_MAX, turn->arena);
	mm_json_writer_init(&writer, &json);
	mm_turn_write_old_meta(&writer, old);
	send(turn->stream, "meta", &json);
	if (length > 0)
		send_delta(turn->stream, text, length);
	send(turn->stream, "done", answer);
	return MM_OK;
}
