/* spool: the records in one SQLite file. Which file that is decides spool_slot.c. */
#include "config.h"

#include "store/spool_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Pages of a file that was emptied, above which it is made small again. */
enum { FREE_PAGES_KEPT = 1024 };

/* The lock on the slot makes the file this process's own, hence EXCLUSIVE: no shared memory. */
static const char schema_sql[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 4194304;"
    "PRAGMA temp_store = MEMORY;"
    "CREATE TABLE IF NOT EXISTS records (sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL, id BLOB NOT NULL, at INTEGER NOT NULL, json BLOB NOT NULL,"
    " reason TEXT);"
    "CREATE INDEX IF NOT EXISTS records_waiting ON records (sequence) WHERE reason IS NULL;"
    "CREATE TEMP TABLE skipped (sequence INTEGER PRIMARY KEY);";

/*
 * A full disk takes no removal either. What is to be removed is then remembered in memory and no
 * longer read; the file keeps it until there is room or the spool is empty.
 */
#define IS_WAITING "reason IS NULL AND sequence NOT IN (SELECT sequence FROM temp.skipped)"

static const char *const statement_sql[MM_SPOOL_STATEMENT__MAX] = {
    [MM_SPOOL_BEGIN] = "BEGIN IMMEDIATE",
    [MM_SPOOL_COMMIT] = "COMMIT",
    [MM_SPOOL_ROLLBACK] = "ROLLBACK",
    [MM_SPOOL_INSERT] = "INSERT INTO records (kind, id, at, json, reason) VALUES (?, ?, ?, ?, ?)",
    [MM_SPOOL_READ] = "SELECT sequence, kind, id, json FROM records INDEXED BY records_waiting"
		      " WHERE " IS_WAITING " AND kind = (SELECT kind FROM records"
		      " WHERE " IS_WAITING " ORDER BY sequence LIMIT 1)"
		      " ORDER BY sequence LIMIT ?",
    [MM_SPOOL_DELETE] = "DELETE FROM records WHERE sequence = ?",
    [MM_SPOOL_SKIP] = "INSERT OR IGNORE INTO temp.skipped VALUES (?)",
    [MM_SPOOL_DELETE_SKIPPED] = "DELETE FROM records WHERE reason IS NULL"
				" AND sequence IN (SELECT sequence FROM temp.skipped)",
    [MM_SPOOL_FORGET_SKIPPED] = "DELETE FROM temp.skipped",
    [MM_SPOOL_MARK] = "UPDATE records SET reason = ? WHERE sequence = ? AND reason IS NULL",
    [MM_SPOOL_UNMARK] = "UPDATE records SET reason = NULL WHERE reason IS NOT NULL",
    [MM_SPOOL_UNMARK_ONE] = "UPDATE records SET reason = NULL WHERE reason IS NOT NULL AND id = ?",
    [MM_SPOOL_LIST] = "SELECT kind, id, at, length(json), reason FROM records"
		      " WHERE reason IS NOT NULL ORDER BY sequence",
    [MM_SPOOL_OLDEST] = "SELECT at FROM records WHERE " IS_WAITING " ORDER BY sequence LIMIT 1",
    [MM_SPOOL_TOTALS] = "SELECT count(*) FILTER (WHERE " IS_WAITING "), count(reason),"
			" coalesce(sum(length(json)), 0) FROM records",
};

enum mm_status mm_spool_fail(struct mm_spool *spool, struct mm_error *err)
{
	return mm_error_cause(err, MM_BUSY, "spool: %s", sqlite3_errmsg(spool->file));
}

/* SQLite would make the file readable for others; it holds what customers wrote. */
static bool create_private(const char *path)
{
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (descriptor < 0)
		return false;
	close(descriptor);
	return true;
}

enum mm_status mm_spool_file_open(struct mm_spool *spool, const char *path, struct mm_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

	if (path != spool->path)
		snprintf(spool->path, sizeof(spool->path), "%s", path);
	if (!create_private(path))
		return mm_error_cause(err, MM_UPSTREAM, "spool: %s cannot be made", path);
	bool is_open = sqlite3_open_v2(path, &spool->file, flags, NULL) == SQLITE_OK &&
		       sqlite3_exec(spool->file, schema_sql, NULL, NULL, NULL) == SQLITE_OK;
	for (int i = 0; is_open && i < MM_SPOOL_STATEMENT__MAX; i++)
		is_open =
		    sqlite3_prepare_v3(spool->file, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &spool->statements[i], NULL) == SQLITE_OK;
	if (!is_open)
		return mm_error_cause(err, MM_UPSTREAM, "spool: %s: %s", path,
				      sqlite3_errmsg(spool->file));
	return MM_OK;
}

void mm_spool_file_close(struct mm_spool *spool)
{
	for (int i = 0; i < MM_SPOOL_STATEMENT__MAX; i++) {
		sqlite3_finalize(spool->statements[i]);
		spool->statements[i] = NULL;
	}
	sqlite3_close(spool->file);
	spool->file = NULL;
}

/* Runs a statement that returns no row. */
static bool run(struct mm_spool *spool, enum mm_spool_statement statement)
{
	bool is_done = sqlite3_step(spool->statements[statement]) == SQLITE_DONE;

	sqlite3_reset(spool->statements[statement]);
	return is_done;
}

/* Ends the transaction either way; counts what the file holds. */
static enum mm_status finish(struct mm_spool *spool, bool is_good, struct mm_error *err)
{
	if (is_good && run(spool, MM_SPOOL_COMMIT))
		return MM_OK;
	enum mm_status status = mm_spool_fail(spool, err);
	if (!sqlite3_get_autocommit(spool->file))
		run(spool, MM_SPOOL_ROLLBACK);
	return status;
}

static void read_oldest(struct mm_spool *spool)
{
	sqlite3_stmt *oldest = spool->statements[MM_SPOOL_OLDEST];

	spool->counts.oldest_utc_ms =
	    sqlite3_step(oldest) == SQLITE_ROW ? sqlite3_column_int64(oldest, 0) : 0;
	sqlite3_reset(oldest);
}

enum mm_status mm_spool_count(struct mm_spool *spool, struct mm_error *err)
{
	sqlite3_stmt *totals = spool->statements[MM_SPOOL_TOTALS];

	if (sqlite3_step(totals) != SQLITE_ROW) {
		sqlite3_reset(totals);
		return mm_spool_fail(spool, err);
	}
	spool->counts.records = sqlite3_column_int64(totals, 0);
	spool->counts.set_aside = sqlite3_column_int64(totals, 1);
	spool->counts.bytes = sqlite3_column_int64(totals, 2);
	sqlite3_reset(totals);
	read_oldest(spool);
	return MM_OK;
}

/*
 * With nothing in the file that is still needed: a new one, so that a full disk gets its room back.
 * The log goes first: a file without it is one of an earlier moment, and not a damaged one.
 */
static bool begin_afresh(struct mm_spool *spool)
{
	char wal[PATH_MAX + 8];

	snprintf(wal, sizeof(wal), "%s-wal", spool->path);
	mm_spool_file_close(spool);
	unlink(wal);
	unlink(spool->path);
	spool->skipped = 0;
	if (mm_spool_file_open(spool, spool->path, NULL) == MM_OK &&
	    mm_spool_count(spool, NULL) == MM_OK)
		return true;
	mm_spool_file_close(spool);
	spool->counts = (struct mm_spool_counts){0};
	return false;
}

static bool insert(struct mm_spool *spool, const struct mm_record *record, const char *reason)
{
	sqlite3_stmt *statement = spool->statements[MM_SPOOL_INSERT];

	sqlite3_bind_int(statement, 1, (int)record->kind);
	sqlite3_bind_blob(statement, 2, record->id.bytes, sizeof(record->id.bytes), SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, mm_clock_utc_ms(spool->clock));
	sqlite3_bind_blob64(statement, 4, record->json, record->length, SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, reason, -1, SQLITE_STATIC);
	bool is_done = run(spool, MM_SPOOL_INSERT);
	sqlite3_clear_bindings(statement);
	return is_done;
}

static enum mm_status insert_all(struct mm_spool *spool, const struct mm_record *records,
				 size_t count, const char *reason, struct mm_error *err)
{
	int64_t bytes = 0;
	bool is_good = true;

	if (!spool->file && !begin_afresh(spool))
		return mm_error_cause(err, MM_BUSY, "spool: %s cannot be opened again",
				      spool->path);
	for (size_t i = 0; i < count; i++)
		bytes += (int64_t)records[i].length;
	if (bytes > spool->max_bytes - spool->counts.bytes)
		return mm_error_cause(err, MM_BUSY, "spool: over its limit of %lld bytes",
				      (long long)spool->max_bytes);
	if (!run(spool, MM_SPOOL_BEGIN))
		return mm_spool_fail(spool, err);
	for (size_t i = 0; is_good && i < count; i++)
		is_good = insert(spool, &records[i], reason);
	enum mm_status status = finish(spool, is_good, err);
	if (status != MM_OK)
		return status;
	spool->counts.bytes += bytes;
	spool->counts.set_aside += reason ? (int64_t)count : 0;
	spool->counts.aside_changes += reason != NULL;
	spool->counts.records += reason ? 0 : (int64_t)count;
	if (!reason && spool->counts.oldest_utc_ms == 0)
		read_oldest(spool);
	return MM_OK;
}

enum mm_status mm_spool_append(struct mm_spool *spool, const struct mm_record *records,
			       size_t count, struct mm_error *err)
{
	pthread_mutex_lock(&spool->mutex);
	enum mm_status status = insert_all(spool, records, count, NULL, err);
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

enum mm_status mm_spool_set_aside_record(struct mm_spool *spool, const struct mm_record *record,
					 const char *reason, struct mm_error *err)
{
	pthread_mutex_lock(&spool->mutex);
	enum mm_status status = insert_all(spool, record, 1, reason, err);
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

/* Copies the current row; false when out of memory. */
static bool read_entry(sqlite3_stmt *row, struct mm_spool_entry *entry, struct mm_arena *arena)
{
	const void *id = sqlite3_column_blob(row, 2);
	size_t length = (size_t)sqlite3_column_bytes(row, 3);
	const char *json = sqlite3_column_blob(row, 3);

	entry->sequence = sqlite3_column_int64(row, 0);
	entry->record.kind = (enum mm_record_kind)sqlite3_column_int(row, 1);
	if (id && sqlite3_column_bytes(row, 2) == sizeof(entry->record.id.bytes))
		memcpy(entry->record.id.bytes, id, sizeof(entry->record.id.bytes));
	entry->record.length = length;
	/* SQLite gives no blob where it has no memory for one: that is no empty record. */
	entry->record.json = json && id ? mm_arena_strndup(arena, json, length) : NULL;
	return entry->record.json != NULL;
}

static enum mm_status read_rows(struct mm_spool *spool, size_t max, size_t max_bytes,
				struct mm_spool_entry *entries, size_t *count_out,
				struct mm_arena *arena, struct mm_error *err)
{
	sqlite3_stmt *row = spool->statements[MM_SPOOL_READ];
	size_t count = 0;
	size_t bytes = 0;
	int step = SQLITE_DONE;

	sqlite3_bind_int64(row, 1, (int64_t)max);
	while (count < max && (step = sqlite3_step(row)) == SQLITE_ROW) {
		bytes += (size_t)sqlite3_column_bytes(row, 3);
		if (count > 0 && bytes > max_bytes)
			break;
		if (!read_entry(row, &entries[count], arena))
			return mm_error_cause(err, MM_NO_MEMORY, "spool: reading");
		count++;
	}
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return mm_spool_fail(spool, err);
	*count_out = count;
	return MM_OK;
}

enum mm_status mm_spool_read(struct mm_spool *spool, size_t max, size_t max_bytes,
			     struct mm_spool_entry **entries_out, size_t *count_out,
			     struct mm_arena *arena, struct mm_error *err)
{
	struct mm_spool_entry *entries = mm_arena_array(arena, max, sizeof(*entries));

	if (!entries)
		return mm_error_cause(err, MM_NO_MEMORY, "spool: reading");
	pthread_mutex_lock(&spool->mutex);
	enum mm_status status = read_rows(spool, max, max_bytes, entries, count_out, arena, err);
	sqlite3_reset(spool->statements[MM_SPOOL_READ]);
	pthread_mutex_unlock(&spool->mutex);
	if (status == MM_OK)
		*entries_out = entries;
	return status;
}

/* A day of outage leaves a large empty file; VACUUM copies only what is left in it. */
static void shrink_when_empty(struct mm_spool *spool)
{
	sqlite3_stmt *pages = NULL;

	if (spool->counts.records > 0)
		return;
	if (spool->skipped > 0 && spool->counts.set_aside == 0) {
		begin_afresh(spool);
		return;
	}
	if (sqlite3_prepare_v2(spool->file, "PRAGMA freelist_count", -1, &pages, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(pages) == SQLITE_ROW && sqlite3_column_int64(pages, 0) > FREE_PAGES_KEPT) {
		sqlite3_finalize(pages);
		sqlite3_exec(spool->file, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
			     NULL);
		return;
	}
	sqlite3_finalize(pages);
}

/* In a transaction: removes what could not be removed before. */
static bool delete_skipped(struct mm_spool *spool)
{
	return spool->skipped == 0 ||
	       (run(spool, MM_SPOOL_DELETE_SKIPPED) && run(spool, MM_SPOOL_FORGET_SKIPPED));
}

static bool run_for_each(struct mm_spool *spool, enum mm_spool_statement statement,
			 const struct mm_spool_entry *entries, size_t count)
{
	bool is_good = true;

	for (size_t i = 0; is_good && i < count; i++) {
		sqlite3_bind_int64(spool->statements[statement], 1, entries[i].sequence);
		is_good = run(spool, statement);
	}
	return is_good;
}

static enum mm_status delete_all(struct mm_spool *spool, const struct mm_spool_entry *entries,
				 size_t count, struct mm_error *err)
{
	if (!run(spool, MM_SPOOL_BEGIN))
		return mm_spool_fail(spool, err);
	enum mm_status status = finish(
	    spool, delete_skipped(spool) && run_for_each(spool, MM_SPOOL_DELETE, entries, count),
	    err);
	if (status != MM_OK)
		return status;
	if (spool->skipped > 0) {
		spool->skipped = 0;
		return mm_spool_count(spool, err);
	}
	for (size_t i = 0; i < count; i++)
		spool->counts.bytes -= (int64_t)entries[i].record.length;
	spool->counts.records -= (int64_t)count;
	return MM_OK;
}

static enum mm_status skip_all(struct mm_spool *spool, const struct mm_spool_entry *entries,
			       size_t count, struct mm_error *err)
{
	if (!run_for_each(spool, MM_SPOOL_SKIP, entries, count))
		return mm_spool_fail(spool, err);
	spool->skipped += (int64_t)count;
	spool->counts.records -= (int64_t)count;
	return MM_OK;
}

enum mm_status mm_spool_remove(struct mm_spool *spool, const struct mm_spool_entry *entries,
			       size_t count, struct mm_error *err)
{
	pthread_mutex_lock(&spool->mutex);
	enum mm_status status = delete_all(spool, entries, count, err);
	if (status != MM_OK)
		status = skip_all(spool, entries, count, err);
	if (status == MM_OK) {
		read_oldest(spool);
		shrink_when_empty(spool);
	}
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

enum mm_status mm_spool_set_aside(struct mm_spool *spool, const struct mm_spool_entry *entry,
				  const char *reason, struct mm_error *err)
{
	sqlite3_stmt *mark = spool->statements[MM_SPOOL_MARK];
	enum mm_status status = MM_OK;

	pthread_mutex_lock(&spool->mutex);
	sqlite3_bind_text(mark, 1, reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(mark, 2, entry->sequence);
	if (!run(spool, MM_SPOOL_MARK)) {
		status = mm_spool_fail(spool, err);
	} else if (sqlite3_changes(spool->file) == 1) {
		spool->counts.records--;
		spool->counts.set_aside++;
		spool->counts.aside_changes++;
		read_oldest(spool);
	}
	sqlite3_clear_bindings(mark);
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

static bool unmark_one(struct mm_spool *spool, const struct mm_id *id)
{
	sqlite3_stmt *unmark = spool->statements[MM_SPOOL_UNMARK_ONE];

	sqlite3_bind_blob(unmark, 1, id->bytes, sizeof(id->bytes), SQLITE_STATIC);
	bool is_done = run(spool, MM_SPOOL_UNMARK_ONE);
	sqlite3_clear_bindings(unmark);
	return is_done;
}

static enum mm_status unmark(struct mm_spool *spool, const struct mm_id *ids, size_t count,
			     struct mm_error *err)
{
	if (!run(spool, MM_SPOOL_BEGIN))
		return mm_spool_fail(spool, err);
	bool is_good = ids || run(spool, MM_SPOOL_UNMARK);
	for (size_t i = 0; ids && is_good && i < count; i++)
		is_good = unmark_one(spool, &ids[i]);
	return finish(spool, is_good, err);
}

enum mm_status mm_spool_put_back(struct mm_spool *spool, const struct mm_id *ids, size_t count,
				 int64_t *count_out, struct mm_error *err)
{
	pthread_mutex_lock(&spool->mutex);
	int64_t before = spool->counts.set_aside;
	enum mm_status status = unmark(spool, ids, count, err);
	if (status == MM_OK)
		status = mm_spool_count(spool, err);
	if (status == MM_OK) {
		*count_out = before - spool->counts.set_aside;
		spool->counts.aside_changes++;
	}
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

/* Copies the current row; false when out of memory. */
static bool read_aside(sqlite3_stmt *row, struct mm_spool_aside *aside, struct mm_arena *arena)
{
	const void *id = sqlite3_column_blob(row, 1);
	const char *reason = (const char *)sqlite3_column_text(row, 4);

	aside->kind = (enum mm_record_kind)sqlite3_column_int(row, 0);
	if (id && sqlite3_column_bytes(row, 1) == sizeof(aside->id.bytes))
		memcpy(aside->id.bytes, id, sizeof(aside->id.bytes));
	aside->at_utc_ms = sqlite3_column_int64(row, 2);
	aside->bytes = sqlite3_column_int64(row, 3);
	aside->reason = reason ? mm_arena_strndup(arena, reason, strlen(reason)) : NULL;
	return aside->reason != NULL;
}

enum mm_status mm_spool_list_aside(struct mm_spool *spool, size_t max,
				   struct mm_spool_aside **records_out, size_t *count_out,
				   struct mm_arena *arena, struct mm_error *err)
{
	struct mm_spool_aside *records = mm_arena_array(arena, max, sizeof(*records));
	sqlite3_stmt *row;
	size_t count = 0;
	int step = SQLITE_DONE;

	if (!records)
		return mm_error_cause(err, MM_NO_MEMORY, "spool: listing");
	pthread_mutex_lock(&spool->mutex);
	row = spool->statements[MM_SPOOL_LIST];
	while (count < max && (step = sqlite3_step(row)) == SQLITE_ROW &&
	       read_aside(row, &records[count], arena))
		count++;
	enum mm_status status = step == SQLITE_DONE || count == max
				    ? MM_OK
				    : mm_error_cause(err, MM_BUSY, "spool: listing");
	sqlite3_reset(row);
	pthread_mutex_unlock(&spool->mutex);
	if (status == MM_OK) {
		*records_out = records;
		*count_out = count;
	}
	return status;
}

void mm_spool_counts(struct mm_spool *spool, struct mm_spool_counts *counts_out)
{
	pthread_mutex_lock(&spool->mutex);
	*counts_out = spool->counts;
	pthread_mutex_unlock(&spool->mutex);
}
