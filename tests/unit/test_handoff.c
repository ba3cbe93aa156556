/* test_handoff: when a person is due, and what they are told. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/handoff.h"
#include "small_rules.h"

static struct mm_settings settings;
static struct mm_detector *detector;
static struct mm_arena *arena;

static int open_all(void **state)
{
	struct mm_error err = {.status = MM_OK};
	(void)state;
	test_folder_make();
	arena = mm_arena_new(0);
	detector = small_detector();
	return mm_settings_load(NULL, &settings, arena, &err) == MM_OK ? 0 : -1;
}

static int close_all(void **state)
{
	(void)state;
	mm_detector_free(detector);
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

static const struct row {
	const char *name;
	enum mm_severity severity;
	unsigned signals, angry_in_a_row, fallback_streak;
	bool want;
	enum mm_handoff_reason reason;
} rows[] = {
    {"nothing", MM_SEVERITY_NONE, 0, 0, 0, false, MM_HANDOFF__MAX},
    {"a complaint", MM_SEVERITY_LOW, 0, 1, 1, false, MM_HANDOFF__MAX},
    {"medium stays with the bot", MM_SEVERITY_MEDIUM, 0, 2, 1, false, MM_HANDOFF__MAX},
    {"high", MM_SEVERITY_HIGH, 0, 1, 0, true, MM_HANDOFF_SEVERITY},
    {"critical", MM_SEVERITY_CRITICAL, 0, 1, 0, true, MM_HANDOFF_SEVERITY},
    {"care goes first", MM_SEVERITY_CRITICAL, 1u << MM_SIGNAL_SELF_HARM, 3, 2, true,
     MM_HANDOFF_SELF_HARM},
    {"a wish for a person", MM_SEVERITY_NONE, 1u << MM_SIGNAL_HUMAN_REQUESTED, 0, 0, true,
     MM_HANDOFF_HUMAN_REQUESTED},
    {"third angry message", MM_SEVERITY_LOW, 0, 3, 0, true, MM_HANDOFF_ANGER},
    {"second question without an answer", MM_SEVERITY_NONE, 0, 0, 2, true, MM_HANDOFF_FALLBACK},
    {"another signal", MM_SEVERITY_NONE, 1u << MM_SIGNAL_URGENT, 0, 0, false, MM_HANDOFF__MAX},
};

static void handoff__is_due_for_its_reasons_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct mm_analysis analysis = {
		    .harassment = {.severity = rows[i].severity},
		    .signals = rows[i].signals,
		    .conversation = {.angry_in_a_row = rows[i].angry_in_a_row},
		};
		enum mm_handoff_reason reason = MM_HANDOFF__MAX;
		const bool is_due =
		    mm_handoff_is_due(&settings, &analysis, rows[i].fallback_streak, &reason);
		if (is_due != rows[i].want || reason != rows[i].reason)
			fail_msg("%s: %d, reason %d", rows[i].name, is_due, reason);
	}
}

static struct mm_past_message said(const char *text, bool is_customer)
{
	return (struct mm_past_message){
	    .text = text, .length = strlen(text), .is_customer = is_customer};
}

static struct mm_handoff build(const char *text, const struct mm_past *past,
			       enum mm_handoff_reason reason)
{
	struct mm_analysis analysis;
	struct mm_handoff handoff = {.reason = MM_HANDOFF__MAX};
	struct mm_error err = {.status = MM_OK};
	assert_int_equal(mm_detect(detector, text, strlen(text), past, &analysis, arena, &err),
			 MM_OK);
	const struct mm_handoff_facts facts = {.detector = detector,
					       .text = text,
					       .length = strlen(text),
					       .analysis = &analysis,
					       .past = past,
					       .customer_name = "山田"};
	assert_int_equal(mm_handoff_build(&facts, reason, &handoff, arena, &err), MM_OK);
	return handoff;
}

static void context__gathers_the_whole_conversation(void **state)
{
	const struct mm_past_message messages[] = {
	    said("ORD-12345 が届きません", true),
	    said("お調べします。REF-99999", false),
	    said("請求もおかしい ORD-12345", true),
	};
	const struct mm_past past = {.messages = messages, .count = 3};
	(void)state;
	const struct mm_handoff handoff = build("ふざけるな、バカ", &past, MM_HANDOFF_SEVERITY);
	assert_int_equal(handoff.message_count, 3);
	assert_int_equal(handoff.order_number_count, 1);
	assert_string_equal(handoff.order_numbers[0], "ORD-12345");
	assert_int_equal(handoff.intents, 1u << MM_INTENT_SHIPPING | 1u << MM_INTENT_BILLING);
	assert_int_equal(handoff.severity, MM_SEVERITY_HIGH);
	assert_int_equal(handoff.priority, MM_PRIORITY_HIGH);
	assert_int_equal(handoff.sentiments[0], MM_SENTIMENT_NEGATIVE);
	assert_int_equal(handoff.sentiments[2], MM_SENTIMENT_ANGER);
	const char *const parts[] = {"山田", "配送", "料金", "怒り", "高", "ORD-12345", "3 件"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (!strstr(handoff.summary, parts[i]))
			fail_msg("%s is not in: %s", parts[i], handoff.summary);
}

static void sentiment_history__keeps_the_newest(void **state)
{
	struct mm_past_message messages[MM_SENTIMENTS_KEPT + 5];
	const struct mm_past past = {.messages = messages,
				     .count = sizeof messages / sizeof messages[0]};
	(void)state;
	for (size_t i = 0; i < past.count; i++)
		messages[i] = said(i < 10 ? "こんにちは" : "届きません", true);
	const struct mm_handoff handoff = build("ふざけるな", &past, MM_HANDOFF_ANGER);
	assert_int_equal(handoff.sentiment_count, MM_SENTIMENTS_KEPT);
	assert_int_equal(handoff.sentiments[MM_SENTIMENTS_KEPT - 1], MM_SENTIMENT_ANGER);
	assert_int_equal(handoff.sentiments[0], MM_SENTIMENT_NEUTRAL);
	assert_int_equal(handoff.message_count, past.count + 1);
}

static void self_harm__is_urgent(void **state)
{
	const struct mm_past past = {.count = 0};
	(void)state;
	assert_int_equal(build("もう死にたい", &past, MM_HANDOFF_SELF_HARM).priority,
			 MM_PRIORITY_URGENT);
	assert_int_equal(build("人に代わってください", &past, MM_HANDOFF_HUMAN_REQUESTED).priority,
			 MM_PRIORITY_NORMAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(handoff__is_due_for_its_reasons_only),
	    cmocka_unit_test(context__gathers_the_whole_conversation),
	    cmocka_unit_test(sentiment_history__keeps_the_newest),
	    cmocka_unit_test(self_harm__is_urgent),
	};
	return cmocka_run_group_tests_name("handoff", tests, open_all, close_all);
}
