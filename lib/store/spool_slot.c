/* spool_slot: which file a process may use, and whose records it inherits. */
#include "config.h"

#include "store/spool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"

struct mm_spool_path mm_spool_path(const struct mm_spool_options *options, int slot,
				   const char *suffix)
{
	struct mm_spool_path path;

	snprintf(path.text, sizeof(path.text), "%s/%s-%d%s", options->spool_dir, options->app, slot,
		 suffix);
	return path;
}

/* The lock's descriptor, or -1: taken by another process (EWOULDBLOCK) or not to be had. */
static int lock_slot(const struct mm_spool_options *options, int slot)
{
	struct mm_spool_path path = mm_spool_path(options, slot, ".lock");
	int lock = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0)
		return -1;
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	int reason = errno;
	close(lock);
	errno = reason;
	return -1;
}

static enum mm_status use_slot(struct mm_spool *spool, const struct mm_spool_options *options,
			       int slot, int lock, struct mm_error *err)
{
	struct mm_spool_path path = mm_spool_path(options, slot, ".db");
	enum mm_status status = mm_spool_file_open(spool, path.text, err);

	if (status == MM_OK)
		status = mm_spool_count(spool, err);
	if (status == MM_OK) {
		spool->slot = slot;
		spool->lock = lock;
		return MM_OK;
	}
	mm_spool_file_close(spool);
	close(lock);
	return status;
}

/* A file that is damaged keeps its slot and content; the next slot is taken instead. */
static enum mm_status take_slot(struct mm_spool *spool, const struct mm_spool_options *options,
				struct mm_error *err)
{
	struct mm_error failure = {.cause = "spool: every slot is taken"};

	for (int slot = 0; slot < MM_SPOOL_SLOTS; slot++) {
		int lock = lock_slot(options, slot);
		if (lock < 0 && errno == EWOULDBLOCK)
			continue;
		if (lock < 0)
			return mm_error_cause(err, MM_UPSTREAM, "spool: %s: %s", options->spool_dir,
					      strerror(errno));
		if (use_slot(spool, options, slot, lock, &failure) == MM_OK)
			return MM_OK;
		mm_log(MM_LOG_ERROR, NULL, "%s", failure.cause);
	}
	return mm_error_cause(err, MM_UPSTREAM, "%.500s", failure.cause);
}

/* Copies another file's rows in one transaction of this file: all of them are here, or none. */
static bool copy_rows(struct mm_spool *spool, const char *path)
{
	char *attach = sqlite3_mprintf("ATTACH %Q AS orphan", path);
	bool is_copied =
	    attach && sqlite3_exec(spool->file, attach, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(spool->file,
			 "INSERT INTO main.records (kind, id, at, json, reason)"
			 " SELECT kind, id, at, json, reason FROM orphan.records ORDER BY sequence",
			 NULL, NULL, NULL) == SQLITE_OK;

	if (!is_copied)
		mm_log(MM_LOG_ERROR, NULL, "spool: %s stays where it is: %s", path,
		       sqlite3_errmsg(spool->file));
	sqlite3_free(attach);
	sqlite3_exec(spool->file, "DETACH orphan", NULL, NULL, NULL);
	return is_copied;
}

static void remove_files(const struct mm_spool_options *options, int slot)
{
	static const char *const suffixes[] = {".db",     ".db-wal", ".db-shm",
					       ".status", ".aside",  ".retry"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		unlink(mm_spool_path(options, slot, suffixes[i]).text);
}

/* With the slot's lock held, so that no process opens the file meanwhile. */
static void adopt_slot(struct mm_spool *spool, const struct mm_spool_options *options, int slot)
{
	struct mm_spool_path path = mm_spool_path(options, slot, ".db");

	if (access(path.text, F_OK) != 0)
		return;
	int lock = lock_slot(options, slot);
	if (lock < 0)
		return;
	if (access(path.text, F_OK) == 0 && copy_rows(spool, path.text))
		remove_files(options, slot);
	close(lock);
}

static enum mm_status adopt_orphans(struct mm_spool *spool, const struct mm_spool_options *options,
				    struct mm_error *err)
{
	int64_t before = spool->counts.records + spool->counts.set_aside;

	for (int slot = 0; slot < MM_SPOOL_SLOTS; slot++)
		if (slot != spool->slot)
			adopt_slot(spool, options, slot);
	enum mm_status status = mm_spool_count(spool, err);
	int64_t adopted = spool->counts.records + spool->counts.set_aside - before;
	if (status == MM_OK && adopted > 0)
		mm_log(MM_LOG_NOTICE, NULL, "spool: %lld records of other slots adopted",
		       (long long)adopted);
	return status;
}

/* The names of files made a moment ago must survive a power cut too. */
static void sync_folder(const char *folder)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (descriptor < 0)
		return;
	if (fsync(descriptor) != 0)
		mm_log(MM_LOG_WARNING, NULL, "spool: %s: %s", folder, strerror(errno));
	close(descriptor);
}

enum mm_status mm_spool_open(const struct mm_spool_options *options, struct mm_spool **spool_out,
			     struct mm_error *err)
{
	struct mm_spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return mm_error_cause(err, MM_NO_MEMORY, "spool");
	pthread_mutex_init(&spool->mutex, NULL);
	spool->lock = -1;
	spool->max_bytes = options->max_bytes;
	spool->clock = options->clock ? options->clock : &mm_clock_system;
	enum mm_status status = take_slot(spool, options, err);
	if (status == MM_OK) {
		status = adopt_orphans(spool, options, err);
		sync_folder(options->spool_dir);
	}
	if (status != MM_OK) {
		mm_spool_close(spool);
		return status;
	}
	*spool_out = spool;
	return MM_OK;
}

void mm_spool_close(struct mm_spool *spool)
{
	if (!spool)
		return;
	mm_spool_file_close(spool);
	if (spool->lock >= 0)
		close(spool->lock);
	pthread_mutex_destroy(&spool->mutex);
	free(spool);
}

int mm_spool_slot(const struct mm_spool *spool)
{
	return spool->slot;
}
