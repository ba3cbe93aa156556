/* sink_postgres: one batch, one JSON array, one function call, one round trip. */
#include "config.h"

#include "store/sink_postgres.h"

#include <limits.h>
#include <stdlib.h>

#include "base/buffer.h"

/* Kept between batches; a batch that grew it further gives the memory back. */
enum { BUFFER_KEPT = 1 << 20 };

static const char *const apply_sql[MM_RECORD__MAX] = {
    [MM_RECORD_ANALYSIS] = "SELECT mamori.apply_analyses($1::json)",
    [MM_RECORD_TURN] = "SELECT mamori.keep_turns($1::json)",
};

struct mm_sink_postgres {
	struct mm_db *db;
	int64_t call_ms; /* longest call */
	struct mm_buffer array;
};

enum mm_status mm_sink_postgres_new(const struct mm_db_options *options,
				    struct mm_sink_postgres **sink_out, struct mm_error *err)
{
	struct mm_db_options own = *options;
	struct mm_sink_postgres *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return mm_error_cause(err, MM_NO_MEMORY, "database sink");
	own.retry_min_ms = 0;
	enum mm_status status = mm_db_new(&own, &sink->db, err);
	if (status != MM_OK) {
		free(sink);
		return status;
	}
	sink->call_ms = options->statement_timeout_ms + MM_SINK_GRACE_MS;
	mm_buffer_init(&sink->array, 0, INT_MAX, NULL);
	*sink_out = sink;
	return MM_OK;
}

void mm_sink_postgres_free(struct mm_sink_postgres *sink)
{
	if (!sink)
		return;
	mm_db_free(sink->db);
	mm_buffer_free(&sink->array);
	free(sink);
}

static enum mm_status write_array(struct mm_buffer *array, const struct mm_record *records,
				  size_t count, struct mm_error *err)
{
	mm_buffer_clear(array);
	for (size_t i = 0; i < count; i++) {
		mm_buffer_add_char(array, i == 0 ? '[' : ',');
		mm_buffer_add(array, records[i].json, records[i].length);
	}
	mm_buffer_add_char(array, ']');
	return array->has_failed ? mm_error_cause(err, MM_UPSTREAM, "no memory for a batch")
				 : MM_OK;
}

static enum mm_status apply(void *self, enum mm_record_kind kind, const struct mm_record *records,
			    size_t count, struct mm_error *err)
{
	struct mm_sink_postgres *sink = self;

	if ((unsigned)kind >= MM_RECORD__MAX)
		return mm_error_cause(err, MM_BAD_INPUT, "unknown kind of record %d", (int)kind);
	enum mm_status status = write_array(&sink->array, records, count, err);

	if (status == MM_OK) {
		const char *const values[] = {mm_buffer_text(&sink->array)};
		status = mm_db_exec(sink->db, apply_sql[kind], 1, values, NULL,
				    mm_db_now(sink->db) + sink->call_ms, NULL, NULL, err);
	}
	if (sink->array.capacity > BUFFER_KEPT)
		mm_buffer_free(&sink->array);
	return status;
}

struct mm_journal_sink mm_sink_postgres_interface(struct mm_sink_postgres *sink)
{
	return (struct mm_journal_sink){.apply = apply, .self = sink};
}
