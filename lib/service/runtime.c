/* runtime: opens and closes the parts of an executable in order; serves nothing itself. */
#include "config.h"

#include "service/runtime.h"

#include <stdlib.h>
#include <string.h>

#include "base/data_path.h"
#include "base/log.h"

enum { TOKEN_SECRET_MIN_BYTES = 32, ARENA_MAX_BYTES = 64 * 1024 };

static struct mm_db_options database_options(const struct mm_runtime *runtime)
{
	const struct mm_settings *settings = runtime->settings;
	return (struct mm_db_options){
	    .dsn = settings->database.dsn,
	    .default_user = runtime->role,
	    .application_name = runtime->name,
	    .statement_timeout_ms = settings->database.statement_timeout_ms,
	    .lock_timeout_ms = settings->database.lock_timeout_ms,
	    .retry_min_ms = settings->database.retry_min_ms,
	    .retry_max_ms = settings->database.retry_max_ms,
	    .clock = runtime->clock,
	};
}

static enum mm_status open_judge(struct mm_runtime *runtime, struct mm_error *err)
{
	return mm_judge_open(runtime->settings, &runtime->judge, err);
}

static void close_judge(struct mm_runtime *runtime)
{
	mm_judge_close(runtime->judge);
}

static enum mm_status open_journal(struct mm_runtime *runtime, struct mm_error *err)
{
	const struct mm_settings *settings = runtime->settings;
	const struct mm_db_options database = database_options(runtime);
	const enum mm_status status = mm_sink_postgres_new(&database, &runtime->sink, err);
	if (status != MM_OK)
		return status;
	const struct mm_journal_options options = {
	    .app = runtime->name,
	    .spool_dir = settings->journal.spool_dir,
	    .batch_max = (size_t)settings->journal.batch_max,
	    .queue_max = (size_t)settings->journal.queue_max,
	    .spool_max_bytes = settings->journal.spool_max_bytes,
	    .append_timeout_ms = settings->journal.append_timeout_ms,
	    .set_aside_max = settings->journal.set_aside_max,
	    .retry_min_ms = settings->database.retry_min_ms,
	    .retry_max_ms = settings->database.retry_max_ms,
	    .sink = mm_sink_postgres_interface(runtime->sink),
	    .clock = runtime->clock,
	};
	return mm_journal_open(&options, &runtime->journal, err);
}

static void close_journal(struct mm_runtime *runtime)
{
	mm_journal_close(runtime->journal);
	mm_sink_postgres_free(runtime->sink);
}

static enum mm_status open_pool(struct mm_runtime *runtime, struct mm_error *err)
{
	const struct mm_db_options options = database_options(runtime);
	return mm_pool_new(&options, (size_t)runtime->settings->database.read_connections,
			   &runtime->pool, err);
}

static void close_pool(struct mm_runtime *runtime)
{
	mm_pool_free(runtime->pool);
}

static enum mm_status open_library(struct mm_runtime *runtime, struct mm_error *err)
{
	if (!runtime->settings->knowledge.enabled)
		return MM_OK;
	return mm_library_open(runtime->pool, runtime->settings, &runtime->library, err);
}

static void close_library(struct mm_runtime *runtime)
{
	mm_library_close(runtime->library);
}

static enum mm_status open_tokens(struct mm_runtime *runtime, struct mm_error *err)
{
	return mm_secret_load(runtime->settings->conversation.token_secret_file,
			      TOKEN_SECRET_MIN_BYTES, &runtime->token_secret, err);
}

static void close_tokens(struct mm_runtime *runtime)
{
	mm_secret_free(runtime->token_secret);
}

static enum mm_status open_replies(struct mm_runtime *runtime, struct mm_error *err)
{
	enum mm_status status =
	    mm_replies_load(mm_data_path(runtime->settings->ai.replies_file, runtime->arena),
			    &runtime->replies, err);
	if (status != MM_OK)
		return status;
	const struct mm_chain_options options = {.settings = runtime->settings,
						 .app = runtime->name,
						 .replies = runtime->replies,
						 .clock = runtime->clock};
	status = mm_chain_open(&options, &runtime->chain, err);
	if (status != MM_OK)
		return status;
	runtime->provider = mm_chain_provider(runtime->chain);
	runtime->opinions = mm_opinion_cache_new();
	return runtime->opinions ? MM_OK : mm_error_cause(err, MM_NO_MEMORY, "runtime: no memory");
}

static void close_replies(struct mm_runtime *runtime)
{
	mm_opinion_cache_free(runtime->opinions);
	mm_chain_close(runtime->chain);
	mm_replies_free(runtime->replies);
}

/* In the order of opening; closing goes backwards. A close takes a part that never opened. */
static const struct {
	enum mm_need need;
	enum mm_status (*open)(struct mm_runtime *runtime, struct mm_error *err);
	void (*close)(struct mm_runtime *runtime);
} parts[] = {
    {MM_NEED_TOKENS, open_tokens, close_tokens},    {MM_NEED_REPLIES, open_replies, close_replies},
    {MM_NEED_DETECTOR, open_judge, close_judge},    {MM_NEED_POOL, open_pool, close_pool},
    {MM_NEED_LIBRARY, open_library, close_library}, {MM_NEED_JOURNAL, open_journal, close_journal},
};

static enum mm_status open_parts(struct mm_runtime *runtime, unsigned needs, struct mm_error *err)
{
	enum mm_status status = MM_OK;
	runtime->arena = mm_arena_new(ARENA_MAX_BYTES);
	runtime->ids = mm_id_source_new(runtime->clock);
	if (runtime->arena)
		runtime->role = mm_arena_printf(runtime->arena, "mamori_%s", runtime->name);
	if (!runtime->arena || !runtime->ids || !runtime->role)
		return mm_error_cause(err, MM_NO_MEMORY, "runtime: no memory");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == MM_OK; i++)
		if (needs & parts[i].need)
			status = parts[i].open(runtime, err);
	return status;
}

enum mm_status mm_runtime_open(const struct mm_settings *settings, const char *name, unsigned needs,
			       struct mm_runtime **out, struct mm_error *err)
{
	struct mm_runtime *runtime = calloc(1, sizeof *runtime);
	if (!runtime)
		return mm_error_cause(err, MM_NO_MEMORY, "runtime: no memory");
	runtime->name = name;
	runtime->settings = settings;
	runtime->clock = &mm_clock_system;
	runtime->started_mono_ms = mm_clock_mono_ms(runtime->clock);
	const enum mm_status status = open_parts(runtime, needs, err);
	if (status != MM_OK) {
		mm_runtime_close(runtime);
		return status;
	}
	*out = runtime;
	return MM_OK;
}

void mm_runtime_reload(struct mm_runtime *runtime)
{
	struct mm_error err = {.status = MM_OK};
	mm_library_reload(runtime->library);
	if (mm_judge_reload(runtime->judge, &err) == MM_OK)
		mm_log(MM_LOG_NOTICE, NULL, "rules and models are loaded again");
	else
		mm_log(MM_LOG_ERROR, NULL, "the rules stay as they were: %s",
		       err.cause[0] ? err.cause : err.message);
}

void mm_runtime_close(struct mm_runtime *runtime)
{
	if (!runtime)
		return;
	for (size_t i = sizeof parts / sizeof parts[0]; i-- > 0;)
		parts[i].close(runtime);
	mm_id_source_free(runtime->ids);
	mm_arena_free(runtime->arena);
	free(runtime);
}
