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

#include <json-c/json.h>

#include "service/turn.h"
#include "text/json_writer.h"

/* Writes the answer of POST /api/chat. */
void mm_turn_write_answer(struct mm_json_writer *writer, const struct mm_turn *turn);

/* Writes the event `meta` of a streamed turn: what is known before the reply. */
void mm_turn_write_meta(struct mm_json_writer *writer, const struct mm_turn *turn);

/* Writes the same of an answer that was given before. */
void mm_turn_write_old_meta(struct mm_json_writer *writer, struct json_object *answer);

/* Writes its event `done`: the answer, and what it used. */
void mm_turn_write_done(struct mm_json_writer *writer, const struct mm_turn *turn);

/* Writes the journal's record of the part of the turn that turn->part names. */
void mm_turn_write_record(struct mm_json_writer *writer, const struct mm_turn *turn);

/* The most that mm_turn_add_spooled adds, or that an answer grows by losing its reply. */
enum { MM_TURN_SPOOLED_BYTES = 32 };

/* Adds "journal" to what a complete answer says in `degraded`. */
void mm_turn_add_spooled(struct mm_buffer *answer, const struct mm_turn *turn);

#endif
