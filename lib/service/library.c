/* library: reads articles in a thread, lends the current knowledge, and frees an old one when nobody
 * has it. */
#include "config.h"

#include "service/library.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/article_store.h"
#include "store/condition.h"

enum { READ_TIMEOUT_MS = 10000, VERSION_TIMEOUT_MS = 2000, FIRST_WAIT_MS = 2000 };

/* A knowledge and how many have it: the library, while it is current, and every loan. */
struct shared {
	struct mm_knowledge *knowledge;
	unsigned holders; /* guarded by the library's lock */
	struct mm_library *library;
};

struct mm_library {
	struct mm_pool *pool; /* NULL: no thread */
	int64_t check_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* any of what follows */
	struct shared *current;
	bool is_wanted; /* read again, whatever the version */
	bool has_tried; /* the first reading has ended, well or not */
	bool is_closing;
	bool is_told; /* that the articles cannot be read; of the thread alone */
};

static void let_go(void *argument)
{
	struct shared *shared = argument;
	pthread_mutex_t *lock = &shared->library->lock;
	pthread_mutex_lock(lock);
	const bool is_last = --shared->holders == 0;
	pthread_mutex_unlock(lock);
	if (!is_last)
		return;
	mm_knowledge_free(shared->knowledge);
	free(shared);
}

static struct shared *share(struct mm_library *library, struct mm_knowledge *knowledge)
{
	struct shared *shared = calloc(1, sizeof *shared);
	if (!shared) {
		mm_knowledge_free(knowledge);
		return NULL;
	}
	*shared = (struct shared){.knowledge = knowledge, .holders = 1, .library = library};
	return shared;
}

enum mm_status mm_library_read(struct mm_db *db, int64_t deadline_mono_ms,
			       struct mm_knowledge **out, struct mm_error *err)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_stored_articles stored;
	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for articles");
	enum mm_status status = mm_article_store_load(db, deadline_mono_ms, &stored, arena, err);
	struct mm_knowledge_article *articles =
	    status == MM_OK ? mm_arena_array(arena, stored.count, sizeof *articles) : NULL;
	if (!articles) {
		mm_arena_free(arena);
		return status != MM_OK
			   ? status
			   : mm_error_cause(err, MM_NO_MEMORY, "no memory for articles");
	}
	for (size_t i = 0; i < stored.count; i++) {
		const struct mm_stored_article *from = &stored.articles[i];
		articles[i] = (struct mm_knowledge_article){
		    from->id, from->title, from->body, from->tags,
		    strcmp(from->language, "en") == 0 ? MM_LANGUAGE_EN : MM_LANGUAGE_JA};
	}
	return mm_knowledge_new(arena, articles, stored.count, stored.version, out, err);
}

static void exchange(struct mm_library *library, struct mm_knowledge *knowledge)
{
	const size_t count = mm_knowledge_count(knowledge), bytes = mm_knowledge_bytes(knowledge);
	struct shared *next = share(library, knowledge);
	if (!next)
		return;
	pthread_mutex_lock(&library->lock);
	struct shared *old = library->current;
	library->current = next;
	pthread_mutex_unlock(&library->lock);
	let_go(old);
	mm_log(MM_LOG_NOTICE, NULL, "%zu articles are in use, %zu KiB", count, bytes / 1024);
}

static enum mm_status read_if_due(struct mm_library *library, struct mm_db *db, bool is_wanted,
				  struct mm_error *err)
{
	struct mm_knowledge *knowledge = NULL;
	int64_t version = 0;
	enum mm_status status =
	    mm_article_store_version(db, mm_db_now(db) + VERSION_TIMEOUT_MS, &version, err);
	/* Only this thread exchanges the current one. */
	if (status != MM_OK ||
	    (!is_wanted && version == mm_knowledge_version(library->current->knowledge)))
		return status;
	status = mm_library_read(db, mm_db_now(db) + READ_TIMEOUT_MS, &knowledge, err);
	if (status == MM_OK)
		exchange(library, knowledge);
	return status;
}

/* One look at the database; what fails is said once until it works again. */
static void look(struct mm_library *library, bool is_wanted)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_db *db;
	enum mm_status status =
	    mm_pool_take(library->pool, mm_pool_now(library->pool) + VERSION_TIMEOUT_MS, &db, &err);
	if (status == MM_OK) {
		status = read_if_due(library, db, is_wanted, &err);
		mm_pool_give(library->pool, db);
	}
	if (status != MM_OK && !library->is_told)
		mm_log(MM_LOG_WARNING, NULL,
		       "the articles cannot be read, those there are stay: %s",
		       err.cause[0] ? err.cause : err.message);
	library->is_told = status != MM_OK;
}

static void *run(void *argument)
{
	struct mm_library *library = argument;
	pthread_mutex_lock(&library->lock);
	while (!library->is_closing) {
		const bool is_wanted = library->is_wanted;
		library->is_wanted = false;
		pthread_mutex_unlock(&library->lock);
		look(library, is_wanted);
		pthread_mutex_lock(&library->lock);
		library->has_tried = true;
		pthread_cond_broadcast(&library->changed);
		bool is_early = true;
		while (!library->is_closing && !library->is_wanted && is_early)
			is_early =
			    mm_condition_wait(&library->changed, &library->lock, library->check_ms);
	}
	pthread_mutex_unlock(&library->lock);
	return NULL;
}

struct mm_library *mm_library_over(struct mm_knowledge *knowledge)
{
	struct mm_library *library = calloc(1, sizeof *library);
	if (!library) {
		mm_knowledge_free(knowledge);
		return NULL;
	}
	library->current = share(library, knowledge);
	if (!library->current || mm_condition_init(&library->changed) != MM_OK) {
		if (library->current)
			mm_knowledge_free(knowledge);
		free(library->current);
		free(library);
		return NULL;
	}
	pthread_mutex_init(&library->lock, NULL);
	return library;
}

static struct mm_library *open_empty(void)
{
	struct mm_knowledge *nothing;
	struct mm_arena *arena = mm_arena_new(0);
	if (!arena || mm_knowledge_new(arena, NULL, 0, 0, &nothing, NULL) != MM_OK)
		return NULL;
	return mm_library_over(nothing);
}

static void await_first(struct mm_library *library)
{
	bool is_early = true;
	pthread_mutex_lock(&library->lock);
	while (!library->has_tried && is_early)
		is_early = mm_condition_wait(&library->changed, &library->lock, FIRST_WAIT_MS);
	pthread_mutex_unlock(&library->lock);
}

enum mm_status mm_library_open(struct mm_pool *pool, const struct mm_settings *settings,
			       struct mm_library **out, struct mm_error *err)
{
	struct mm_library *library = open_empty();
	if (!library)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for articles");
	library->check_ms = settings->knowledge.check_seconds * 1000;
	library->pool = pool;
	if (pthread_create(&library->thread, NULL, run, library) != 0) {
		library->pool = NULL;
		mm_library_close(library);
		return mm_error_cause(err, MM_NO_MEMORY, "no thread for the articles");
	}
	await_first(library);
	*out = library;
	return MM_OK;
}

void mm_library_close(struct mm_library *library)
{
	if (!library)
		return;
	if (library->pool) {
		pthread_mutex_lock(&library->lock);
		library->is_closing = true;
		pthread_cond_broadcast(&library->changed);
		pthread_mutex_unlock(&library->lock);
		pthread_join(library->thread, NULL);
	}
	let_go(library->current);
	pthread_cond_destroy(&library->changed);
	pthread_mutex_destroy(&library->lock);
	free(library);
}

void mm_library_reload(struct mm_library *library)
{
	if (!library)
		return;
	pthread_mutex_lock(&library->lock);
	library->is_wanted = true;
	pthread_cond_broadcast(&library->changed);
	pthread_mutex_unlock(&library->lock);
}

enum mm_status mm_library_borrow(struct mm_library *library, const struct mm_knowledge **out,
				 struct mm_arena *arena, struct mm_error *err)
{
	pthread_mutex_lock(&library->lock);
	struct shared *shared = library->current;
	shared->holders++;
	pthread_mutex_unlock(&library->lock);
	if (mm_arena_on_reset(arena, let_go, shared) != MM_OK) {
		let_go(shared);
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a request");
	}
	*out = shared->knowledge;
	return MM_OK;
}
