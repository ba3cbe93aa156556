/* desk_store: calls the functions of sql/006-people.sql; decides nothing. */
#include "config.h"

#include "store/desk_store.h"

#include <stdio.h>
#include <string.h>

/* Columns of mamori.desk_result. */
enum column {
	COLUMN_OUTCOME,
	COLUMN_HANDOFF,
	COLUMN_CONVERSATION,
	COLUMN_OWNER,
	COLUMN_ASSIGNED_TO,
	COLUMN_MESSAGE,
	COLUMN__MAX
};

#define END_SQL                                                                                    \
	"SELECT * FROM mamori.desk_end($1::uuid, $2::bigint, $3::text, $4::uuid, $5::text,"        \
	" $6::text)"

static const struct {
	const char *name;
	const char *sql;
} verbs[MM_DESK_VERB__MAX] = {
    [MM_DESK_ACCEPT] = {"accept", "SELECT * FROM mamori.desk_accept($1::uuid, $2::bigint,"
				  " $3::text, $4::uuid, $6::text, $5::uuid)"},
    [MM_DESK_REPLY] = {"reply", "SELECT * FROM mamori.desk_reply($1::uuid, $2::bigint, $3::text,"
				" $4::uuid, $5::uuid, $6::text)"},
    [MM_DESK_RETURN] = {"return", END_SQL},
    [MM_DESK_RESOLVE] = {"resolve", END_SQL},
    [MM_DESK_CLOSE] = {"close", END_SQL},
};

static const char *const outcomes[MM_DESK_OUTCOME__MAX] = {
    [MM_DESK_DONE] = "done",   [MM_DESK_UNKNOWN] = "unknown", [MM_DESK_ENDED] = "ended",
    [MM_DESK_TAKEN] = "taken", [MM_DESK_WAITING] = "waiting", [MM_DESK_CLOSED] = "closed",
};

const char *mm_desk_verb_name(enum mm_desk_verb verb)
{
	return (unsigned)verb < MM_DESK_VERB__MAX ? verbs[verb].name : "unknown";
}

static const char *text_or_null(const PGresult *rows, enum column column)
{
	return PQgetisnull(rows, 0, column) ? NULL : PQgetvalue(rows, 0, column);
}

static enum mm_status read_result(const PGresult *rows, struct mm_desk_result *out,
				  struct mm_error *err)
{
	struct mm_desk_result result = {.outcome = MM_DESK_DONE};

	if (PQntuples(rows) != 1 || PQnfields(rows) != COLUMN__MAX)
		return mm_error_cause(err, MM_UPSTREAM, "desk_result: other columns");
	const char *outcome = PQgetvalue(rows, 0, COLUMN_OUTCOME);
	while (strcmp(outcomes[result.outcome], outcome) != 0)
		if (++result.outcome == MM_DESK_OUTCOME__MAX)
			return mm_error_cause(err, MM_UPSTREAM, "desk_result: \"%s\"", outcome);
	result.handoff_id = text_or_null(rows, COLUMN_HANDOFF);
	result.conversation_id = text_or_null(rows, COLUMN_CONVERSATION);
	result.owner = text_or_null(rows, COLUMN_OWNER);
	result.assigned_to = text_or_null(rows, COLUMN_ASSIGNED_TO);
	result.message_id = text_or_null(rows, COLUMN_MESSAGE);
	*out = result;
	return MM_OK;
}

enum mm_status mm_desk_store_act(struct mm_pool *pool, const struct mm_desk_action *action,
				 int64_t deadline_mono_ms, struct mm_desk_result *out,
				 struct mm_arena *arena, struct mm_error *err)
{
	char id[MM_ID_TEXT], at[24], target[MM_ID_TEXT], made[MM_ID_TEXT];
	const char *values[] = {id, at, action->actor, target, made, action->text};
	PGresult *rows;

	mm_id_format(&action->id, id);
	mm_id_format(&action->target, target);
	mm_id_format(&action->made_id, made);
	snprintf(at, sizeof(at), "%lld", (long long)action->utc_ms);
	if (action->verb == MM_DESK_ACCEPT)
		values[5] = action->expected;
	else if (action->verb != MM_DESK_REPLY)
		values[4] = verbs[action->verb].name;
	enum mm_status status = mm_pool_exec(pool, verbs[action->verb].sql, 6, values,
					     deadline_mono_ms, &rows, arena, err);
	return status == MM_OK ? read_result(rows, out, err) : status;
}

/* Runs a function that gives one JSON document, or null. */
static enum mm_status read_json(struct mm_pool *pool, const char *sql, int count,
				const char *const values[], int64_t deadline_mono_ms,
				const char **json_out, struct mm_arena *arena, struct mm_error *err)
{
	PGresult *rows;
	enum mm_status status =
	    mm_pool_exec(pool, sql, count, values, deadline_mono_ms, &rows, arena, err);

	if (status != MM_OK)
		return status;
	if (PQntuples(rows) != 1 || PQnfields(rows) != 1)
		return mm_error_cause(err, MM_UPSTREAM, "not one value: %s", sql);
	*json_out = PQgetisnull(rows, 0, 0) ? NULL : PQgetvalue(rows, 0, 0);
	return MM_OK;
}

enum mm_status mm_desk_store_list(struct mm_pool *pool, bool is_all, int most,
				  int64_t deadline_mono_ms, const char **json_out,
				  struct mm_arena *arena, struct mm_error *err)
{
	char limit[16];
	const char *const values[] = {is_all ? "t" : "f", limit};

	snprintf(limit, sizeof(limit), "%d", most);
	return read_json(pool, "SELECT mamori.desk_list($1::boolean, $2::integer)", 2, values,
			 deadline_mono_ms, json_out, arena, err);
}

enum mm_status mm_desk_store_show(struct mm_pool *pool, const struct mm_id *target, int most,
				  int64_t deadline_mono_ms, const char **json_out,
				  struct mm_arena *arena, struct mm_error *err)
{
	char id[MM_ID_TEXT], limit[16];
	const char *const values[] = {id, limit};

	mm_id_format(target, id);
	snprintf(limit, sizeof(limit), "%d", most);
	return read_json(pool, "SELECT mamori.desk_show($1::uuid, $2::integer)", 2, values,
			 deadline_mono_ms, json_out, arena, err);
}

enum mm_status mm_desk_store_messages(struct mm_pool *pool, const struct mm_id *conversation,
				      const struct mm_id *after, int most, int64_t deadline_mono_ms,
				      const char **json_out, struct mm_arena *arena,
				      struct mm_error *err)
{
	char id[MM_ID_TEXT], after_id[MM_ID_TEXT], limit[16];
	const char *const values[] = {id, after ? after_id : NULL, limit};

	mm_id_format(conversation, id);
	if (after)
		mm_id_format(after, after_id);
	snprintf(limit, sizeof(limit), "%d", most);
	return read_json(pool, "SELECT mamori.customer_messages($1::uuid, $2::uuid, $3::integer)",
			 3, values, deadline_mono_ms, json_out, arena, err);
}
