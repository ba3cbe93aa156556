/*
 * turn_json: a turn as the client gets it and as the journal keeps it (floor 4).
 *
 * Shape    whole JSON objects appended to a struct mm_json_writer; the record's shape is the one
 *          that mamori.keep_turns() in sql/ takes
 * Errors   the writer's buffer remembers a failure
 * Threads  none is shared
 */
#ifndef MM_SERVICE_TURN_JSON_H
#define MM_SERVICE_TURN_JSON_H

#include "service/turn.h"
#include "text/json_writer.h"

/* Writes the answer of POST /api/chat. */
void mm_turn_write_answer(struct mm_json_writer *writer, const struct mm_turn *turn);

/* Writes the journal's record of the turn. */
void mm_turn_write_record(struct mm_json_writer *writer, const struct mm_turn *turn);

/* The most that mm_turn_add_spooled adds. */
enum { MM_TURN_SPOOLED_BYTES = 32 };

/* Adds "journal" to what a complete answer says in `degraded`. */
void mm_turn_add_spooled(struct mm_buffer *answer, const struct mm_turn *turn);

#endif
