/*
 * ladder: what the bot says to harassment, step by step, and how long it goes on (floor 4).
 *
 * Shape    steps of chat.c over a turn; the texts are those of replies.conf
 * Errors   MM_NO_MEMORY
 * Threads  as the turn
 *
 * The steps of a conversation:
 *   none, low   an answer; a complaint, however strong, is never scolded
 *   medium      an answer; the first time with a notice that asks for a moderate tone
 *   high        a person, with the fixed text of a handoff
 *   critical    a person, with the fixed text that ends the bot's side
 * Self-harm stands above all of it: care, and a person at once; also where a person has the
 * conversation already, who may not be looking: then the care text is given once.
 *
 * Whether the notice was given is stored with the conversation, and read from the messages, so that
 * it is known to every process and without the database.
 */
#ifndef MM_SERVICE_LADDER_H
#define MM_SERVICE_LADDER_H

#include "service/turn.h"

/* The fixed text with which this turn is handed over. */
const char *mm_ladder_text(const struct mm_turn *turn, enum mm_handoff_reason reason);

/* Adds the notice to a reply, if it is due; turn->has_notice then. */
enum mm_status mm_ladder_add_notice(struct mm_turn *turn, struct mm_error *err);

/* Whether the bot has answered conversation.turns_max times since a person had the conversation. */
bool mm_ladder_is_capped(const struct mm_turn *turn);

/* Whether the customer has not yet read `text` from the bot in this conversation. */
bool mm_ladder_is_unsaid(const struct mm_turn *turn, const char *text);

#endif
