/*
 * ground: which articles a turn's answer comes from (floor 4).
 *
 * Shape    fills the `sources` and `gap` of a turn; two steps of ask.c, before and after the provider
 * Own      sources are borrowed from the library until the turn's arena is reset
 * Errors   MM_NO_MEMORY. Articles that cannot be read are no error: the library keeps those it has
 * Threads  as the turn
 *
 * The masked question is searched. Where no article answers it alone, it is searched once more
 * behind the customer's last message: "and how long does that take?" is about what was said before.
 */
#ifndef MM_SERVICE_GROUND_H
#define MM_SERVICE_GROUND_H

#include "service/turn.h"

/* Finds the sources of the masked request and puts them into it and into the turn. */
enum mm_status mm_ground_request(struct mm_turn *turn, struct mm_ai_request *request,
				 struct mm_error *err);

/*
 * Notes a question that no article answered as a gap; where the company has no articles yet, only
 * one that the built-in responder could not place. Greetings, thanks, complaints and harassment are
 * no questions, and a built-in answer about an order that the customer has named needs no article.
 */
void mm_ground_note_gap(struct mm_turn *turn, const struct mm_ai_request *request);

#endif
