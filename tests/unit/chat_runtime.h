/*
 * chat_runtime: a runtime for the tests of chat, with small rules, the built-in responder, a database
 * that is down and a journal over a fake sink.
 */
#ifndef MM_TEST_CHAT_RUNTIME_H
#define MM_TEST_CHAT_RUNTIME_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ai/builtin.h"
#include "service/runtime.h"
#include "small_rules.h"
#include "text/json.h"

static struct mm_settings settings;
static struct mm_runtime runtime;
static char kept[65536]; /* the last batch that the fake sink got */
static enum mm_status sink_status;
static enum mm_owner sink_owner = MM_OWNER__MAX; /* what the sink tells of held replies */
static bool was_held;                            /* the last record's reply */
static void (*on_kept)(const char *json);        /* NULL: nobody is told of it */

static inline enum mm_status apply(void *self, enum mm_record_kind kind,
				   const struct mm_record *records, size_t count,
				   struct mm_error *err)
{
	(void)self;
	(void)kind;
	(void)count;
	snprintf(kept, sizeof kept, "%.*s", (int)records[0].length, records[0].json);
	was_held = records[0].owner_out != NULL;
	if (was_held && sink_status == MM_OK)
		*records[0].owner_out = sink_owner;
	if (on_kept)
		on_kept(kept);
	return sink_status == MM_OK ? MM_OK : mm_error_cause(err, sink_status, "fake");
}

static inline void open_stores(void)
{
	struct mm_error err = {.status = MM_OK};
	const struct mm_journal_options options = {.app = "chat",
						   .spool_dir = test_folder,
						   .batch_max = 8,
						   .queue_max = 64,
						   .spool_max_bytes = 1 << 20,
						   .append_timeout_ms = 5000,
						   .set_aside_max = 10,
						   .retry_min_ms = 10,
						   .retry_max_ms = 20,
						   .sink = {.apply = apply}};
	const struct mm_db_options database = {.dsn = "host=/nonexistent connect_timeout=2",
					       .application_name = "test",
					       .retry_min_ms = 1000,
					       .retry_max_ms = 1000};
	assert_int_equal(mm_journal_open(&options, &runtime.journal, &err), MM_OK);
	assert_int_equal(mm_pool_new(&database, 1, &runtime.pool, &err), MM_OK);
}

static inline int open_all(void **state)
{
	char path[1024];
	struct mm_error err = {.status = MM_OK};
	const char *source = getenv("MM_TEST_SOURCE");
	(void)state;
	test_folder_make();
	runtime.arena = mm_arena_new(0);
	snprintf(path, sizeof path, "%s/conf/replies.conf", source ? source : ".");
	assert_int_equal(mm_settings_load(NULL, &settings, runtime.arena, &err), MM_OK);
	assert_int_equal(mm_replies_load(path, &runtime.replies, &err), MM_OK);
	assert_int_equal(
	    mm_secret_copy("0123456789abcdef0123456789abcdef", 32, &runtime.token_secret, &err),
	    MM_OK);
	runtime.name = "chat";
	runtime.settings = &settings;
	runtime.clock = &mm_clock_system;
	runtime.ids = mm_id_source_new_fixed(1);
	runtime.judge = mm_judge_over(small_detector());
	runtime.provider = mm_builtin_provider(runtime.replies);
	open_stores();
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	mm_journal_close(runtime.journal);
	mm_pool_free(runtime.pool);
	mm_judge_close(runtime.judge);
	mm_id_source_free(runtime.ids);
	mm_secret_free(runtime.token_secret);
	mm_replies_free(runtime.replies);
	mm_arena_free(runtime.arena);
	test_folder_remove();
	return 0;
}

static inline struct json_object *parse(const char *text, struct mm_arena *arena)
{
	const struct mm_json_limits limits = {.max_bytes = 0};
	struct json_object *body = NULL;
	struct mm_error err = {.status = MM_OK};
	if (mm_json_parse(text, strlen(text), &limits, &body, arena, &err) != MM_OK)
		fail_msg("%s: %s", text, err.message);
	return body;
}

static inline const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) && value
		   ? json_object_get_string(value)
		   : "";
}

#endif
