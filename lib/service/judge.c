/* judge: loads detectors, lends the current one, and frees an old one when nobody has it. */
#include "config.h"

#include "service/judge.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/data_path.h"

enum { PATHS_MAX_BYTES = 64 * 1024 };

/* A detector and how many have it: the judge, while it is current, and every loan. */
struct shared {
	struct mm_detector *detector;
	unsigned holders; /* guarded by the judge's lock */
	struct mm_judge *judge;
};

struct mm_judge {
	const struct mm_settings *settings; /* NULL: cannot be reloaded */
	pthread_mutex_t lock;
	struct shared *current; /* guarded by the lock */
};

static void let_go(void *argument)
{
	struct shared *shared = argument;
	pthread_mutex_t *lock = &shared->judge->lock;
	pthread_mutex_lock(lock);
	const bool is_last = --shared->holders == 0;
	pthread_mutex_unlock(lock);
	if (!is_last)
		return;
	mm_detector_free(shared->detector);
	free(shared);
}

static enum mm_status use_models(struct mm_detector *detector, const char *dir,
				 struct mm_arena *paths, struct mm_error *err)
{
	if (dir[0] == '\0')
		return MM_OK;
	return mm_detector_use_models(detector, mm_data_path(dir, paths), err);
}

static enum mm_status load(const struct mm_settings *settings, struct mm_detector **out,
			   struct mm_arena *paths, struct mm_error *err)
{
	struct mm_detector *detector = NULL;
	struct mm_rules *rules;
	enum mm_status status =
	    mm_rules_load(mm_data_path(settings->detect.rules_dir, paths),
			  settings->detect.site_rules_dir, settings->detect.cache_dir, &rules, err);
	if (status == MM_OK)
		status = mm_detector_new(rules, &detector, err);
	if (status == MM_OK)
		status = use_models(detector, settings->detect.model_dir, paths, err);
	if (status == MM_OK)
		*out = detector;
	else
		mm_detector_free(detector);
	return status;
}

static enum mm_status load_with_paths(const struct mm_settings *settings, struct mm_detector **out,
				      struct mm_error *err)
{
	struct mm_arena *paths = mm_arena_new(PATHS_MAX_BYTES);
	if (!paths)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the rules");
	const enum mm_status status = load(settings, out, paths, err);
	mm_arena_free(paths);
	return status;
}

static struct shared *share(struct mm_judge *judge, struct mm_detector *detector)
{
	struct shared *shared = calloc(1, sizeof *shared);
	if (!shared) {
		mm_detector_free(detector);
		return NULL;
	}
	*shared = (struct shared){.detector = detector, .holders = 1, .judge = judge};
	return shared;
}

struct mm_judge *mm_judge_over(struct mm_detector *detector)
{
	struct mm_judge *judge = calloc(1, sizeof *judge);
	if (!judge) {
		mm_detector_free(detector);
		return NULL;
	}
	judge->current = share(judge, detector);
	if (!judge->current) {
		free(judge);
		return NULL;
	}
	pthread_mutex_init(&judge->lock, NULL);
	return judge;
}

enum mm_status mm_judge_open(const struct mm_settings *settings, struct mm_judge **out,
			     struct mm_error *err)
{
	struct mm_detector *detector = NULL;
	const enum mm_status status = load_with_paths(settings, &detector, err);
	if (status != MM_OK)
		return status;
	struct mm_judge *judge = mm_judge_over(detector);
	if (!judge)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a detector");
	judge->settings = settings;
	*out = judge;
	return MM_OK;
}

void mm_judge_close(struct mm_judge *judge)
{
	if (!judge)
		return;
	let_go(judge->current);
	pthread_mutex_destroy(&judge->lock);
	free(judge);
}

enum mm_status mm_judge_reload(struct mm_judge *judge, struct mm_error *err)
{
	struct mm_detector *detector = NULL;
	if (!judge->settings)
		return mm_error_cause(err, MM_BUG, "this detector cannot be loaded again");
	const enum mm_status status = load_with_paths(judge->settings, &detector, err);
	if (status != MM_OK)
		return status;
	struct shared *next = share(judge, detector);
	if (!next)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a detector");
	pthread_mutex_lock(&judge->lock);
	struct shared *old = judge->current;
	judge->current = next;
	pthread_mutex_unlock(&judge->lock);
	let_go(old);
	return MM_OK;
}

enum mm_status mm_judge_borrow(struct mm_judge *judge, struct mm_detector **out,
			       struct mm_arena *arena, struct mm_error *err)
{
	pthread_mutex_lock(&judge->lock);
	struct shared *shared = judge->current;
	shared->holders++;
	pthread_mutex_unlock(&judge->lock);
	if (mm_arena_on_reset(arena, let_go, shared) != MM_OK) {
		let_go(shared);
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a request");
	}
	*out = shared->detector;
	return MM_OK;
}
