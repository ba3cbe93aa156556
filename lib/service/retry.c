/* retry: names keys, claims them, and puts the token back into a stored answer. */
#include "config.h"

#include "service/retry.h"

#include <string.h>

#include "base/log.h"
#include "base/token.h"
#include "service/keep.h"
#include "service/turn_json.h"
#include "store/turn_store.h"

enum {
	CLAIM_TIMEOUT_MS = 1000,
	CLAIM_GRACE_MS = 5000, /* beyond the deadline of an answer */
};

/* How every answer begins; see mm_turn_write_answer. */
static const char BEFORE_ID[] = "{\"conversation_id\":\"";
static const char BEFORE_TOKEN[] = "\",\"conversation_token\":\"";
enum {
	ID_AT = sizeof BEFORE_ID - 1,
	ID_BYTES = MM_ID_TEXT - 1,
	TOKEN_AT = ID_AT + ID_BYTES + sizeof BEFORE_TOKEN - 1,
	TOKEN_BYTES = MM_TOKEN_TEXT - 1,
};

static bool is_key(const char *key, size_t length)
{
	if (length == 0 || length > MM_RETRY_KEY_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (key[i] < '!' || key[i] > '~')
			return false;
	return true;
}

enum mm_status mm_retry_read(struct mm_turn *turn, const struct mm_chat_request *request,
			     struct mm_error *err)
{
	const char *field = "client_message_id";
	const char *key;
	size_t length;
	const enum mm_status status = mm_json_text(request->body, field, false, &key, &length, err);
	if (status != MM_OK)
		return status;
	if (!key) {
		field = "Idempotency-Key";
		key = request->idempotency_key;
		length = key ? strlen(key) : 0;
	}
	if (key && !is_key(key, length))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field,
				    "%s must have 1 to %d visible ASCII characters", field,
				    MM_RETRY_KEY_MAX);
	turn->retry.client_key = key;
	turn->retry.field = field;
	return MM_OK;
}

static void name_key(struct mm_turn *turn)
{
	struct mm_retry *retry = &turn->retry;
	const char *scope = turn->is_proved ? "turn of a conversation" : "first turn";
	const struct mm_mac_part key[] = {
	    {scope, strlen(scope)},
	    {turn->conversation_id.bytes,
	     turn->has_conversation ? sizeof turn->conversation_id.bytes : 0},
	    {retry->client_key, strlen(retry->client_key)},
	};
	static const char purpose[] = "message of a turn";
	const struct mm_mac_part message[] = {
	    {purpose, sizeof purpose - 1},
	    {turn->message.text, turn->message.length},
	};
	mm_mac_make(turn->runtime->token_secret, key, sizeof key / sizeof key[0], retry->key);
	mm_mac_make(turn->runtime->token_secret, message, sizeof message / sizeof message[0],
		    retry->message);
	retry->is_named = true;
}

static struct mm_turn_caller caller_of(const struct mm_turn *turn)
{
	return (struct mm_turn_caller){.pool = turn->runtime->pool,
				       .holder = turn->message_id,
				       .deadline_mono_ms = mm_clock_mono_ms(turn->runtime->clock) +
							   CLAIM_TIMEOUT_MS};
}

static bool has_frame(const char *answer)
{
	return strlen(answer) > TOKEN_AT + TOKEN_BYTES &&
	       memcmp(answer, BEFORE_ID, sizeof BEFORE_ID - 1) == 0 &&
	       memcmp(answer + ID_AT + ID_BYTES, BEFORE_TOKEN, sizeof BEFORE_TOKEN - 1) == 0;
}

/* Nobody can tell whether this is the first time: answer, and say so. */
static enum mm_status go_on_unclaimed(struct mm_turn *turn, const struct mm_error *cause)
{
	mm_log(MM_LOG_INFO, turn->request_id, "chat: no claim on the key: %s", cause->cause);
	turn->degradations |= 1u << MM_DEGRADED_IDEMPOTENCY;
	return MM_OK;
}

/* What an older version stored otherwise is no answer that could be given. */
static enum mm_status replay(struct mm_turn *turn, const char *answer, struct mm_buffer *out,
			     bool *is_replayed_out, struct mm_error *err)
{
	char token[MM_TOKEN_TEXT];
	struct mm_id id;
	struct mm_error cause;
	if (!has_frame(answer) || !mm_id_parse(answer + ID_AT, ID_BYTES, &id)) {
		mm_error_cause(&cause, MM_BUG, "the stored answer begins otherwise");
		return go_on_unclaimed(turn, &cause);
	}
	mm_token_make(turn->runtime->token_secret, &id, token);
	mm_buffer_add(out, answer, TOKEN_AT);
	mm_buffer_add(out, token, TOKEN_BYTES);
	mm_buffer_add_text(out, answer + TOKEN_AT + TOKEN_BYTES);
	*is_replayed_out = true;
	return out->has_failed
		   ? mm_error_cause(err, MM_NO_MEMORY, "retry: no memory for the answer")
		   : MM_OK;
}

static enum mm_status judge_claim(struct mm_turn *turn, enum mm_claim claim, struct mm_error *err)
{
	if (claim == MM_CLAIM_REUSED)
		return mm_error_set(err, MM_BAD_INPUT, "idempotency_key_reused", turn->retry.field,
				    "this key was used for another message");
	if (claim == MM_CLAIM_UNDER_WAY)
		return mm_error_set(err, MM_CONFLICT, "conversation_busy", turn->retry.field,
				    "this message is still being answered; ask again");
	return MM_OK;
}

static enum mm_status claim(struct mm_turn *turn, const char **answer, struct mm_error *err)
{
	const struct mm_turn_caller caller = caller_of(turn);
	const struct mm_turn_key key = {turn->retry.key, turn->retry.message};
	struct mm_error cause = {.status = MM_OK};
	enum mm_claim claim;
	/* Asked first: a spool may be emptied while the database is read. */
	const bool may_be_spooled = mm_keep_may_be_spooled(turn->runtime, turn->arena);
	if (mm_turn_claim(&caller, &key, turn->runtime->settings->ai.deadline_ms + CLAIM_GRACE_MS,
			  &claim, answer, turn->arena, &cause) != MM_OK)
		return go_on_unclaimed(turn, &cause);
	turn->retry.is_claimed = claim == MM_CLAIM_TAKEN;
	if (claim == MM_CLAIM_TAKEN && may_be_spooled)
		turn->degradations |= 1u << MM_DEGRADED_IDEMPOTENCY;
	return judge_claim(turn, claim, err);
}

enum mm_status mm_retry_claim(struct mm_turn *turn, struct mm_buffer *out, bool *is_replayed_out,
			      struct mm_error *err)
{
	const char *answer = NULL;
	*is_replayed_out = false;
	if (!turn->retry.client_key)
		return MM_OK;
	if (!turn->is_proved && strlen(turn->retry.client_key) < MM_RETRY_PROOF_MIN)
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", turn->retry.field,
				    "without a conversation_token %s must have at least %d "
				    "characters, drawn at random, such as a UUID",
				    turn->retry.field, MM_RETRY_PROOF_MIN);
	name_key(turn);
	const enum mm_status status = claim(turn, &answer, err);
	if (status != MM_OK || !answer)
		return status;
	return replay(turn, answer, out, is_replayed_out, err);
}

void mm_retry_release(struct mm_turn *turn)
{
	const struct mm_turn_caller caller = caller_of(turn);
	const struct mm_turn_key key = {turn->retry.key, turn->retry.message};
	struct mm_error cause = {.status = MM_OK};
	if (!turn->retry.is_claimed)
		return;
	turn->retry.is_claimed = false;
	if (mm_turn_release(&caller, &key, turn->arena, &cause) != MM_OK)
		mm_log(MM_LOG_INFO, turn->request_id, "chat: a claim runs out by itself: %s",
		       cause.cause);
}

/* The answer with "-" in the place of its token, or NULL. */
static const char *blank_token(struct mm_buffer *text, struct mm_arena *arena)
{
	char *answer = mm_arena_strdup(arena, mm_buffer_text(text));
	if (!answer || !has_frame(answer))
		return NULL;
	memset(answer + TOKEN_AT, '-', TOKEN_BYTES);
	return answer;
}

bool mm_retry_has_answer(const struct mm_turn *turn)
{
	return turn->retry.is_named && turn->answer && turn->reply.outcome != MM_AI_STOPPED;
}

/* A person may take the conversation until the record is applied. */
static const char *answer_without_reply(const struct mm_turn *turn)
{
	struct mm_turn silent = *turn;
	struct mm_buffer answer;
	struct mm_json_writer writer;
	mm_turn_drop_reply(&silent, MM_OWNER_HUMAN);
	mm_buffer_init(&answer, turn->answer->length, 0, turn->arena);
	mm_json_writer_init(&writer, &answer);
	mm_turn_write_answer(&writer, &silent);
	return blank_token(&answer, turn->arena);
}

void mm_retry_write(struct mm_json_writer *writer, const struct mm_turn *turn)
{
	if (!mm_retry_has_answer(turn))
		return;
	mm_json_key(writer, "idempotency");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "key", turn->retry.key);
	mm_json_pair_text(writer, "message", turn->retry.message);
	mm_json_pair_text(writer, "answer", blank_token(turn->answer, turn->arena));
	if (mm_turn_is_reply_held(turn))
		mm_json_pair_text(writer, "without_reply", answer_without_reply(turn));
	mm_json_object_end(writer);
}
