/* test_chat: turns over a fake sink, with a database that is down: what is answered, what is kept,
 * what is refused. Stored conversations are tested through HTTP. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ai/builtin.h"
#include "base/token.h"
#include "service/analyze.h"
#include "service/chat.h"
#include "small_rules.h"

#define CONVERSATION "0192d3f0-0000-7000-8000-000000000001"

static struct mm_settings settings;
static struct mm_runtime runtime;
static char kept[65536]; /* the last batch that the fake sink got */
static enum mm_status sink_status;

static enum mm_status apply(void *self, enum mm_record_kind kind, const struct mm_record *records,
			    size_t count, struct mm_error *err)
{
	(void)self;
	(void)kind;
	(void)count;
	snprintf(kept, sizeof kept, "%.*s", (int)records[0].length, records[0].json);
	return sink_status == MM_OK ? MM_OK : mm_error_cause(err, sink_status, "fake");
}

static void open_stores(void)
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

static int open_all(void **state)
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

static int close_all(void **state)
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

static struct json_object *parse(const char *text, struct mm_arena *arena)
{
	const struct mm_json_limits limits = {.max_bytes = 0};
	struct json_object *body = NULL;
	struct mm_error err = {.status = MM_OK};
	if (mm_json_parse(text, strlen(text), &limits, &body, arena, &err) != MM_OK)
		fail_msg("%s: %s", text, err.message);
	return body;
}

/* Sends one turn; the answer's JSON is parsed into the arena. */
static enum mm_status send(const char *json, const char *authorization,
			   struct json_object **answer_out, struct mm_error *err,
			   struct mm_arena *arena)
{
	struct mm_buffer out;
	const struct mm_chat_request request = {
	    .body = parse(json, arena), .authorization = authorization, .request_id = "test"};
	mm_buffer_init(&out, 256, 0, arena);
	const enum mm_status status = mm_chat(&runtime, &request, &out, arena, err);
	if (status == MM_OK)
		*answer_out = parse(mm_buffer_text(&out), arena);
	return status;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) && value
		   ? json_object_get_string(value)
		   : "";
}

static const struct row {
	const char *name, *json;
	const char *want_response, *want_handoff, *want_severity;
} rows[] = {
    {"a question is answered", "{\"message\":\"荷物が届きません\"}", "配送状況", "", "low"},
    {"abuse is handed over", "{\"message\":\"バカ\"}", "担当者におつなぎ", "severity", "high"},
    {"despair gets care", "{\"message\":\"死にたい\"}", "0120-279-338", "self_harm", "none"},
    {"a wish for a person", "{\"message\":\"人に代わって\"}", "かしこまりました", "human_requested",
     "none"},
    {"the third angry message",
     "{\"message\":\"ふざけるな\",\"history\":[{\"role\":\"user\",\"content\":\"ふざけるな\"},"
     "{\"role\":\"bot\",\"content\":\"はい\"},{\"role\":\"user\",\"content\":\"ふざけるな\"}]}",
     "ご不快な思い", "anger", "low"},
};

static void turn__ends_as_its_message_needs(void **state)
{
	(void)state;
	sink_status = MM_OK;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mm_arena *arena = mm_arena_new(0);
		struct json_object *answer = NULL;
		struct mm_error err = {.status = MM_OK};
		if (send(rows[i].json, NULL, &answer, &err, arena) != MM_OK)
			fail_msg("%s: %s %s", rows[i].name, err.message, err.cause);
		struct json_object *handoff = json_object_object_get(answer, "handoff");
		struct json_object *harassment = json_object_object_get(answer, "harassment");
		const bool is_right =
		    strstr(text_of(answer, "response"), rows[i].want_response) &&
		    strcmp(handoff ? text_of(handoff, "reason") : "", rows[i].want_handoff) == 0 &&
		    strcmp(text_of(harassment, "severity"), rows[i].want_severity) == 0;
		if (!is_right)
			fail_msg("%s: %s", rows[i].name, json_object_to_json_string(answer));
		assert_non_null(strstr(kept, "\"role\":\"bot\""));
		mm_arena_free(arena);
	}
}

/* Four times the same, the other side's words in between; the times are unknown, so that their order
 * has to tell. `answer` is asked twice. */
static bool is_persistent(const char *answer, struct mm_arena *arena)
{
	static const char ask[] = "{\"role\":\"user\",\"content\":\"今すぐ全額返金だ\"}";
	struct json_object *reply = NULL, *body;
	struct mm_error err = {.status = MM_OK};
	const char *json = mm_arena_printf(arena,
					   "{\"message\":\"今すぐ全額返金だ\",\"history\":[%s,{"
					   "\"role\":\"bot\",\"content\":\"%s\"},"
					   "%s,{\"role\":\"bot\",\"content\":\"%s\"},%s,%s]}",
					   ask, answer, ask, answer, ask, ask);
	assert_int_equal(send(json, NULL, &reply, &err, arena), MM_OK);
	body = json_object_object_get(reply, "conversation");
	assert_string_equal(text_of(body, "repetitions_long"), "4");
	assert_string_equal(text_of(body, "messages_per_minute"), "1");
	return strstr(text_of(json_object_object_get(reply, "harassment"), "matched_patterns"),
		      "conversation.persistence");
}

static void no_answer__is_not_held_against_who_asks_again(void **state)
{
	static const enum mm_reply_key keys[] = {MM_REPLY_FALLBACK, MM_REPLY_HANDOFF_ANGER};
	struct mm_arena *arena = mm_arena_new(0);
	(void)state;
	sink_status = MM_OK;
	assert_true(is_persistent("規約により返金はできません。", arena));
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_false(is_persistent(
		    mm_replies_text(runtime.replies, MM_LANGUAGE_JA, keys[i]), arena));
	mm_arena_free(arena);
}

static void record__holds_what_was_said(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer = NULL;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	sink_status = MM_OK;
	assert_int_equal(send("{\"message\":\"このバカ\",\"customer_name\":\"山田\"}", NULL,
			      &answer, &err, arena),
			 MM_OK);
	struct json_object *record = parse(kept, arena);
	struct json_object *messages = json_object_object_get(record, "messages");
	struct json_object *events = json_object_object_get(record, "events");
	struct json_object *first = json_object_array_get_idx(messages, 0);
	assert_int_equal(json_object_array_length(messages), 2);
	assert_int_equal(json_object_array_length(events), 1);
	assert_string_equal(text_of(first, "text"), "このバカ");
	assert_string_equal(text_of(first, "id"), text_of(answer, "message_id"));
	assert_string_equal(
	    text_of(json_object_object_get(record, "conversation"), "customer_name"), "山田");
	assert_string_equal(text_of(json_object_object_get(record, "handoff"), "priority"), "high");
	mm_arena_free(arena);
}

static void token__of_the_conversation__is_needed(void **state)
{
	char good[160], bad[160], header[80], token[MM_TOKEN_TEXT];
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer = NULL;
	struct mm_error err = {.status = MM_OK};
	struct mm_id id;
	(void)state;
	sink_status = MM_OK;
	assert_true(mm_id_parse(CONVERSATION, strlen(CONVERSATION), &id));
	mm_token_make(runtime.token_secret, &id, token);
	snprintf(good, sizeof good,
		 "{\"message\":\"届\",\"conversation_id\":\"" CONVERSATION
		 "\",\"conversation_token\":\"%s\"}",
		 token);
	assert_int_equal(send(good, NULL, &answer, &err, arena), MM_OK);
	assert_string_equal(text_of(answer, "conversation_id"), CONVERSATION);
	assert_string_equal(text_of(answer, "conversation_token"), token);

	token[0] = token[0] == 'A' ? 'B' : 'A';
	snprintf(bad, sizeof bad, "{\"message\":\"届\",\"conversation_id\":\"" CONVERSATION "\"}");
	snprintf(header, sizeof header, "Bearer %s", token);
	assert_int_equal(send(bad, header, &answer, &err, arena), MM_DENIED);
	assert_string_equal(err.field, "conversation_token");
	mm_arena_free(arena);
}

static void database_down_without_token__gives_a_fresh_conversation(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer = NULL;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	sink_status = MM_OK;
	assert_int_equal(send("{\"message\":\"届\",\"conversation_id\":\"" CONVERSATION "\"}", NULL,
			      &answer, &err, arena),
			 MM_OK);
	assert_string_not_equal(text_of(answer, "conversation_id"), CONVERSATION);
	assert_string_equal(text_of(answer, "degraded"), "[ \"history\", \"conversation_id\" ]");
	mm_arena_free(arena);
}

static void batch__is_one_record(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_error err = {.status = MM_OK};
	struct mm_buffer out;
	(void)state;
	sink_status = MM_OK;
	mm_buffer_init(&out, 256, 0, arena);
	const struct mm_analyze_request request = {
	    .body = parse("{\"messages\":[\"バカ\",\"届\"]}", arena), .request_id = "r"};
	assert_int_equal(mm_analyze(&runtime, &request, &out, arena, &err), MM_OK);
	struct json_object *results =
	    json_object_object_get(parse(mm_buffer_text(&out), arena), "results");
	assert_int_equal(json_object_array_length(results), 2);
	char *array = mm_arena_printf(arena, "[%s]", kept);
	assert_int_equal(json_object_array_length(parse(array, arena)), 2);
	mm_arena_free(arena);
}

static void sink_down__is_spooled_and_told(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer = NULL;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	sink_status = MM_UPSTREAM;
	/* The first is told as the others are. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send("{\"message\":\"届\"}", NULL, &answer, &err, arena), MM_OK);
		assert_string_equal(text_of(answer, "degraded"), "[ \"journal\" ]");
	}
	assert_int_equal(send("{\"message\":\"届\",\"conversation_id\":\"" CONVERSATION "\"}", NULL,
			      &answer, &err, arena),
			 MM_OK);
	assert_string_equal(text_of(answer, "degraded"),
			    "[ \"history\", \"conversation_id\", \"journal\" ]");
	sink_status = MM_OK;
	mm_arena_free(arena);
}

static void use_article(void)
{
	static const struct mm_knowledge_article article = {
	    "0192d3f0-0000-7000-8000-00000000000a", "駐車場の場所", "建物の裏に三台分あります。",
	    "", MM_LANGUAGE_JA};
	struct mm_knowledge *knowledge;
	assert_int_equal(mm_knowledge_new(mm_arena_new(0), &article, 1, 1, &knowledge, NULL),
			 MM_OK);
	runtime.library = mm_library_over(knowledge);
	assert_non_null(runtime.library);
}

static size_t count_sources(struct json_object *answer)
{
	struct json_object *sources;
	assert_true(json_object_object_get_ex(answer, "sources", &sources));
	return json_object_array_length(sources);
}

static void question__has_its_source_or_is_a_gap(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	use_article();
	assert_int_equal(send("{\"message\":\"駐車場の場所\"}", NULL, &answer, &err, arena), MM_OK);
	assert_int_equal(count_sources(answer), 1);
	assert_non_null(strstr(text_of(answer, "response"), "三台分"));
	assert_null(strstr(kept, "\"gap\":"));
	assert_int_equal(send("{\"message\":\"傘は 090-1234-5678\"}", NULL, &answer, &err, arena),
			 MM_OK);
	assert_int_equal(count_sources(answer), 0);
	assert_non_null(strstr(kept, "\"gap\":{\"id\":\""));
	assert_non_null(strstr(kept, "\"language\":\"ja\",\"question\":\"傘は [PHONE_1]\"}"));
	assert_int_equal(send("{\"message\":\"バカ\"}", NULL, &answer, &err, arena), MM_OK);
	assert_null(strstr(kept, "\"gap\":"));
	mm_arena_free(arena);
	mm_library_close(runtime.library);
	runtime.library = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(question__has_its_source_or_is_a_gap),
	    cmocka_unit_test(turn__ends_as_its_message_needs),
	    cmocka_unit_test(no_answer__is_not_held_against_who_asks_again),
	    cmocka_unit_test(record__holds_what_was_said),
	    cmocka_unit_test(token__of_the_conversation__is_needed),
	    cmocka_unit_test(database_down_without_token__gives_a_fresh_conversation),
	    cmocka_unit_test(batch__is_one_record),
	    cmocka_unit_test(sink_down__is_spooled_and_told),
	};
	return cmocka_run_group_tests_name("chat", tests, open_all, close_all);
}
