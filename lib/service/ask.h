/*
 * ask: has a provider answer a turn (floor 4).
 *
 * Shape    fills turn->reply; a step of chat.c
 * Own      the reply's texts live in the turn's arena
 * Errors   those of the provider; MM_NO_MEMORY
 * Threads  as the turn
 *
 * Personal data of the message and of the history is masked before it leaves, one mask for all of
 * it, and put back into the reply. The articles that answer the masked question go with it (ground.h).
 * A reply goes out only if lib/ai/guard finds nothing in it and no rule of the detector calls it
 * harassment; otherwise the chain asks the next provider.
 */
#ifndef MM_SERVICE_ASK_H
#define MM_SERVICE_ASK_H

#include "service/turn.h"

enum mm_status mm_ask_provider(struct mm_turn *turn, struct mm_error *err);

#endif
