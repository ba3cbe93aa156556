/* article_store: calls the functions of sql/006-knowledge.sql. */
#include "config.h"

#include "store/article_store.h"

#include <stdio.h>
#include <stdlib.h>

enum load_column {
	LOAD_VERSION,
	LOAD_ID,
	LOAD_TITLE,
	LOAD_BODY,
	LOAD_TAGS,
	LOAD_LANGUAGE,
	LOAD__MAX
};

enum mm_status mm_article_store_load(struct mm_db *db, int64_t deadline_mono_ms,
				     struct mm_stored_articles *out, struct mm_arena *arena,
				     struct mm_error *err)
{
	PGresult *rows;
	enum mm_status status = mm_db_exec(db, "SELECT * FROM mamori.load_articles()", 0, NULL,
					   NULL, deadline_mono_ms, &rows, arena, err);

	if (status != MM_OK)
		return status;
	if (PQnfields(rows) != LOAD__MAX || PQntuples(rows) < 1)
		return mm_error_cause(err, MM_UPSTREAM, "load_articles: other columns");
	size_t count = PQgetisnull(rows, 0, LOAD_ID) ? 0 : (size_t)PQntuples(rows);
	struct mm_stored_article *articles = mm_arena_array(arena, count, sizeof(*articles));
	if (!articles)
		return mm_error_cause(err, MM_NO_MEMORY, "%zu articles", count);
	for (size_t i = 0; i < count; i++) {
		const int row = (int)i;
		articles[i] = (struct mm_stored_article){
		    PQgetvalue(rows, row, LOAD_ID), PQgetvalue(rows, row, LOAD_TITLE),
		    PQgetvalue(rows, row, LOAD_BODY), PQgetvalue(rows, row, LOAD_TAGS),
		    PQgetvalue(rows, row, LOAD_LANGUAGE)};
	}
	*out = (struct mm_stored_articles){strtoll(PQgetvalue(rows, 0, LOAD_VERSION), NULL, 10),
					   articles, count};
	return MM_OK;
}

enum mm_status mm_article_store_version(struct mm_db *db, int64_t deadline_mono_ms,
					int64_t *version_out, struct mm_error *err)
{
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "version of the articles");
	enum mm_status status = mm_db_exec(db, "SELECT mamori.kb_version()", 0, NULL, NULL,
					   deadline_mono_ms, &rows, arena, err);
	if (status == MM_OK)
		*version_out = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
	mm_arena_free(arena);
	return status;
}

enum mm_status mm_article_store_import(struct mm_db *db, const char *json, bool is_whole,
				       int64_t deadline_mono_ms, struct mm_import_result *out,
				       struct mm_error *err)
{
	const char *const values[] = {json, is_whole ? "true" : "false"};
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "importing articles");
	enum mm_status status = mm_db_exec(db,
					   "SELECT added, changed, unchanged, removed "
					   "FROM mamori.import_articles($1::json, $2::boolean)",
					   2, values, NULL, deadline_mono_ms, &rows, arena, err);
	if (status == MM_OK)
		*out = (struct mm_import_result){
		    atoi(PQgetvalue(rows, 0, 0)), atoi(PQgetvalue(rows, 0, 1)),
		    atoi(PQgetvalue(rows, 0, 2)), atoi(PQgetvalue(rows, 0, 3))};
	mm_arena_free(arena);
	return status;
}

enum mm_status mm_article_store_remove(struct mm_db *db, const char *which,
				       int64_t deadline_mono_ms, int *removed_out,
				       struct mm_error *err)
{
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "removing articles");
	enum mm_status status = mm_db_exec(db, "SELECT mamori.remove_articles($1)", 1, &which, NULL,
					   deadline_mono_ms, &rows, arena, err);
	if (status == MM_OK)
		*removed_out = atoi(PQgetvalue(rows, 0, 0));
	mm_arena_free(arena);
	return status;
}

enum gap_column { GAP_QUESTION, GAP_LANGUAGE, GAP_COUNT, GAP_LAST };

static const char gaps_sql[] =
    "SELECT (pg_catalog.array_agg(question ORDER BY at DESC))[1], language, pg_catalog.count(*), "
    "pg_catalog.floor(extract(epoch FROM pg_catalog.max(at)) * 1000)::bigint "
    "FROM mamori.kb_gaps WHERE at > pg_catalog.now() - pg_catalog.make_interval(days => "
    "$1::integer) "
    "GROUP BY language, pg_catalog.lower(pg_catalog.regexp_replace("
    "pg_catalog.normalize(question, 'NFKC'), '[[:space:][:punct:]。、！？]+', '', 'g')) "
    "ORDER BY pg_catalog.count(*) DESC, pg_catalog.max(at) DESC LIMIT $2::integer";

enum mm_status mm_article_store_gaps(struct mm_db *db, int days, int max, int64_t deadline_mono_ms,
				     struct mm_gap **out, size_t *count_out, struct mm_arena *arena,
				     struct mm_error *err)
{
	char days_text[16], max_text[16];
	const char *const values[] = {days_text, max_text};
	PGresult *rows;

	snprintf(days_text, sizeof(days_text), "%d", days);
	snprintf(max_text, sizeof(max_text), "%d", max);
	enum mm_status status =
	    mm_db_exec(db, gaps_sql, 2, values, NULL, deadline_mono_ms, &rows, arena, err);
	if (status != MM_OK)
		return status;
	size_t count = (size_t)PQntuples(rows);
	struct mm_gap *gaps = mm_arena_array(arena, count, sizeof(*gaps));
	if (!gaps)
		return mm_error_cause(err, MM_NO_MEMORY, "%zu gaps", count);
	for (size_t i = 0; i < count; i++) {
		const int row = (int)i;
		gaps[i] = (struct mm_gap){PQgetvalue(rows, row, GAP_QUESTION),
					  PQgetvalue(rows, row, GAP_LANGUAGE),
					  strtoll(PQgetvalue(rows, row, GAP_COUNT), NULL, 10),
					  strtoll(PQgetvalue(rows, row, GAP_LAST), NULL, 10)};
	}
	*out = gaps;
	*count_out = count;
	return MM_OK;
}
