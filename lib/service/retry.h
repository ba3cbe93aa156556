/*
 * retry: a message that is sent again gets the first answer (floor 4).
 *
 * Shape    steps of chat.c over turn->retry. The client names its message with a key: the header
 *          Idempotency-Key, or client_message_id in the body, which stands before the header.
 * Errors   MM_BAD_INPUT: the key is malformed, too short to be a proof, or was used for another
 *          message (code idempotency_key_reused); MM_CONFLICT with code conversation_busy: the first
 *          is still being answered
 * Threads  as the turn
 *
 * A key belongs to its conversation. Before a client has the conversation's token, its key is what
 * proves that the first answer, which holds the token, is its own: such a key has at least
 * MM_RETRY_PROOF_MIN characters, which the client has to draw at random, and only a first message
 * sent the same way is answered by it. Keys and messages are stored as names of mac.h; the answer is
 * stored without its token, which is made again.
 *
 * The claim on a key is made before anything else is done and is void after the time that an answer
 * may take, so that a worker that died does not keep its client waiting. The answer comes to the
 * database with the turn, in one transaction. While the database is away nothing can be claimed, and
 * a record that waits in a spool has not brought its answer yet: then a retry may be a second turn,
 * and the answer says "idempotency" in `degraded`.
 */
#ifndef MM_SERVICE_RETRY_H
#define MM_SERVICE_RETRY_H

#include "base/buffer.h"
#include "service/chat.h"
#include "service/turn.h"

enum {
	MM_RETRY_KEY_MAX = 255,
	MM_RETRY_PROOF_MIN = 16,
};

/* Reads the key, if there is one. */
enum mm_status mm_retry_read(struct mm_turn *turn, const struct mm_chat_request *request,
			     struct mm_error *err);

/* Claims the key; *is_replayed_out, when the first answer was written to `out`. */
enum mm_status mm_retry_claim(struct mm_turn *turn, struct mm_buffer *out, bool *is_replayed_out,
			      struct mm_error *err);

/* Gives the claim up, if there is one: the turn was refused, and may come again at once. */
void mm_retry_release(struct mm_turn *turn);

/* Whether the next record brings the answer for a retry. One that was broken off is none: its retry
 * is answered anew. */
bool mm_retry_has_answer(const struct mm_turn *turn);

/* Writes "idempotency" of that record: {key, message, answer}, and what the answer is instead if the
 * reply is not kept. */
void mm_retry_write(struct mm_json_writer *writer, const struct mm_turn *turn);

#endif
