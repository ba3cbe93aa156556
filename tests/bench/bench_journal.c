/*
 * bench_journal: how many records a second one journal makes durable. No test: it prints figures.
 *
 *   bench_journal SPOOL_DIR [DSN [THREADS [SECONDS [BATCH_MAX]]]]
 *
 * Without a DSN the sink does nothing (what the queue costs); "-" is a sink that always fails (what
 * the spool takes). Each thread appends one analysis after the other, as a request would.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "store/journal.h"
#include "store/sink_postgres.h"

enum { THREADS_MAX = 1024 };

static const char record_format[] =
    "{\"id\":\"%s\",\"at\":%lld,\"conversation_id\":null,\"request_id\":\"4bf92f3577b34da6\","
    "\"text\":\"商品が届きません。注文番号 ORD-12345 です。いつ届くのか教えてください。\","
    "\"severity\":\"none\",\"categories\":[],\"confidence\":0.97,\"sentiment\":\"negative\","
    "\"risk\":\"low\",\"signals\":[\"urgent\"],\"findings\":[],\"engine\":\"rules\"}";

struct worker {
	pthread_t thread;
	struct mm_journal *journal;
	struct mm_id_source *ids;
	atomic_bool *is_over;
	long appended, spooled, refused;
	int64_t worst_ms;
};

static atomic_long sink_calls;

static enum mm_status do_nothing(void *self, enum mm_record_kind kind,
				 const struct mm_record *records, size_t count,
				 struct mm_error *err)
{
	(void)kind;
	(void)records;
	(void)count;
	atomic_fetch_add(&sink_calls, 1);
	return self ? mm_error_cause(err, MM_UPSTREAM, "as asked") : MM_OK;
}

static struct mm_journal_sink counted;

static enum mm_status count_and_apply(void *self, enum mm_record_kind kind,
				      const struct mm_record *records, size_t count,
				      struct mm_error *err)
{
	atomic_fetch_add(&sink_calls, 1);
	return counted.apply(self, kind, records, count, err);
}

static void append_one(struct worker *worker)
{
	char json[1024];
	char id[MM_ID_TEXT];
	bool is_spooled = false;
	struct mm_record record = {.kind = MM_RECORD_ANALYSIS, .json = json};

	if (mm_id_next(worker->ids, &record.id) != MM_OK)
		return;
	mm_id_format(&record.id, id);
	record.length = (size_t)snprintf(json, sizeof json, record_format, id,
					 (long long)mm_clock_utc_ms(&mm_clock_system));
	int64_t started = mm_clock_mono_ms(&mm_clock_system);
	if (mm_journal_append(worker->journal, &record, &is_spooled, NULL) == MM_OK)
		worker->appended++;
	else
		worker->refused++;
	worker->spooled += is_spooled;
	int64_t took = mm_clock_mono_ms(&mm_clock_system) - started;
	if (took > worker->worst_ms)
		worker->worst_ms = took;
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	while (!atomic_load_explicit(worker->is_over, memory_order_relaxed))
		append_one(worker);
	return NULL;
}

static void run(struct mm_journal *journal, int threads, int seconds)
{
	static struct worker workers[THREADS_MAX];
	atomic_bool is_over = false;
	struct mm_id_source *ids = mm_id_source_new(&mm_clock_system);
	struct worker sum = {0};
	struct rusage usage;

	for (int i = 0; i < threads; i++) {
		workers[i] = (struct worker){.journal = journal, .ids = ids, .is_over = &is_over};
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	sleep((unsigned)seconds);
	atomic_store(&is_over, true);
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.appended += workers[i].appended;
		sum.spooled += workers[i].spooled;
		sum.refused += workers[i].refused;
		if (workers[i].worst_ms > sum.worst_ms)
			sum.worst_ms = workers[i].worst_ms;
	}
	getrusage(RUSAGE_SELF, &usage);
	double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	printf("%d threads: %.0f records/s, %.1f a batch, %.1f us of own CPU each, worst %lld ms,"
	       " %ld spooled, %ld refused\n",
	       threads, (double)sum.appended / seconds,
	       (double)sum.appended / (double)atomic_load(&sink_calls),
	       cpu * 1e6 / (double)sum.appended, (long long)sum.worst_ms, sum.spooled, sum.refused);
	mm_id_source_free(ids);
}

int main(int count, char **arguments)
{
	if (count < 2) {
		fprintf(stderr, "usage: %s SPOOL_DIR [DSN [THREADS [SECONDS [BATCH_MAX]]]]\n",
			arguments[0]);
		return 2;
	}
	const char *dsn = count > 2 ? arguments[2] : "";
	int threads = count > 3 ? atoi(arguments[3]) : 64;
	struct mm_db_options database = {
	    .dsn = dsn, .statement_timeout_ms = 2000, .lock_timeout_ms = 1000};
	struct mm_journal_options options = {.app = "bench",
					     .spool_dir = arguments[1],
					     .batch_max =
						 count > 5 ? (size_t)atoi(arguments[5]) : 256,
					     .queue_max = 4096,
					     .spool_max_bytes = 1 << 30,
					     .append_timeout_ms = 5000,
					     .set_aside_max = 10,
					     .retry_min_ms = 100,
					     .retry_max_ms = 5000,
					     .sink = {.apply = do_nothing}};
	struct mm_sink_postgres *sink = NULL;
	struct mm_journal *journal;
	struct mm_error err = {0};

	mm_log_open("bench_journal", MM_LOG_NOTICE, 2);
	if (strcmp(dsn, "-") == 0) {
		options.sink.self = &options;
	} else if (dsn[0]) {
		if (mm_sink_postgres_new(&database, &sink, &err) != MM_OK)
			return 1;
		counted = mm_sink_postgres_interface(sink);
		options.sink = (struct mm_journal_sink){count_and_apply, counted.self};
	}
	if (threads < 1 || threads > THREADS_MAX ||
	    mm_journal_open(&options, &journal, &err) != MM_OK) {
		fprintf(stderr, "%s\n", err.cause);
		return 1;
	}
	run(journal, threads, count > 4 ? atoi(arguments[4]) : 3);
	mm_journal_close(journal);
	mm_sink_postgres_free(sink);
	return 0;
}
