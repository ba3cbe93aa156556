/* test_chat: turns over a fake sink, with a database that is down: what is answered, what is kept,
 * what is refused. Stored conversations are tested through HTTP. */
#include "config.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/token.h"
#include "chat_runtime.h"
#include "service/analyze.h"
#include "service/chat.h"

#define CONVERSATION "0192d3f0-0000-7000-8000-000000000001"

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

/* Holds nothing, and remembers the release. */
static unsigned released;

static void *hold(void *context)
{
	return context;
}

static void release(void *held, enum mm_status status, const struct mm_error *err)
{
	(void)err;
	assert_int_equal(status, MM_OK);
	released++;
	sem_post(held);
}

/* One turn whose answer is held until its record is durable. */
static struct json_object *send_held(const char *json, struct mm_arena *arena)
{
	sem_t is_released;
	struct mm_buffer out;
	struct mm_error err = {.status = MM_OK};
	const struct mm_deferral deferral = {
	    .hold = hold, .release = release, .context = &is_released};
	const struct mm_chat_request request = {
	    .body = parse(json, arena), .request_id = "test", .deferral = &deferral};
	sem_init(&is_released, 0, 0);
	mm_buffer_init(&out, 256, 0, arena);
	assert_int_equal(mm_chat(&runtime, &request, &out, arena, &err), MM_OK);
	sem_wait(&is_released);
	sem_destroy(&is_released);
	return parse(mm_buffer_text(&out), arena);
}

static void reply_not_kept__answer_has_none_and_says_whose_it_is(void **state)
{
	static const struct {
		const char *json;
		enum mm_owner owner;
		const char *want_owner;
		bool want_handoff;
	} cases[] = {
	    {"{\"message\":\"荷物が届きません\"}", MM_OWNER_HUMAN, "human", false},
	    {"{\"message\":\"荷物が届きません\"}", MM_OWNER_CLOSED, "closed", false},
	    {"{\"message\":\"荷物が届きません\"}", MM_OWNER_BOT, "bot", false},
	    {"{\"message\":\"バカ\"}", MM_OWNER_HUMAN, "human", true},
	    {"{\"message\":\"バカ\"}", MM_OWNER_CLOSED, "closed", true},
	};
	struct mm_error err = {.status = MM_OK};
	(void)state;
	sink_status = MM_OK;
	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		const size_t row = i / 2;
		struct mm_arena *arena = mm_arena_new(0);
		struct json_object *answer = NULL;
		sink_owner = cases[row].owner;
		if (i % 2)
			answer = send_held(cases[row].json, arena);
		else
			assert_int_equal(send(cases[row].json, NULL, &answer, &err, arena), MM_OK);
		struct json_object *handoff = json_object_object_get(answer, "handoff");
		assert_true(was_held);
		assert_non_null(strstr(kept, "\"is_reply_held\":true"));
		assert_null(json_object_object_get(answer, "response"));
		assert_null(json_object_object_get(answer, "ai"));
		assert_string_equal(text_of(answer, "owner"), cases[row].want_owner);
		assert_int_equal(handoff != NULL, cases[row].want_handoff);
		mm_arena_free(arena);
	}
	sink_owner = MM_OWNER__MAX;
	assert_int_equal(released, sizeof cases / sizeof cases[0]);
}

/* Answers, with the history as the client gives it; the texts of the shipped file. */
static void ladder__goes_by_the_clients_history(void **state)
{
	static const struct {
		const char *name, *message, *said;
		const char *want, *never;
	} notices[] = {
	    {"medium: a notice", "責任者を出せ", "", "お控えくださいます", ""},
	    {"medium again: none", "責任者を出せ", NULL, "", "お控えくださいます"},
	    {"a complaint: none", "荷物が届きません", "", "配送状況", "お控えくださいます"},
	    {"critical: the end", "お前を殺すぞ", "", "自動応答を終了いたします", "おつなぎ"},
	    {"high: a person", "バカ", "", "担当者におつなぎ", "自動応答を終了"},
	};
	(void)state;
	sink_status = MM_OK;
	for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++) {
		struct mm_arena *arena = mm_arena_new(0);
		struct json_object *answer = NULL;
		struct mm_error err = {.status = MM_OK};
		const char *said = notices[i].said;
		if (!said)
			said = mm_replies_text(runtime.replies, MM_LANGUAGE_EN, MM_REPLY_NOTICE);
		const char *json = mm_arena_printf(arena,
						   "{\"message\":\"%s\",\"history\":[{\"role\":"
						   "\"bot\",\"content\":\"はい。 %s\"}]}",
						   notices[i].message, said);
		assert_int_equal(send(json, NULL, &answer, &err, arena), MM_OK);
		const char *response = text_of(answer, "response");
		if (!strstr(response, notices[i].want) ||
		    (notices[i].never[0] && strstr(response, notices[i].never)))
			fail_msg("%s: %s", notices[i].name, json_object_to_json_string(answer));
		mm_arena_free(arena);
	}
}

static void turns_max__counts_the_other_side(void **state)
{
	static const char said[] = "{\"role\":\"bot\",\"content\":\"はい\"}";
	static const struct {
		int64_t max;
		const char *want;
	} caps[] = {{2, "turn_cap"}, {3, ""}, {0, ""}};
	(void)state;
	sink_status = MM_OK;
	const int64_t before = settings.conversation.turns_max;
	for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
		struct mm_arena *arena = mm_arena_new(0);
		struct json_object *answer = NULL;
		struct mm_error err = {.status = MM_OK};
		settings.conversation.turns_max = caps[i].max;
		const char *json = mm_arena_printf(
		    arena, "{\"message\":\"荷物が届きません\",\"history\":[%s,%s]}", said, said);
		assert_int_equal(send(json, NULL, &answer, &err, arena), MM_OK);
		struct json_object *handoff = json_object_object_get(answer, "handoff");
		assert_string_equal(handoff ? text_of(handoff, "reason") : "", caps[i].want);
		mm_arena_free(arena);
	}
	settings.conversation.turns_max = before;
}

static void key__without_a_database__is_kept_with_the_answer_but_not_its_token(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct json_object *answer = NULL;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	sink_status = MM_OK;
	assert_int_equal(send("{\"message\":\"届\",\"client_message_id\":\"0123456789abcdef\"}",
			      NULL, &answer, &err, arena),
			 MM_OK);
	assert_string_equal(text_of(answer, "degraded"), "[ \"idempotency\" ]");
	struct json_object *idempotency = json_object_object_get(parse(kept, arena), "idempotency");
	assert_int_equal(strlen(text_of(idempotency, "key")), 64);
	struct json_object *again = parse(text_of(idempotency, "answer"), arena);
	assert_string_equal(text_of(again, "message_id"), text_of(answer, "message_id"));
	struct json_object *silent = parse(text_of(idempotency, "without_reply"), arena);
	assert_null(json_object_object_get(silent, "response"));
	assert_string_equal(text_of(silent, "owner"), "human");
	assert_string_equal(text_of(silent, "message_id"), text_of(answer, "message_id"));
	assert_null(strstr(kept, text_of(answer, "conversation_token")));
	assert_null(strstr(kept, "0123456789abcdef"));
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
	    cmocka_unit_test(ladder__goes_by_the_clients_history),
	    cmocka_unit_test(turns_max__counts_the_other_side),
	    cmocka_unit_test(key__without_a_database__is_kept_with_the_answer_but_not_its_token),
	    cmocka_unit_test(token__of_the_conversation__is_needed),
	    cmocka_unit_test(database_down_without_token__gives_a_fresh_conversation),
	    cmocka_unit_test(batch__is_one_record),
	    cmocka_unit_test(reply_not_kept__answer_has_none_and_says_whose_it_is),
	    cmocka_unit_test(sink_down__is_spooled_and_told),
	};
	return cmocka_run_group_tests_name("chat", tests, open_all, close_all);
}
