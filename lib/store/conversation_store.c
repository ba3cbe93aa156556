/* conversation_store: reads a conversation through mamori.load_conversation and turn_state. It writes nothing. */
#include "config.h"

#include "store/conversation_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of mamori.load_conversation, then of mamori.turn_state. */
enum column {
	COLUMN_OWNER,
	COLUMN_CREATED_AT,
	COLUMN_CUSTOMER_NAME,
	COLUMN_HAS_OPEN_HANDOFF,
	COLUMN_MESSAGE_ID,
	COLUMN_ROLE,
	COLUMN_TEXT,
	COLUMN_AT,
	COLUMN_SEVERITY,
	COLUMN_SENTIMENT,
	COLUMN_IS_FALLBACK,
	COLUMN_HAS_NOTICE,
	COLUMN_BOT_TURNS,
	COLUMN__MAX
};

static const char load_sql[] =
    "SELECT loaded.*, state.* FROM mamori.load_conversation($1::uuid, $2::integer) AS loaded"
    " LEFT JOIN mamori.turn_state($1::uuid, $3::integer) AS state ON true"
    " ORDER BY loaded.message_id";
static const char *const role_names[MM_ROLE__MAX] = {"customer", "bot", "agent"};

const char *mm_message_role_name(enum mm_message_role role)
{
	return (unsigned)role < MM_ROLE__MAX ? role_names[role] : "unknown";
}

/* The name's position in the list, or fallback. */
static int find_name(const char *const names[], int count, const char *name, int fallback)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return fallback;
}

static bool is_true(const PGresult *rows, int row, enum column column)
{
	return PQgetvalue(rows, row, column)[0] == 't';
}

static int64_t read_i64(const PGresult *rows, int row, enum column column)
{
	return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

static bool read_analysis(const PGresult *rows, int row, struct mm_stored_message *message)
{
	const char *severity = PQgetvalue(rows, row, COLUMN_SEVERITY);
	const char *sentiment = PQgetvalue(rows, row, COLUMN_SENTIMENT);

	return mm_severity_parse(severity, strlen(severity), &message->severity) &&
	       mm_sentiment_parse(sentiment, strlen(sentiment), &message->sentiment);
}

static void read_message(const PGresult *rows, int row, struct mm_stored_message *message)
{
	const char *id = PQgetvalue(rows, row, COLUMN_MESSAGE_ID);

	mm_id_parse(id, strlen(id), &message->id);
	message->role = (enum mm_message_role)find_name(
	    role_names, MM_ROLE__MAX, PQgetvalue(rows, row, COLUMN_ROLE), MM_ROLE_AGENT);
	message->text = PQgetvalue(rows, row, COLUMN_TEXT);
	message->length = (size_t)PQgetlength(rows, row, COLUMN_TEXT);
	message->utc_ms = read_i64(rows, row, COLUMN_AT);
	message->has_analysis = read_analysis(rows, row, message);
	message->is_fallback = is_true(rows, row, COLUMN_IS_FALLBACK);
}

static unsigned count_fallbacks(const struct mm_stored_message *messages, size_t count)
{
	unsigned streak = 0;

	for (size_t i = count; i-- > 0;) {
		if (messages[i].role == MM_ROLE_CUSTOMER)
			continue;
		if (!messages[i].is_fallback)
			break;
		streak++;
	}
	return streak;
}

static enum mm_status read_conversation(const PGresult *rows, struct mm_stored_conversation *out,
					struct mm_arena *arena, struct mm_error *err)
{
	int count = PQntuples(rows);
	struct mm_stored_conversation conversation = {.exists = count > 0};

	if (PQnfields(rows) != COLUMN__MAX)
		return mm_error_cause(err, MM_UPSTREAM, "load_conversation: other columns");
	if (count > 0) {
		conversation.owner = mm_owner_parse(PQgetvalue(rows, 0, COLUMN_OWNER));
		conversation.created_utc_ms = read_i64(rows, 0, COLUMN_CREATED_AT);
		if (!PQgetisnull(rows, 0, COLUMN_CUSTOMER_NAME))
			conversation.customer_name = PQgetvalue(rows, 0, COLUMN_CUSTOMER_NAME);
		conversation.has_open_handoff = is_true(rows, 0, COLUMN_HAS_OPEN_HANDOFF);
		conversation.has_notice = is_true(rows, 0, COLUMN_HAS_NOTICE);
		conversation.bot_turns = (int)read_i64(rows, 0, COLUMN_BOT_TURNS);
		if (PQgetisnull(rows, 0, COLUMN_MESSAGE_ID))
			count = 0;
	}
	conversation.messages =
	    mm_arena_array(arena, (size_t)count, sizeof(*conversation.messages));
	if (!conversation.messages)
		return mm_error_cause(err, MM_NO_MEMORY, "conversation of %d messages", count);
	for (int row = 0; row < count; row++)
		read_message(rows, row, &conversation.messages[row]);
	conversation.count = (size_t)count;
	conversation.fallback_streak = count_fallbacks(conversation.messages, conversation.count);
	*out = conversation;
	return MM_OK;
}

enum mm_status mm_conversation_load(struct mm_pool *pool, const struct mm_id *id, int history_max,
				    int turns_max, int64_t deadline_mono_ms,
				    struct mm_stored_conversation *out, struct mm_arena *arena,
				    struct mm_error *err)
{
	char id_text[MM_ID_TEXT];
	char limit[16], turns[16];
	const char *const values[] = {id_text, limit, turns};
	PGresult *rows;

	mm_id_format(id, id_text);
	snprintf(limit, sizeof(limit), "%d", history_max);
	snprintf(turns, sizeof(turns), "%d", turns_max);
	enum mm_status status =
	    mm_pool_exec(pool, load_sql, 3, values, deadline_mono_ms, &rows, arena, err);
	if (status != MM_OK)
		return status;
	return read_conversation(rows, out, arena, err);
}

enum mm_status mm_conversation_owner(struct mm_pool *pool, const struct mm_id *id,
				     int64_t deadline_mono_ms, bool *exists_out,
				     enum mm_owner *owner_out, struct mm_error *err)
{
	char id_text[MM_ID_TEXT];
	const char *const values[] = {id_text};
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "conversation owner");
	mm_id_format(id, id_text);
	enum mm_status status = mm_pool_exec(pool, "SELECT mamori.conversation_owner($1::uuid)", 1,
					     values, deadline_mono_ms, &rows, arena, err);
	if (status == MM_OK) {
		*exists_out = PQntuples(rows) == 1 && !PQgetisnull(rows, 0, 0);
		if (*exists_out)
			*owner_out = mm_owner_parse(PQgetvalue(rows, 0, 0));
	}
	mm_arena_free(arena);
	return status;
}
