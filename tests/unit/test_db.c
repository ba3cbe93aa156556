/* test_db: connections, the pool and the PostgreSQL sink against a private cluster: every call ends
 * in time and says what became of its statement. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/log.h"
#include "cluster.h"
#include "store/conversation_store.h"
#include "store/health_store.h"
#include "store/journal.h"
#include "store/migrate.h"
#include "store/pool.h"
#include "store/sink_postgres.h"

#define CONVERSATION "0192d3f0-0000-7000-8000-000000000001"

static struct mm_arena *arena;
static struct mm_error err;
static PGresult *rows;

static enum mm_status exec_within(struct mm_db *db, const char *sql, int64_t ms)
{
	return mm_db_exec(db, sql, 0, NULL, NULL, mm_db_now(db) + ms, &rows, arena, &err);
}

static enum mm_status exec(struct mm_db *db, const char *sql)
{
	return exec_within(db, sql, 10000);
}

static void script(struct mm_db *db, const char *sql)
{
	if (mm_db_script(db, sql, mm_db_now(db) + 10000, &rows, arena, &err) != MM_OK)
		fail_msg("%s: %s", sql, err.cause);
}

static const char *value(void)
{
	return PQgetvalue(rows, 0, 0);
}

static void sqlstate_status__each_class__as_documented(void **state)
{
	(void)state;
	static const struct {
		const char *sqlstate;
		enum mm_status want;
	} cases[] = {
	    {"22P02", MM_BAD_INPUT}, {"22021", MM_BAD_INPUT}, {"23514", MM_BAD_INPUT},
	    {"23503", MM_BAD_INPUT}, {"21000", MM_BAD_INPUT}, {"54000", MM_BAD_INPUT},
	    {"P0001", MM_BAD_INPUT}, {"P0002", MM_UPSTREAM},  {"25006", MM_UPSTREAM},
	    {"57P01", MM_UPSTREAM},  {"57P03", MM_UPSTREAM},  {"53100", MM_UPSTREAM},
	    {"53300", MM_UPSTREAM},  {"55P03", MM_UPSTREAM},  {"57014", MM_UPSTREAM},
	    {"40001", MM_UPSTREAM},  {"40P01", MM_UPSTREAM},  {"42883", MM_UPSTREAM},
	    {"42501", MM_UPSTREAM},  {"42P01", MM_UPSTREAM},  {"08006", MM_UPSTREAM},
	    {"XX000", MM_UPSTREAM},  {NULL, MM_UPSTREAM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum mm_status got = mm_db_sqlstate_status(cases[i].sqlstate);
		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].sqlstate, got, cases[i].want);
	}
}

static void exec__parameters__come_back_as_sent(void **state)
{
	(void)state;
	struct mm_db *db = test_db_open("");
	const char *const values[] = {"カスハラ '; --", NULL};

	assert_int_equal(mm_db_exec(db, "SELECT $1::text, $2::text IS NULL", 2, values, NULL,
				    mm_db_now(db) + 10000, &rows, arena, &err),
			 MM_OK);
	assert_string_equal(value(), "カスハラ '; --");
	assert_string_equal(PQgetvalue(rows, 0, 1), "t");
	assert_true(mm_db_server_version(db) >= 140000);
	mm_db_free(db);
}

/* What a statement does, and whether the connection can go on after it. */
static void exec__statement_that_fails__says_how_and_goes_on(void **state)
{
	(void)state;
	static const struct {
		const char *name, *dsn, *sql;
		int64_t ms;
		enum mm_status want;
		const char *cause;
		bool is_connected;
	} cases[] = {
	    {"bad data", "", "SELECT 'x'::integer", 9000, MM_BAD_INPUT, "22P02", true},
	    {"constraint", "", "INSERT INTO numbers VALUES (1), (1)", 9000, MM_BAD_INPUT, "23505",
	     true},
	    {"deferred to COMMIT", "", "INSERT INTO deferred VALUES (1), (1) RETURNING 1", 9000,
	     MM_BAD_INPUT, "23505", true},
	    {"no such function", "", "SELECT nothing.at_all()", 9000, MM_UPSTREAM, "3F000", true},
	    {"statement timeout", "", "SELECT pg_sleep(20)", 9000, MM_UPSTREAM, "57014", true},
	    {"read-only", "options='-c default_transaction_read_only=on'",
	     "INSERT INTO numbers VALUES (5)", 9000, MM_UPSTREAM, "25006", true},
	    {"deadline first", "", "SELECT pg_sleep(20)", 300, MM_TIMEOUT, "in time", false},
	    {"killed", "", "SELECT pg_terminate_backend(pg_backend_pid())", 9000, MM_TIMEOUT,
	     "57P01", false},
	};
	struct mm_db *admin = test_db_open("");

	script(admin, "CREATE TABLE numbers (n integer PRIMARY KEY);"
		      "CREATE TABLE deferred (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mm_db *db = test_db_open(cases[i].dsn);
		memset(&err, 0, sizeof err);
		enum mm_status got = exec_within(db, cases[i].sql, cases[i].ms);
		if (got != cases[i].want || err.status != cases[i].want ||
		    !strstr(err.cause, cases[i].cause))
			fail_msg("%s: got %d %s", cases[i].name, got, err.cause);
		if (mm_db_is_connected(db) != cases[i].is_connected)
			fail_msg("%s: connected %d", cases[i].name, mm_db_is_connected(db));
		if (exec(db, "SELECT 1") != MM_OK)
			fail_msg("%s: afterwards: %s", cases[i].name, err.cause);
		mm_db_free(db);
	}
	script(admin, "DROP TABLE numbers, deferred");
	mm_db_free(admin);
}

static void exec__lock_held_by_another__is_upstream_in_lock_timeout(void **state)
{
	(void)state;
	struct mm_db *holder = test_db_open("");
	struct mm_db *db = test_db_open("");

	script(holder, "CREATE TABLE held (n integer)");
	script(holder, "BEGIN; LOCK TABLE held");
	assert_int_equal(exec(db, "SELECT count(*) FROM held"), MM_UPSTREAM);
	assert_non_null(strstr(err.cause, "55P03"));
	script(holder, "ROLLBACK; DROP TABLE held");
	mm_db_free(holder);
	mm_db_free(db);
}

static void exec__its_settings__end_with_its_transaction(void **state)
{
	(void)state;
	struct mm_db *db = test_db_open("options='-c synchronous_commit=off'");

	assert_int_equal(exec(db, "SELECT current_setting('statement_timeout')"), MM_OK);
	assert_string_equal(value(), "2s");
	assert_int_equal(exec(db, "SELECT current_setting('lock_timeout')"), MM_OK);
	assert_string_equal(value(), "300ms");
	assert_int_equal(exec(db, "SELECT current_setting('synchronous_commit')"), MM_OK);
	assert_string_equal(value(), "on");
	script(db, "SELECT current_setting('statement_timeout')"
		   " || current_setting('lock_timeout') || current_setting('synchronous_commit')");
	assert_string_equal(value(), "00off");
	script(db, "SELECT count(*) FROM pg_prepared_statements");
	assert_string_equal(value(), "0");
	mm_db_free(db);
}

struct waiting {
	struct mm_db *db;
	enum mm_status status;
	struct mm_error err;
};

static void *insert_one(void *argument)
{
	struct waiting *waiting = argument;

	waiting->status = mm_db_exec(waiting->db, "INSERT INTO waited VALUES (1)", 0, NULL, NULL,
				     mm_db_now(waiting->db) + 60000, NULL, NULL, &waiting->err);
	return NULL;
}

static void set_standby(struct mm_db *admin, const char *alter, const char *want)
{
	script(admin, alter);
	script(admin, "SELECT pg_reload_conf()");
	do
		script(admin, "SHOW synchronous_standby_names");
	while (strcmp(value(), want) != 0);
}

/* The commit succeeds on this machine only, and says so in a warning. */
static void exec__wait_for_a_standby_cancelled__is_unknown(void **state)
{
	(void)state;
	struct mm_db *admin = test_db_open("");
	struct waiting waiting = {.db = test_db_open("")};
	pthread_t thread;

	script(admin, "CREATE TABLE waited (n integer)");
	set_standby(admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "nobody");
	assert_int_equal(pthread_create(&thread, NULL, insert_one, &waiting), 0);
	do
		script(admin, "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
			      " WHERE wait_event = 'SyncRep'");
	while (strcmp(value(), "0") == 0);
	pthread_join(thread, NULL);
	set_standby(admin, "ALTER SYSTEM RESET synchronous_standby_names", "");
	assert_int_equal(waiting.status, MM_TIMEOUT);
	assert_non_null(strstr(waiting.err.cause, "warning"));
	script(admin, "DROP TABLE waited");
	mm_db_free(admin);
	mm_db_free(waiting.db);
}

static void exec__server_restarted_while_idle__works_at_once(void **state)
{
	(void)state;
	struct mm_db *db = test_db_open("");

	assert_int_equal(exec(db, "SELECT 1"), MM_OK);
	test_cluster_run("stop");
	test_cluster_run("start");
	assert_int_equal(exec(db, "SELECT 1"), MM_OK);
	mm_db_free(db);
}

static void connect__server_down__fails_fast_until_the_next_try(void **state)
{
	(void)state;
	const struct mm_db_options options = {
	    .dsn = "host=/nonexistent", .retry_min_ms = 60000, .retry_max_ms = 60000};
	struct mm_db *db;

	assert_int_equal(mm_db_new(&options, &db, &err), MM_OK);
	assert_int_equal(exec(db, "SELECT 1"), MM_UPSTREAM);
	assert_non_null(strstr(err.cause, "/nonexistent"));
	assert_true(mm_db_is_backing_off(db));
	assert_int_equal(exec(db, "SELECT 1"), MM_UPSTREAM);
	assert_non_null(strstr(err.cause, "next try"));
	mm_db_free(db);
}

/* A server that accepts and never answers: a frozen machine. */
static void connect__server_silent__ends_at_the_deadline(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct mm_db_options options = {.dsn = NULL};
	char dsn[128];
	struct mm_db *db;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", test_folder);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(server, 5), 0);
	snprintf(dsn, sizeof dsn, "host=%s user=postgres", test_folder);
	options.dsn = dsn;
	assert_int_equal(mm_db_new(&options, &db, &err), MM_OK);
	int64_t started = mm_db_now(db);
	assert_int_equal(exec_within(db, "SELECT 1", 200), MM_UPSTREAM);
	assert_in_range(mm_db_now(db) - started, 190, 5000);
	assert_non_null(strstr(err.cause, "still connecting"));
	mm_db_free(db);
	close(server);
}

static struct mm_pool *open_pool(const char *dsn, size_t size, int64_t retry_ms)
{
	const struct mm_db_options options = {.dsn = dsn,
					      .statement_timeout_ms = 2000,
					      .retry_min_ms = retry_ms,
					      .retry_max_ms = retry_ms};
	struct mm_pool *pool;

	assert_int_equal(mm_pool_new(&options, size, &pool, &err), MM_OK);
	return pool;
}

static void pool__all_taken__is_busy_at_the_deadline(void **state)
{
	(void)state;
	struct mm_pool *pool = open_pool(test_dsn(""), 1, 100);
	struct mm_db *first, *second;

	assert_int_equal(mm_pool_take(pool, mm_pool_now(pool) + 5000, &first, &err), MM_OK);
	assert_int_equal(mm_pool_take(pool, mm_pool_now(pool) + 50, &second, &err), MM_BUSY);
	mm_pool_give(pool, first);
	assert_int_equal(mm_pool_take(pool, mm_pool_now(pool) + 5000, &second, &err), MM_OK);
	mm_pool_give(pool, second);
	mm_pool_free(pool);
}

static void pool__database_down__one_tries_all_fail_fast(void **state)
{
	(void)state;
	struct mm_pool *pool = open_pool("host=/nonexistent", 4, 60000);
	struct mm_db *db;

	assert_int_equal(mm_pool_take(pool, mm_pool_now(pool) + 5000, &db, &err), MM_UPSTREAM);
	assert_non_null(strstr(err.cause, "/nonexistent"));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(mm_pool_take(pool, mm_pool_now(pool) + 5000, &db, &err),
				 MM_UPSTREAM);
		assert_non_null(strstr(err.cause, "next try"));
	}
	mm_pool_free(pool);
}

static void health__migrated_database__is_up_to_date(void **state)
{
	(void)state;
	struct mm_pool *pool = open_pool(test_dsn(""), 1, 100);
	struct mm_database_health health;

	assert_int_equal(mm_health_load(pool, mm_pool_now(pool) + 5000, &health, &err), MM_OK);
	assert_int_equal(health.migration_applied, health.migration_newest);
	assert_true(health.round_trip_ms > 0);
	assert_true(strlen(health.server_version) > 1);
	assert_false(health.is_read_only);
	mm_pool_free(pool);
}

static const char turn[] =
    "{\"id\":\"0192d3f0-0000-7000-8000-0000000000a1\",\"at\":1795400000000,"
    "\"conversation\":{\"id\":\"" CONVERSATION "\",\"created_at\":1795400000000,"
    "\"customer_name\":\"山田\",\"owner\":\"bot\"},\"messages\":["
    "{\"id\":\"01a2062d-e200-7000-8000-000000000001\",\"at\":1795400000000,\"role\":\"customer\","
    "\"text\":\"ふざけるな\",\"severity\":\"high\",\"sentiment\":\"anger\",\"confidence\":0.9,"
    "\"signals\":[\"urgent\"],\"reply_to\":null,\"is_fallback\":false},"
    "{\"id\":\"01a2062d-e200-7000-8000-000000000002\",\"at\":1795400000001,\"role\":\"bot\","
    "\"text\":\"担当者に代わります\",\"severity\":null,\"sentiment\":null,\"confidence\":null,"
    "\"signals\":[],\"reply_to\":\"01a2062d-e200-7000-8000-000000000001\",\"is_fallback\":true}],"
    "\"events\":[],\"handoff\":{\"id\":\"01a2062d-e200-7000-8000-000000000003\","
    "\"at\":1795400000001,\"reason\":\"severity\",\"priority\":\"high\",\"summary\":\"怒り\","
    "\"context\":{\"issues\":[]}}}";

static struct mm_sink_postgres *open_sink(void)
{
	const struct mm_db_options options = {.dsn = test_dsn(""),
					      .application_name = "sink",
					      .statement_timeout_ms = 2000,
					      .lock_timeout_ms = 1000};
	struct mm_sink_postgres *sink;

	assert_int_equal(mm_sink_postgres_new(&options, &sink, &err), MM_OK);
	return sink;
}

static void conversation_load__after_a_turn__is_that_turn(void **state)
{
	(void)state;
	struct mm_sink_postgres *postgres = open_sink();
	struct mm_journal_sink sink = mm_sink_postgres_interface(postgres);
	struct mm_record record = {.kind = MM_RECORD_TURN, .json = turn, .length = sizeof turn - 1};
	struct mm_pool *pool = open_pool(test_dsn(""), 1, 100);
	struct mm_stored_conversation conversation;
	enum mm_owner owner = MM_OWNER__MAX;
	struct mm_id id;
	bool exists;

	assert_true(mm_id_parse(CONVERSATION, 36, &id));
	assert_int_equal(mm_conversation_load(pool, &id, 20, 50, mm_pool_now(pool) + 5000,
					      &conversation, arena, &err),
			 MM_OK);
	assert_false(conversation.exists);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sink.apply(sink.self, record.kind, &record, 1, &err), MM_OK);
	assert_int_equal(mm_conversation_load(pool, &id, 20, 50, mm_pool_now(pool) + 5000,
					      &conversation, arena, &err),
			 MM_OK);
	assert_true(conversation.exists);
	assert_int_equal(conversation.owner, MM_OWNER_HUMAN);
	assert_int_equal(conversation.created_utc_ms, 1795400000000);
	assert_string_equal(conversation.customer_name, "山田");
	assert_true(conversation.has_open_handoff);
	assert_int_equal(conversation.fallback_streak, 1);
	assert_int_equal(conversation.count, 2);
	assert_string_equal(conversation.messages[0].text, "ふざけるな");
	assert_true(conversation.messages[0].has_analysis);
	assert_int_equal(conversation.messages[0].severity, MM_SEVERITY_HIGH);
	assert_int_equal(conversation.messages[0].sentiment, MM_SENTIMENT_ANGER);
	assert_int_equal(conversation.messages[1].role, MM_ROLE_BOT);
	assert_int_equal(conversation.messages[1].utc_ms, 1795400000001);
	assert_false(conversation.messages[1].has_analysis);
	assert_int_equal(mm_conversation_load(pool, &id, 0, 0, mm_pool_now(pool) + 5000,
					      &conversation, arena, &err),
			 MM_OK);
	assert_true(conversation.exists);
	assert_int_equal(conversation.count, 0);
	assert_int_equal(
	    mm_conversation_owner(pool, &id, mm_pool_now(pool) + 5000, &exists, &owner, &err),
	    MM_OK);
	assert_true(exists && owner == MM_OWNER_HUMAN);
	mm_pool_free(pool);
	mm_sink_postgres_free(postgres);
}

struct client {
	pthread_t thread;
	struct mm_journal *journal;
	struct mm_id_source *ids;
	int acknowledged;
	volatile bool *is_over;
};

static void *run_client(void *argument)
{
	struct client *client = argument;
	char json[512];
	char id_text[MM_ID_TEXT];

	while (!*client->is_over) {
		struct mm_record record = {.kind = MM_RECORD_ANALYSIS, .json = json};
		if (mm_id_next(client->ids, &record.id) != MM_OK)
			break;
		mm_id_format(&record.id, id_text);
		record.length = (size_t)snprintf(
		    json, sizeof json,
		    "{\"id\":\"%s\",\"at\":1795400000000,\"request_id\":\"fault\",\"text\":\"x\","
		    "\"severity\":\"none\",\"categories\":[],\"confidence\":0.9,"
		    "\"sentiment\":\"neutral\",\"risk\":\"none\",\"signals\":[],\"findings\":[],"
		    "\"engine\":\"rules\"}",
		    id_text);
		client->acknowledged +=
		    mm_journal_append(client->journal, &record, NULL, NULL) == MM_OK;
	}
	return NULL;
}

static void journal__server_stopped_three_times__every_record_exactly_once(void **state)
{
	(void)state;
	struct mm_sink_postgres *postgres = open_sink();
	struct mm_journal_options options = {.app = "fault",
					     .spool_dir = test_folder,
					     .batch_max = 64,
					     .queue_max = 1024,
					     .spool_max_bytes = 1 << 30,
					     .append_timeout_ms = 10000,
					     .set_aside_max = 10,
					     .retry_min_ms = 20,
					     .retry_max_ms = 200,
					     .sink = mm_sink_postgres_interface(postgres)};
	struct mm_id_source *ids = mm_id_source_new(&mm_clock_system);
	struct client clients[8];
	struct mm_journal_state journal_state;
	struct mm_journal *journal;
	volatile bool is_over = false;
	int acknowledged = 0;

	assert_int_equal(mm_journal_open(&options, &journal, &err), MM_OK);
	for (int i = 0; i < 8; i++) {
		clients[i] = (struct client){.journal = journal, .ids = ids, .is_over = &is_over};
		pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
	}
	for (int i = 0; i < 3; i++) {
		usleep(200000);
		test_cluster_run("stop");
		usleep(200000);
		test_cluster_run("start");
	}
	is_over = true;
	for (int i = 0; i < 8; i++) {
		pthread_join(clients[i].thread, NULL);
		acknowledged += clients[i].acknowledged;
	}
	do {
		usleep(10000);
		mm_journal_state(journal, &journal_state);
	} while (journal_state.mode != MM_JOURNAL_DIRECT);
	assert_int_equal(journal_state.set_aside, 0);
	mm_journal_close(journal);
	struct mm_db *db = test_db_open("");
	script(db, "SELECT count(*) FROM mamori.analysis_logs WHERE request_id = 'fault'");
	assert_true(acknowledged > 100);
	assert_int_equal(atoi(value()), acknowledged);
	mm_db_free(db);
	mm_sink_postgres_free(postgres);
	mm_id_source_free(ids);
}

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	memset(&err, 0, sizeof err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static int make_all(void **state)
{
	char sql_dir[256];
	struct mm_migration_result result;

	(void)state;
	test_cluster_make();
	struct mm_db *db = test_db_open("");
	snprintf(sql_dir, sizeof sql_dir, "%s/sql", test_source());
	if (mm_migrate(db, sql_dir, 60000, NULL, NULL, &result, &err) != MM_OK) {
		fprintf(stderr, "migrate: %s\n", err.cause);
		return 1;
	}
	mm_db_free(db);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	test_cluster_remove();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sqlstate_status__each_class__as_documented),
	    TEST(exec__parameters__come_back_as_sent),
	    TEST(exec__statement_that_fails__says_how_and_goes_on),
	    TEST(exec__lock_held_by_another__is_upstream_in_lock_timeout),
	    TEST(exec__its_settings__end_with_its_transaction),
	    TEST(exec__wait_for_a_standby_cancelled__is_unknown),
	    TEST(exec__server_restarted_while_idle__works_at_once),
	    TEST(connect__server_down__fails_fast_until_the_next_try),
	    TEST(connect__server_silent__ends_at_the_deadline),
	    TEST(pool__all_taken__is_busy_at_the_deadline),
	    TEST(pool__database_down__one_tries_all_fail_fast),
	    TEST(health__migrated_database__is_up_to_date),
	    TEST(conversation_load__after_a_turn__is_that_turn),
	    TEST(journal__server_stopped_three_times__every_record_exactly_once),
	};
	mm_log_open("test_db", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
