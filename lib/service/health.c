/* health: gathers what the parts tell of themselves; repairs nothing. */
#include "config.h"

#include "service/health.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "ai/chain.h"
#include "store/health_store.h"
#include "text/json_writer.h"

enum { CHECK_EVERY_MS = 1000, CHECK_TIMEOUT_MS = 1000 };

struct database_check {
	bool is_up;
	struct mm_database_health health;
	char reason[160]; /* why it is not up: public, without names or addresses */
};

struct mm_health {
	struct mm_runtime *runtime;
	pthread_mutex_t lock; /* over the two below; held while the database is asked */
	int64_t checked_mono_ms;
	struct database_check last;
};

struct journal_summary {
	size_t workers;            /* that are alive */
	enum mm_journal_mode mode; /* the worst */
	int64_t spooled, set_aside, oldest_utc_ms;
};

enum mm_status mm_health_new(struct mm_runtime *runtime, struct mm_health **out,
			     struct mm_error *err)
{
	struct mm_health *health = calloc(1, sizeof *health);
	if (!health)
		return mm_error_cause(err, MM_NO_MEMORY, "health: no memory");
	health->runtime = runtime;
	health->checked_mono_ms = -CHECK_EVERY_MS;
	pthread_mutex_init(&health->lock, NULL);
	*out = health;
	return MM_OK;
}

void mm_health_free(struct mm_health *health)
{
	if (!health)
		return;
	pthread_mutex_destroy(&health->lock);
	free(health);
}

static void check_database(struct mm_health *health, int64_t now)
{
	struct mm_error err = {.status = MM_OK};
	const enum mm_status status = mm_health_load(health->runtime->pool, now + CHECK_TIMEOUT_MS,
						     &health->last.health, &err);
	health->last.is_up = status == MM_OK;
	if (status != MM_OK) {
		mm_log(MM_LOG_INFO, NULL, "health: database: %s", err.cause);
		snprintf(health->last.reason, sizeof health->last.reason, "%s",
			 status == MM_TIMEOUT ? "no answer in time"
					      : "not reachable, or its schema is missing");
	}
}

static struct database_check read_database(struct mm_health *health)
{
	const int64_t now = mm_clock_mono_ms(health->runtime->clock);
	pthread_mutex_lock(&health->lock);
	if (now - health->checked_mono_ms >= CHECK_EVERY_MS) {
		check_database(health, now);
		health->checked_mono_ms = mm_clock_mono_ms(health->runtime->clock);
	}
	const struct database_check result = health->last;
	pthread_mutex_unlock(&health->lock);
	return result;
}

/* Worst first: a failing journal outweighs a spooling one. */
static void add_journal(struct journal_summary *summary, const struct mm_journal_report *report)
{
	static const int rank[MM_JOURNAL_MODE__MAX] = {[MM_JOURNAL_DIRECT] = 0,
						       [MM_JOURNAL_DRAINING] = 1,
						       [MM_JOURNAL_SPOOLING] = 2,
						       [MM_JOURNAL_FAILING] = 3};
	const struct mm_journal_state *state = &report->state;
	summary->spooled += state->spooled;
	summary->set_aside += state->set_aside;
	if (state->oldest_utc_ms > 0 &&
	    (summary->oldest_utc_ms == 0 || state->oldest_utc_ms < summary->oldest_utc_ms))
		summary->oldest_utc_ms = state->oldest_utc_ms;
	if (!report->is_alive)
		return;
	summary->workers++;
	if (rank[state->mode] > rank[summary->mode])
		summary->mode = state->mode;
}

static struct journal_summary read_journals(const struct mm_health *health, struct mm_arena *arena)
{
	struct journal_summary summary = {.mode = MM_JOURNAL_DIRECT};
	struct mm_journal_report *reports;
	struct mm_error err = {.status = MM_OK};
	size_t count;
	if (mm_journal_read_states(health->runtime->settings->journal.spool_dir, &reports, &count,
				   arena, &err) != MM_OK) {
		mm_log(MM_LOG_INFO, NULL, "health: journal: %s", err.cause);
		return summary;
	}
	for (size_t i = 0; i < count; i++)
		add_journal(&summary, &reports[i]);
	return summary;
}

static bool is_current(const struct database_check *database)
{
	return database->is_up &&
	       database->health.migration_applied == database->health.migration_newest;
}

enum verdict { VERDICT_HEALTHY, VERDICT_DEGRADED, VERDICT_UNHEALTHY };

static enum verdict judge(const struct database_check *database,
			  const struct journal_summary *journals)
{
	const bool can_keep = journals->workers > 0 && journals->mode != MM_JOURNAL_FAILING;
	if (!database->is_up && !can_keep)
		return VERDICT_UNHEALTHY;
	if (journals->mode == MM_JOURNAL_FAILING)
		return VERDICT_UNHEALTHY;
	const bool is_well = is_current(database) && !database->health.is_read_only &&
			     journals->workers > 0 && journals->mode == MM_JOURNAL_DIRECT &&
			     journals->set_aside == 0;
	return is_well ? VERDICT_HEALTHY : VERDICT_DEGRADED;
}

static void write_database(struct mm_json_writer *writer, const struct database_check *database)
{
	mm_json_key(writer, "database");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "status", database->is_up ? "up" : "down");
	if (!database->is_up) {
		mm_json_pair_text(writer, "reason", database->reason);
	} else {
		const struct mm_database_health *health = &database->health;
		mm_json_pair_double(writer, "round_trip_ms", health->round_trip_ms, 2);
		mm_json_pair_text(writer, "version", health->server_version);
		mm_json_pair_bool(writer, "is_read_only", health->is_read_only);
		mm_json_key(writer, "migrations");
		mm_json_object_begin(writer);
		mm_json_pair_i64(writer, "applied", health->migration_applied);
		mm_json_pair_i64(writer, "newest", health->migration_newest);
		mm_json_pair_bool(writer, "up_to_date", is_current(database));
		mm_json_object_end(writer);
	}
	mm_json_object_end(writer);
}

static void write_journals(struct mm_json_writer *writer, const struct journal_summary *journals,
			   int64_t now_utc_ms)
{
	mm_json_key(writer, "journal");
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "mode",
			  journals->workers > 0 ? mm_journal_mode_name(journals->mode) : "unknown");
	mm_json_pair_i64(writer, "workers", (int64_t)journals->workers);
	mm_json_pair_i64(writer, "spooled", journals->spooled);
	if (journals->oldest_utc_ms > 0)
		mm_json_pair_double(writer, "oldest_seconds",
				    (double)(now_utc_ms - journals->oldest_utc_ms) / 1000.0, 1);
	else
		mm_json_pair_null(writer, "oldest_seconds");
	mm_json_pair_i64(writer, "set_aside", journals->set_aside);
	mm_json_object_end(writer);
}

static void write_provider(struct mm_json_writer *writer, const struct mm_chain_state *state)
{
	char time[MM_CLOCK_TEXT];
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "provider", state->provider);
	if (state->model)
		mm_json_pair_text(writer, "model", state->model);
	mm_json_pair_text(writer, "breaker", mm_breaker_state_name(state->breaker));
	if (state->last_fault_utc_ms > 0) {
		mm_clock_format_utc(state->last_fault_utc_ms, time);
		mm_json_pair_text(writer, "last_fault", mm_fault_name(state->last_fault));
		mm_json_pair_text(writer, "last_fault_at", time);
	}
	if (state->model)
		mm_json_pair_i64(writer, "tokens_today", state->tokens_today);
	mm_json_object_end(writer);
}

/* What chat's processes have noted down; nobody is asked. The built-in responder makes no call, so
 * nothing can open its breaker. */
static void write_ai(struct mm_json_writer *writer, const struct mm_runtime *runtime,
		     int64_t now_utc_ms, struct mm_arena *arena)
{
	struct mm_chain_state *states;
	struct mm_error err = {.status = MM_OK};
	size_t count = 0;
	if (mm_chain_read_states(runtime->settings, "chat", now_utc_ms, &states, &count, arena,
				 &err) != MM_OK)
		mm_log(MM_LOG_WARNING, NULL, "health: %s%s", err.message, err.cause);
	mm_json_key(writer, "ai");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < count; i++)
		write_provider(writer, &states[i]);
	mm_json_array_end(writer);
}

static void write_common(struct mm_json_writer *writer, const struct mm_runtime *runtime,
			 int64_t now_utc_ms)
{
	char time[25];
	const int64_t uptime_ms = mm_clock_mono_ms(runtime->clock) - runtime->started_mono_ms;
	mm_clock_format_utc(now_utc_ms, time);
	mm_json_pair_text(writer, "version", PACKAGE_VERSION);
	mm_json_pair_i64(writer, "uptime_seconds", uptime_ms / 1000);
	mm_json_pair_text(writer, "timestamp", time);
}

enum mm_status mm_health_report(struct mm_health *health, struct mm_buffer *out,
				bool *can_serve_out, struct mm_arena *arena, struct mm_error *err)
{
	static const char *const names[] = {[VERDICT_HEALTHY] = "healthy",
					    [VERDICT_DEGRADED] = "degraded",
					    [VERDICT_UNHEALTHY] = "unhealthy"};
	const struct database_check database = read_database(health);
	const struct journal_summary journals = read_journals(health, arena);
	const enum verdict verdict = judge(&database, &journals);
	const int64_t now = mm_clock_utc_ms(health->runtime->clock);
	struct mm_json_writer writer;
	mm_json_writer_init(&writer, out);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "status", names[verdict]);
	write_common(&writer, health->runtime, now);
	mm_json_key(&writer, "checks");
	mm_json_object_begin(&writer);
	write_database(&writer, &database);
	write_journals(&writer, &journals, now);
	write_ai(&writer, health->runtime, now, arena);
	mm_json_object_end(&writer);
	mm_json_object_end(&writer);
	if (out->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "health: no memory for the report");
	*can_serve_out = verdict != VERDICT_UNHEALTHY;
	return MM_OK;
}

void mm_health_report_live(const struct mm_runtime *runtime, struct mm_buffer *out)
{
	struct mm_json_writer writer;
	mm_json_writer_init(&writer, out);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "status", "alive");
	write_common(&writer, runtime, mm_clock_utc_ms(runtime->clock));
	mm_json_object_end(&writer);
}
