/* turn_store: one statement a function. What a claim means is the services'. */
#include "config.h"

#include "store/turn_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const claim_names[MM_CLAIM__MAX] = {"claimed", "answered", "under_way",
						       "reused"};
static const char *const lease_names[MM_LEASE__MAX] = {"holds", "joined", "full", "denied"};

/* A name's position, or -1. */
static int find_name(const char *const names[], int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static enum mm_status run(const struct mm_turn_caller *caller, const char *sql, int count,
			  const char *const values[], PGresult **rows, struct mm_arena *arena,
			  struct mm_error *err)
{
	return mm_pool_exec(caller->pool, sql, count, values, caller->deadline_mono_ms, rows, arena,
			    err);
}

/* The first column of the one row, as a position in `names`. */
static enum mm_status read_state(const PGresult *rows, const char *const names[], int count,
				 int *out, struct mm_error *err)
{
	const int state =
	    PQntuples(rows) == 1 ? find_name(names, count, PQgetvalue(rows, 0, 0)) : -1;
	if (state < 0)
		return mm_error_cause(err, MM_UPSTREAM, "turn: the database answers otherwise");
	*out = state;
	return MM_OK;
}

enum mm_status mm_turn_claim(const struct mm_turn_caller *caller, const struct mm_turn_key *key,
			     int64_t claim_ms, enum mm_claim *claim_out, const char **answer_out,
			     struct mm_arena *arena, struct mm_error *err)
{
	char holder[MM_ID_TEXT], milliseconds[24];
	const char *const values[] = {key->key, key->message, holder, milliseconds};
	PGresult *rows;
	int state = 0;

	mm_id_format(&caller->holder, holder);
	snprintf(milliseconds, sizeof milliseconds, "%" PRId64, claim_ms);
	enum mm_status status =
	    run(caller, "SELECT * FROM mamori.claim_turn($1, $2, $3::uuid, $4::integer)", 4, values,
		&rows, arena, err);
	if (status == MM_OK)
		status = read_state(rows, claim_names, MM_CLAIM__MAX, &state, err);
	if (status != MM_OK)
		return status;
	*claim_out = (enum mm_claim)state;
	*answer_out = state == MM_CLAIM_ANSWERED ? PQgetvalue(rows, 0, 1) : NULL;
	return MM_OK;
}

enum mm_status mm_turn_release(const struct mm_turn_caller *caller, const struct mm_turn_key *key,
			       struct mm_arena *arena, struct mm_error *err)
{
	char holder[MM_ID_TEXT];
	const char *const values[] = {key->key, holder};

	mm_id_format(&caller->holder, holder);
	return run(caller, "SELECT mamori.release_turn($1, $2::uuid)", 2, values, NULL, arena, err);
}

enum mm_status mm_turn_begin(const struct mm_turn_caller *caller,
			     const struct mm_turn_message *message, int64_t lease_ms,
			     enum mm_lease *lease_out, struct mm_id *answered_with_out,
			     struct mm_arena *arena, struct mm_error *err)
{
	char conversation[MM_ID_TEXT], holder[MM_ID_TEXT], id[MM_ID_TEXT], milliseconds[24];
	const char *const values[] = {
	    conversation, holder, id, message->text, message->is_proved ? "true" : "false",
	    milliseconds};
	PGresult *rows;
	int state = 0;

	mm_id_format(&message->conversation_id, conversation);
	mm_id_format(&caller->holder, holder);
	mm_id_format(&message->id, id);
	snprintf(milliseconds, sizeof milliseconds, "%" PRId64, lease_ms);
	enum mm_status status = run(caller,
				    "SELECT * FROM mamori.begin_turn($1::uuid, $2::uuid, $3::uuid, "
				    "$4, $5::boolean, $6::integer)",
				    6, values, &rows, arena, err);
	if (status == MM_OK)
		status = read_state(rows, lease_names, MM_LEASE__MAX, &state, err);
	if (status != MM_OK)
		return status;
	*lease_out = (enum mm_lease)state;
	if (state == MM_LEASE_JOINED &&
	    !mm_id_parse(PQgetvalue(rows, 0, 1), (size_t)PQgetlength(rows, 0, 1),
			 answered_with_out))
		return mm_error_cause(err, MM_UPSTREAM, "turn: the message has no id");
	return MM_OK;
}

enum mm_status mm_turn_take_joins(const struct mm_turn_caller *caller,
				  const struct mm_id *conversation, bool is_last,
				  struct mm_turn_message **out, size_t *count_out,
				  struct mm_arena *arena, struct mm_error *err)
{
	char id[MM_ID_TEXT], holder[MM_ID_TEXT];
	const char *const values[] = {id, holder, is_last ? "true" : "false"};
	PGresult *rows;

	mm_id_format(conversation, id);
	mm_id_format(&caller->holder, holder);
	const enum mm_status status =
	    run(caller, "SELECT * FROM mamori.take_joins($1::uuid, $2::uuid, $3::boolean)", 3,
		values, &rows, arena, err);
	if (status != MM_OK)
		return status;
	const size_t count = (size_t)PQntuples(rows);
	struct mm_turn_message *messages = mm_arena_array(arena, count, sizeof *messages);
	if (!messages)
		return mm_error_cause(err, MM_NO_MEMORY, "turn: no memory for what joined");
	for (int row = 0; row < (int)count; row++) {
		messages[row] =
		    (struct mm_turn_message){.conversation_id = *conversation,
					     .text = PQgetvalue(rows, row, 1),
					     .length = (size_t)PQgetlength(rows, row, 1),
					     .is_proved = true};
		mm_id_parse(PQgetvalue(rows, row, 0), (size_t)PQgetlength(rows, row, 0),
			    &messages[row].id);
	}
	*out = messages;
	*count_out = count;
	return MM_OK;
}

enum mm_status mm_turn_end(const struct mm_turn_caller *caller, const struct mm_id *conversation,
			   struct mm_arena *arena, struct mm_error *err)
{
	char id[MM_ID_TEXT], holder[MM_ID_TEXT];
	const char *const values[] = {id, holder};

	mm_id_format(conversation, id);
	mm_id_format(&caller->holder, holder);
	return run(caller, "SELECT mamori.end_turn($1::uuid, $2::uuid)", 2, values, NULL, arena,
		   err);
}
