/* test_builtin: which answer the built-in responder gives to which intents. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ai/builtin.h"

#define INTENT(name) (1u << MM_INTENT_##name)

static struct mm_replies *replies;

static int load(void **state)
{
	char path[1024];
	struct mm_error err = {.status = MM_OK};
	const char *source = getenv("MM_TEST_SOURCE");
	(void)state;
	snprintf(path, sizeof path, "%s/conf/replies.conf", source ? source : ".");
	return mm_replies_load(path, &replies, &err) == MM_OK ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	mm_replies_free(replies);
	return 0;
}

static const struct row {
	const char *name;
	unsigned intents;
	enum mm_sentiment sentiment;
	enum mm_language language;
	const char *order;
	const char *want;  /* is in the answer */
	const char * not ; /* is not; may be NULL */
	bool is_fallback;
} rows[] = {
    {"shipping without an order number asks for it", INTENT(SHIPPING), MM_SENTIMENT_NEUTRAL,
     MM_LANGUAGE_JA, NULL, "ご注文番号をお知らせ", NULL, false},
    {"shipping with an order number names it", INTENT(SHIPPING), MM_SENTIMENT_NEUTRAL,
     MM_LANGUAGE_JA, "ORD-12345", "ORD-12345", "ご注文番号を", false},
    {"an unhappy customer hears an apology first", INTENT(SHIPPING), MM_SENTIMENT_NEGATIVE,
     MM_LANGUAGE_JA, NULL, "申し訳ございません。配送状況", NULL, false},
    {"a content one does not", INTENT(SHIPPING), MM_SENTIMENT_POSITIVE, MM_LANGUAGE_JA, NULL,
     "配送状況", "申し訳", false},
    {"a defect goes before a return", INTENT(DEFECT) | INTENT(RETURNS), MM_SENTIMENT_NEGATIVE,
     MM_LANGUAGE_JA, "A-1", "不具合", NULL, false},
    {"two topics are both answered", INTENT(SHIPPING) | INTENT(BILLING), MM_SENTIMENT_NEUTRAL,
     MM_LANGUAGE_JA, NULL, "料金", NULL, false},
    {"a courtesy beside a topic is left out", INTENT(SHIPPING) | INTENT(GREETING),
     MM_SENTIMENT_NEUTRAL, MM_LANGUAGE_JA, NULL, "配送", "お問い合わせありがとう", false},
    {"a greeting is returned", INTENT(GREETING), MM_SENTIMENT_NEUTRAL, MM_LANGUAGE_JA, NULL,
     "ご用件", NULL, false},
    {"thanks are returned", INTENT(THANKS), MM_SENTIMENT_POSITIVE, MM_LANGUAGE_JA, NULL,
     "ありがとうございます", NULL, false},
    {"what cannot be placed is asked about", 0, MM_SENTIMENT_NEUTRAL, MM_LANGUAGE_JA, NULL,
     "もう少し詳しく", NULL, true},
    {"English is answered in English", INTENT(ACCOUNT), MM_SENTIMENT_NEUTRAL, MM_LANGUAGE_EN, NULL,
     "password", "パスワード", false},
    {"an English fallback", 0, MM_SENTIMENT_NEUTRAL, MM_LANGUAGE_EN, NULL, "Which product", NULL,
     true},
};

static void check_row(const struct row *row, const struct mm_ai_reply *reply)
{
	const bool is_wrong = !strstr(reply->text, row->want) ||
			      (row->not &&strstr(reply->text, row->not )) ||
			      reply->is_fallback != row->is_fallback ||
			      strcmp(reply->provider, "builtin") != 0 || strchr(reply->text, '{');
	if (is_wrong)
		fail_msg("%s: \"%s\"", row->name, reply->text);
}

static void intents__choose_the_answer(void **state)
{
	const struct mm_provider provider = mm_builtin_provider(replies);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct mm_analysis analysis = {
		    .intents = rows[i].intents,
		    .sentiment = {.sentiment = rows[i].sentiment},
		};
		const struct mm_ai_request request = {.text = "x",
						      .length = 1,
						      .language = rows[i].language,
						      .analysis = &analysis,
						      .order_number = rows[i].order};
		struct mm_arena *arena = mm_arena_new(0);
		struct mm_error err = {.status = MM_OK};
		struct mm_ai_reply reply;
		assert_int_equal(provider.reply(provider.self, &request, &reply, arena, &err),
				 MM_OK);
		check_row(&rows[i], &reply);
		mm_arena_free(arena);
	}
}

static void every_intent__has_an_answer(void **state)
{
	const struct mm_provider provider = mm_builtin_provider(replies);
	(void)state;
	for (unsigned intent = 0; intent < MM_INTENT__MAX; intent++) {
		const struct mm_analysis analysis = {.intents = 1u << intent};
		const struct mm_ai_request request = {
		    .text = "x", .length = 1, .analysis = &analysis};
		struct mm_arena *arena = mm_arena_new(0);
		struct mm_error err = {.status = MM_OK};
		struct mm_ai_reply reply;
		assert_int_equal(provider.reply(provider.self, &request, &reply, arena, &err),
				 MM_OK);
		if (reply.is_fallback)
			fail_msg("%s", mm_intent_name((enum mm_intent)intent));
		mm_arena_free(arena);
	}
}

static const struct {
	const char *name;
	unsigned intents;
	enum mm_sentiment sentiment;
	const char *order;
	const char *want; /* the beginning */
	bool is_article;
} article_rows[] = {
    {"an article answers what has no topic", 0, MM_SENTIMENT_NEUTRAL, NULL, "T\n\nBODY", true},
    {"an article says more than a topic", INTENT(BILLING), MM_SENTIMENT_NEUTRAL, NULL, "T\n\nBODY",
     true},
    {"and than a greeting", INTENT(GREETING), MM_SENTIMENT_NEUTRAL, NULL, "T\n\nBODY", true},
    {"an unhappy customer hears an apology first", 0, MM_SENTIMENT_ANGER, NULL,
     "We are sorry for the inconvenience.\n\nT\n\nBODY", true},
    {"an order that was named goes first", INTENT(SHIPPING), MM_SENTIMENT_NEUTRAL, "A-1",
     "We are checking the delivery status of your order A-1", false},
    {"but not where no topic is about it", 0, MM_SENTIMENT_NEUTRAL, "A-1", "T\n\nBODY", true},
};

static void article__answers_before_a_topic(void **state)
{
	const struct mm_provider provider = mm_builtin_provider(replies);
	const struct mm_source source = {"id", "T", "BODY", 0.2F};
	(void)state;
	for (size_t i = 0; i < sizeof article_rows / sizeof article_rows[0]; i++) {
		const struct mm_analysis analysis = {
		    .intents = article_rows[i].intents,
		    .sentiment = {.sentiment = article_rows[i].sentiment}};
		const struct mm_ai_request request = {.text = "x",
						      .length = 1,
						      .language = MM_LANGUAGE_EN,
						      .analysis = &analysis,
						      .order_number = article_rows[i].order,
						      .sources = &source,
						      .source_count = 1};
		struct mm_arena *arena = mm_arena_new(0);
		struct mm_error err = {.status = MM_OK};
		struct mm_ai_reply reply;
		const char *want = article_rows[i].want;
		assert_int_equal(provider.reply(provider.self, &request, &reply, arena, &err),
				 MM_OK);
		if (strncmp(reply.text, want, strlen(want)) != 0 ||
		    reply.cited != article_rows[i].is_article || reply.is_fallback)
			fail_msg("%s: \"%s\"", article_rows[i].name, reply.text);
		mm_arena_free(arena);
	}
}

static void no_memory__is_reported(void **state)
{
	const struct mm_provider provider = mm_builtin_provider(replies);
	const struct mm_analysis analysis = {.intents = 0};
	const struct mm_ai_request request = {.text = "x", .length = 1, .analysis = &analysis};
	struct mm_error err = {.status = MM_OK};
	struct mm_ai_reply reply;
	struct mm_arena *arena = mm_arena_new(MM_ARENA_FIRST_BLOCK);
	(void)state;
	while (mm_arena_alloc(arena, 16))
		;
	assert_int_equal(provider.reply(provider.self, &request, &reply, arena, &err),
			 MM_NO_MEMORY);
	mm_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(intents__choose_the_answer),
	    cmocka_unit_test(every_intent__has_an_answer),
	    cmocka_unit_test(article__answers_before_a_topic),
	    cmocka_unit_test(no_memory__is_reported),
	};
	return cmocka_run_group_tests_name("builtin", tests, load, unload);
}
