/*
 * article_store: the knowledge base in the database (floor 3).
 *
 * Shape    plain values; articles are known by title and language
 * Units    deadlines are int64 ms of the monotonic clock; times are int64 ms since the epoch, UTC
 * Own      everything is returned: it lives in the arena
 * Errors   as mm_db_exec
 * Threads  as the connection
 */
#ifndef MM_STORE_ARTICLE_STORE_H
#define MM_STORE_ARTICLE_STORE_H

#include "store/db.h"

struct mm_stored_article {
	const char *id, *title, *body, *tags; /* tags with ", " between */
	const char *language;                 /* "ja" or "en" */
};

struct mm_stored_articles {
	int64_t version; /* changes whenever an article does */
	struct mm_stored_article *articles;
	size_t count;
};

/* All articles, by title. */
enum mm_status mm_article_store_load(struct mm_db *db, int64_t deadline_mono_ms,
				     struct mm_stored_articles *out, struct mm_arena *arena,
				     struct mm_error *err);

/* Only the version. */
enum mm_status mm_article_store_version(struct mm_db *db, int64_t deadline_mono_ms,
					int64_t *version_out, struct mm_error *err);

struct mm_import_result {
	int added, changed, unchanged, removed;
};

/*
 * Stores a JSON array of {title, body, tags, language}; again changes nothing. With is_whole the
 * articles that are not in it are removed. All or nothing.
 */
enum mm_status mm_article_store_import(struct mm_db *db, const char *json, bool is_whole,
				       int64_t deadline_mono_ms, struct mm_import_result *out,
				       struct mm_error *err);

/* Removes the article of an id, or those of a title; *removed_out may be 0. */
enum mm_status mm_article_store_remove(struct mm_db *db, const char *which,
				       int64_t deadline_mono_ms, int *removed_out,
				       struct mm_error *err);

/* A question that was asked so often without an answer, in its latest wording. */
struct mm_gap {
	const char *question, *language;
	int64_t count, last_utc_ms;
};

/* The gaps of the last `days` days, the most frequent first, `max` at most. Questions that differ in
 * capitals, width, spaces and punctuation only are one. */
enum mm_status mm_article_store_gaps(struct mm_db *db, int days, int max, int64_t deadline_mono_ms,
				     struct mm_gap **out, size_t *count_out, struct mm_arena *arena,
				     struct mm_error *err);

#endif
