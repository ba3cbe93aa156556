/* test_turn_stream: streamed turns over a model of the test's own: which event leaves when, and what is
 * durable by then. The log has the events and the records in the order in which they come. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chat_runtime.h"
#include "service/chat.h"

/* What the model does, step by step; {NULL, false} ends it. */
struct step {
	const char *words; /* NULL: what it said is void */
	bool is_wait;
};

static struct mm_arena *arena;
static struct mm_buffer events;
static const struct step *steps;
static struct mm_ai_reply model_reply;
static int leaves_after; /* events; 0: stays */
static enum mm_audience_state state_in_wait;
static int sent;

/* ---- the audience */

static bool hear(void *context, const char *event, const char *json, size_t length)
{
	struct json_object *data = parse(mm_arena_strndup(arena, json, length), arena);
	(void)context;
	mm_buffer_printf(&events, "%s", event);
	if (strcmp(event, "delta") == 0)
		mm_buffer_printf(&events, "(%s:%s)", text_of(data, "attempt"),
				 text_of(data, "text"));
	if (strcmp(event, "done") == 0)
		mm_buffer_printf(&events, "(%s)%s", text_of(data, "response"),
				 text_of(data, "degraded"));
	mm_buffer_add_text(&events, " ");
	return leaves_after == 0 || ++sent < leaves_after;
}

static enum mm_audience_state wait(void *context)
{
	(void)context;
	return state_in_wait;
}

static const struct mm_audience audience = {.send = hear, .wait = wait};

/* ---- the store */

static void log_kept(const char *json)
{
	struct json_object *messages = json_object_object_get(parse(json, arena), "messages");
	mm_buffer_add_text(&events, "keep(");
	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct json_object *message = json_object_array_get_idx(messages, i);
		mm_buffer_printf(&events, "%s%s:%s", i ? "," : "", text_of(message, "role"),
				 text_of(message, "text"));
	}
	mm_buffer_add_text(&events, ") ");
}

/* ---- the model */

static enum mm_status speak(void *self, const struct mm_ai_request *request,
			    struct mm_ai_reply *out, struct mm_arena *of_turn, struct mm_error *err)
{
	const struct mm_ai_watcher *watcher = &request->watcher;
	bool goes_on = true;
	(void)self;
	(void)of_turn;
	(void)err;
	mm_buffer_add_text(&events, "model ");
	*out = model_reply;
	for (const struct step *step = steps; goes_on && (step->words || step->is_wait); step++)
		goes_on = step->is_wait
			      ? watcher->on_wait(watcher->context)
			      : watcher->on_delta(watcher->context,
						  step->words[0] == '!' ? NULL : step->words,
						  strlen(step->words));
	if (!goes_on)
		out->outcome = MM_AI_STOPPED;
	return MM_OK;
}

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	mm_buffer_init(&events, 256, 0, arena);
	steps = NULL;
	model_reply = (struct mm_ai_reply){.text = "", .provider = "fake", .model = "m"};
	leaves_after = sent = 0;
	state_in_wait = MM_AUDIENCE_THERE;
	sink_status = MM_OK;
	on_kept = log_kept;
	runtime.provider = (struct mm_provider){.name = "fake", .reply = speak};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	on_kept = NULL;
	mm_arena_free(arena);
	return 0;
}

static enum mm_status run(const char *message, struct mm_error *err)
{
	struct mm_buffer out;
	const struct mm_chat_request request = {
	    .body = parse(mm_arena_printf(arena, "{\"message\":\"%s\"}", message), arena),
	    .request_id = "test",
	    .audience = &audience};
	mm_buffer_init(&out, 256, 0, arena);
	const enum mm_status status = mm_chat(&runtime, &request, &out, arena, err);
	assert_int_equal(out.length, 0);
	return status;
}

/* One turn whose model says `reply` in these steps, and what came of it in order. */
static void assert_turn(const struct step *of_model, const char *reply, const char *want)
{
	struct mm_error err = {.status = MM_OK};
	steps = of_model;
	model_reply.text = reply;
	if (run("届", &err) != MM_OK)
		fail_msg("%s %s", err.message, err.cause);
	assert_string_equal(mm_buffer_text(&events), want);
}

static void turn_of_a_model__is_kept_around_it(void **state)
{
	static const struct step said[] = {{"はい、", 0}, {NULL, true}, {"どうぞ。", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "はい、どうぞ。",
		    "keep(customer:届) meta model delta(1:はい、) delta(1:どうぞ。) "
		    "keep(bot:はい、どうぞ。) done(はい、どうぞ。) ");
}

static void rest_of_a_reply__comes_before_done(void **state)
{
	static const struct step said[] = {{"はい、[PHO", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "はい、[PHO。",
		    "keep(customer:届) meta model delta(1:はい、) keep(bot:はい、[PHO。) "
		    "delta(1:[PHO。) done(はい、[PHO。) ");
}

static void void_words__are_taken_back(void **state)
{
	static const struct step said[] = {{"はい", 0}, {"!", 0}, {"いいえ。", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "いいえ。",
		    "keep(customer:届) meta model delta(1:はい) delta(2:) delta(2:いいえ。) "
		    "keep(bot:いいえ。) done(いいえ。) ");
}

static void void_words_that_nobody_saw__are_not(void **state)
{
	static const struct step said[] = {{"[PHO", 0}, {"!", 0}, {"いいえ。", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "いいえ。",
		    "keep(customer:届) meta model delta(1:いいえ。) keep(bot:いいえ。) "
		    "done(いいえ。) ");
}

static void reply_that_became_another__is_begun_again(void **state)
{
	static const struct step said[] = {{"はい。もし", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "はい。",
		    "keep(customer:届) meta model delta(1:はい。もし) keep(bot:はい。) delta(2:) "
		    "delta(2:はい。) done(はい。) ");
}

static void forbidden_words__are_held_back(void **state)
{
	static const struct step said[] = {
	    {"はい。このバ", 0}, {"カ", 0}, {"です。", 0}, {NULL, 0}};
	(void)state;
	assert_turn(said, "はい。",
		    "keep(customer:届) meta model delta(1:はい。このバ) keep(bot:はい。) delta(2:) "
		    "delta(2:はい。) done(はい。) ");
}

static void severe_message__never_reaches_the_model(void **state)
{
	struct mm_error err = {.status = MM_OK};
	(void)state;
	assert_int_equal(run("バカ", &err), MM_OK);
	const char *log = mm_buffer_text(&events);
	assert_null(strstr(log, "model"));
	assert_ptr_equal(strstr(log, "keep(customer:バカ,bot:"), log);
	assert_non_null(strstr(log, ") meta delta(1:"));
	assert_non_null(strstr(log, " done("));
}

static void client_that_leaves__is_kept_what_it_saw(void **state)
{
	static const struct step said[] = {{"はい、", 0}, {"どう", 0}, {"ぞ。", 0}, {NULL, 0}};
	(void)state;
	leaves_after = 3; /* meta, delta, and the delta that it does not get */
	assert_turn(said, "はい、どうぞ。",
		    "keep(customer:届) meta model delta(1:はい、) delta(1:どう) "
		    "keep(bot:はい、) ");
}

static void client_that_leaves_in_silence__too(void **state)
{
	static const struct step said[] = {{NULL, true}, {"はい。", 0}, {NULL, 0}};
	(void)state;
	state_in_wait = MM_AUDIENCE_LEFT;
	assert_turn(said, "はい。", "keep(customer:届) meta model ");
}

/* The model had finished when the client was found to be gone. */
static void finished_reply__is_kept_whole(void **state)
{
	static const struct step nothing[] = {{NULL, 0}};
	(void)state;
	leaves_after = 1;
	assert_turn(nothing, "はい、どうぞ。",
		    "keep(customer:届) meta model keep(bot:はい、どうぞ。) ");
}

static void stopping_server__keeps_and_says_so(void **state)
{
	static const struct step said[] = {{"はい、", 0}, {"どうぞ。", 0}, {NULL, 0}};
	struct mm_error err = {.status = MM_OK};
	(void)state;
	state_in_wait = MM_AUDIENCE_SENT_OFF;
	steps = said;
	assert_int_equal(run("届", &err), MM_STOPPING);
	assert_string_equal(err.code, "stopping");
	assert_string_equal(mm_buffer_text(&events),
			    "keep(customer:届) meta model delta(1:はい、) keep(bot:はい、) ");
}

static void sink_down__is_told_in_done(void **state)
{
	static const struct step said[] = {{"はい。", 0}, {NULL, 0}};
	(void)state;
	sink_status = MM_UPSTREAM;
	on_kept = NULL;
	assert_turn(said, "はい。", "meta model delta(1:はい。) done(はい。)[ \"journal\" ] ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(turn_of_a_model__is_kept_around_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(rest_of_a_reply__comes_before_done, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(void_words__are_taken_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(void_words_that_nobody_saw__are_not, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(reply_that_became_another__is_begun_again, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(forbidden_words__are_held_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(severe_message__never_reaches_the_model, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(client_that_leaves__is_kept_what_it_saw, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(client_that_leaves_in_silence__too, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(finished_reply__is_kept_whole, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(stopping_server__keeps_and_says_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(sink_down__is_told_in_done, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("turn_stream", tests, open_all, close_all);
}
