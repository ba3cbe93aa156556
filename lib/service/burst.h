/*
 * burst: several messages in a row are one turn, and one model is asked at a time (floor 4).
 *
 * Shape    steps of chat.c over turn->burst; the claims are turn_store's
 * Errors   MM_CONFLICT with code conversation_busy: the turn under way takes no more messages;
 *          MM_DENIED: the conversation is being begun by somebody else; MM_NO_MEMORY
 * Threads  as the turn; of any process
 *
 * The first message holds the conversation's lease while a model is asked. A message that comes
 * meanwhile joins: it is stored at once, its own answer has `response` null and names in
 * `answered_with` the message whose answer covers it, and nobody waits. When the model is done, the
 * holder takes what has joined and asks again, with all of it, at most MM_BURST_ROUNDS times; its
 * answer lists in `answers` what it covers. During the last round nothing joins any more: 409.
 *
 * What needs a person never joins: it is decided before. With the built-in responder alone there is
 * no lease, because nothing takes time. Without the database there is none either. If a worker dies,
 * its lease runs out with the deadline of answers; what joined it is answered with the next message,
 * as a part of the history.
 *
 * Disadvantages: the reply of a round that is asked again is thrown away, but its tokens are paid. A
 * message that comes in the few milliseconds between the end of a lease and the commit of its turn
 * is a turn of its own that does not see that reply.
 */
#ifndef MM_SERVICE_BURST_H
#define MM_SERVICE_BURST_H

#include "service/turn.h"

enum { MM_BURST_ROUNDS = 3 };

/* Takes the lease, or joins the turn that has it: then turn->burst.is_joined is true. */
enum mm_status mm_burst_begin(struct mm_turn *turn, struct mm_error *err);

/*
 * After a round: *is_more_out when messages joined, which turn->question then holds too, judged. The
 * lease has ended otherwise.
 */
enum mm_status mm_burst_take(struct mm_turn *turn, bool *is_more_out, struct mm_error *err);

/* Ends the lease if there is one. */
void mm_burst_end(struct mm_turn *turn);

/* Writes `answered_with` or `answers`; nothing for a message that came alone. */
void mm_burst_write(struct mm_json_writer *writer, const struct mm_turn *turn);

#endif
