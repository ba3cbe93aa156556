/* migrate: applies the numbered SQL files that a database lacks. It never goes back. */
#include "config.h"

#include "store/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"

enum {
	FILES_MAX = 999,
	FILE_BYTES_MAX = 4 << 20,
	HASH_TEXT = crypto_hash_sha256_BYTES * 2 + 1,
};

struct migration {
	int number;
	const char *name; /* of the file */
	char *text;
	size_t length;
	char hash[HASH_TEXT];
};

struct folder {
	struct migration items[FILES_MAX]; /* sorted by number */
	int count;
};

struct run {
	struct mm_db *db;
	int64_t timeout_ms;
	struct mm_arena *arena;
	struct mm_error *err;
};

/* The tables of the migrations belong to mamori_owner after 001. */
static const char bootstrap_sql[] =
    "CREATE SCHEMA IF NOT EXISTS mamori;"
    "CREATE TABLE IF NOT EXISTS mamori.migrations (number integer PRIMARY KEY,"
    " name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());";
static const char lock_sql[] =
    "SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext('mamori migrate'))";
static const char unlock_sql[] =
    "SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('mamori migrate'))";

static enum mm_status script(struct run *run, const char *sql, PGresult **rows_out)
{
	return mm_db_script(run->db, sql, mm_db_now(run->db) + run->timeout_ms, rows_out,
			    run->arena, run->err);
}

/* NNN-name.sql: the number, or 0 for another file. */
static int file_number(const char *name)
{
	size_t length = strlen(name);

	if (length < 9 || strspn(name, "0123456789") != 3 || name[3] != '-' ||
	    strcmp(name + length - 4, ".sql") != 0)
		return 0;
	return atoi(name);
}

static int compare_numbers(const void *left, const void *right)
{
	return ((const struct migration *)left)->number - ((const struct migration *)right)->number;
}

static void hash_file(struct migration *file)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)file->text, file->length);
	sodium_bin2hex(file->hash, sizeof(file->hash), hash, sizeof(hash));
}

static enum mm_status read_files(struct run *run, const char *sql_dir, struct folder *folder)
{
	for (int i = 0; i < folder->count; i++) {
		struct migration *file = &folder->items[i];
		const char *path = mm_arena_printf(run->arena, "%s/%s", sql_dir, file->name);
		if (!path)
			return mm_error_cause(run->err, MM_NO_MEMORY, "migrations");
		enum mm_status status = mm_file_read(path, FILE_BYTES_MAX, &file->text,
						     &file->length, run->arena, run->err);
		if (status != MM_OK)
			return status;
		hash_file(file);
		if (i > 0 && file[-1].number == file->number)
			return mm_error_cause(run->err, MM_CONFLICT, "%s and %s share a number",
					      file[-1].name, file->name);
	}
	return MM_OK;
}

static enum mm_status list_files(struct run *run, DIR *directory, struct folder *folder)
{
	struct dirent *entry;

	while ((entry = readdir(directory)) && folder->count < FILES_MAX) {
		int number = file_number(entry->d_name);
		if (number == 0)
			continue;
		struct migration *file = &folder->items[folder->count++];
		file->number = number;
		file->name = mm_arena_strdup(run->arena, entry->d_name);
		if (!file->name)
			return mm_error_cause(run->err, MM_NO_MEMORY, "migrations");
	}
	qsort(folder->items, (size_t)folder->count, sizeof(*folder->items), compare_numbers);
	return MM_OK;
}

static enum mm_status read_folder(struct run *run, const char *sql_dir, struct folder *folder)
{
	DIR *directory = opendir(sql_dir);

	if (!directory)
		return mm_error_cause(run->err, MM_UPSTREAM, "%s: %s", sql_dir, strerror(errno));
	enum mm_status status = list_files(run, directory, folder);
	closedir(directory);
	if (status == MM_OK)
		status = read_files(run, sql_dir, folder);
	if (status == MM_OK && folder->count == 0)
		return mm_error_cause(run->err, MM_UPSTREAM, "%s: no migrations", sql_dir);
	return status;
}

/* One file and its row in one transaction; the name and the hash need no quoting. */
static enum mm_status apply_file(struct run *run, const struct migration *file)
{
	struct mm_buffer sql;

	mm_buffer_init(&sql, file->length + 512, 0, run->arena);
	mm_buffer_add_text(&sql, "BEGIN;\n");
	mm_buffer_add(&sql, file->text, file->length);
	mm_buffer_printf(&sql,
			 "\n;INSERT INTO mamori.migrations (number, name, sha256)"
			 " VALUES (%d, '%s', '%s');\nCOMMIT;",
			 file->number, file->name, file->hash);
	if (sql.has_failed)
		return mm_error_cause(run->err, MM_NO_MEMORY, "migrations");
	struct mm_error failure = {0};
	enum mm_status status =
	    mm_db_script(run->db, mm_buffer_text(&sql), mm_db_now(run->db) + run->timeout_ms, NULL,
			 run->arena, &failure);
	if (status == MM_OK)
		return MM_OK;
	if (status == MM_UPSTREAM && mm_db_is_connected(run->db))
		status = MM_BAD_INPUT;
	return mm_error_cause(run->err, status, "%s: %.400s", file->name, failure.cause);
}

/* Whether the row of an applied migration agrees with its file. */
static enum mm_status check_applied(struct run *run, const struct folder *folder,
				    const PGresult *rows, int row)
{
	int number = atoi(PQgetvalue(rows, row, 0));

	for (int i = 0; i < folder->count; i++) {
		if (folder->items[i].number != number)
			continue;
		if (strcmp(folder->items[i].hash, PQgetvalue(rows, row, 2)) == 0)
			return MM_OK;
		return mm_error_cause(run->err, MM_CONFLICT, "%s was changed after it was applied",
				      folder->items[i].name);
	}
	return mm_error_cause(run->err, MM_CONFLICT, "%s was applied but its file is gone",
			      PQgetvalue(rows, row, 1));
}

static enum mm_status apply_missing(struct run *run, const struct folder *folder,
				    mm_migration_notice notice, void *context,
				    struct mm_migration_result *result)
{
	PGresult *rows;
	enum mm_status status = script(
	    run, "SELECT number, name, sha256 FROM mamori.migrations ORDER BY number", &rows);

	for (int row = 0; status == MM_OK && row < PQntuples(rows); row++) {
		status = check_applied(run, folder, rows, row);
		result->current = atoi(PQgetvalue(rows, row, 0));
	}
	for (int i = 0; status == MM_OK && i < folder->count; i++) {
		const struct migration *file = &folder->items[i];
		if (file->number <= result->current)
			continue;
		status = apply_file(run, file);
		if (status != MM_OK)
			break;
		result->current = file->number;
		result->applied++;
		if (notice)
			notice(context, file->number, file->name);
	}
	return status;
}

/* A fresh database has no table yet, and a later run may lack the right to make a schema. */
static enum mm_status bootstrap(struct run *run)
{
	PGresult *rows;
	enum mm_status status =
	    script(run, "SELECT pg_catalog.to_regclass('mamori.migrations') IS NULL", &rows);

	if (status == MM_OK && PQgetvalue(rows, 0, 0)[0] == 't')
		status = script(run, bootstrap_sql, NULL);
	return status;
}

static enum mm_status migrate_locked(struct run *run, const struct folder *folder,
				     mm_migration_notice notice, void *context,
				     struct mm_migration_result *result)
{
	enum mm_status status = script(run, lock_sql, NULL);

	if (status != MM_OK)
		return status;
	status = bootstrap(run);
	if (status == MM_OK)
		status = apply_missing(run, folder, notice, context, result);
	struct run release = *run;
	release.err = NULL;
	if (mm_db_is_connected(run->db))
		script(&release, unlock_sql, NULL);
	return status;
}

enum mm_status mm_migrate(struct mm_db *db, const char *sql_dir, int64_t timeout_ms,
			  mm_migration_notice notice, void *context,
			  struct mm_migration_result *out, struct mm_error *err)
{
	struct run run = {db, timeout_ms, mm_arena_new(0), err};
	struct folder *folder = run.arena ? mm_arena_zalloc(run.arena, sizeof(*folder)) : NULL;
	struct mm_migration_result result = {0};

	if (!folder) {
		mm_arena_free(run.arena);
		return mm_error_cause(err, MM_NO_MEMORY, "migrations");
	}
	enum mm_status status = read_folder(&run, sql_dir, folder);
	if (status == MM_OK)
		status = migrate_locked(&run, folder, notice, context, &result);
	mm_arena_free(run.arena);
	if (status == MM_OK)
		*out = result;
	return status;
}
