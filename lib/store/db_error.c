/* db_error: what a failure of PostgreSQL means to a caller. No input and output of its own. */
#include "config.h"

#include "store/db_internal.h"

#include <string.h>

/* Prefixes of SQLSTATEs; the first that fits decides. All others are MM_UPSTREAM. */
static const struct {
	const char *prefix;
	enum mm_status status;
} meanings[] = {
    {"21", MM_BAD_INPUT},    /* cardinality: the same row twice in one batch */
    {"22", MM_BAD_INPUT},    /* data: bad text, number, time, JSON */
    {"23", MM_BAD_INPUT},    /* constraint */
    {"54", MM_BAD_INPUT},    /* too large for a row, an index, a nesting */
    {"P0001", MM_BAD_INPUT}, /* raised by a function */
};

enum mm_status mm_db_sqlstate_status(const char *sqlstate)
{
	if (!sqlstate)
		return MM_UPSTREAM;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strncmp(sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
			return meanings[i].status;
	return MM_UPSTREAM;
}

static const char *field_or(const PGresult *result, int field, const char *fallback)
{
	const char *text = PQresultErrorField(result, field);

	return text ? text : fallback;
}

enum mm_status mm_db_describe(struct mm_db *db, const PGresult *result, struct mm_error *err)
{
	if (!result) {
		const char *text = db->connection ? PQerrorMessage(db->connection) : "no memory";
		int length = (int)strcspn(text, "\n");
		return mm_error_cause(err, MM_UPSTREAM, "database: %.*s", length, text);
	}
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* Detail and context may quote values: customers' text stays out of the log. */
	return mm_error_cause(err, mm_db_sqlstate_status(sqlstate), "database: %s: %s",
			      sqlstate ? sqlstate : "-----",
			      field_or(result, PG_DIAG_MESSAGE_PRIMARY, "no message"));
}
