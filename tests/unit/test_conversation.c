/*
 * Tests of lib/detect/conversation: what a thread shows that a message does not.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detect/detector.h"
#include "folder.h"

enum { NOW = 1000000000, MINUTE = 60000, MESSAGES_MAX = 12 };

static const char rules_text[] =
    "[t.baka]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\npattern = バカ\n"
    "[t.anger]\nkind = sentiment\nsentiment = anger\npattern = 腹が立\n"
    "[t.thanks]\nkind = intent\nintent = thanks\npattern = どうも\n"
    "[t.polite]\nkind = context\ncontext = polite\nside = anywhere\npattern = お願いします\n"
    "[t.question]\nkind = context\ncontext = question\nside = anywhere\npattern = ？\n";

static struct mm_detector *detector;
static struct mm_arena *arena;

static int set_up(void **state)
{
	struct mm_rules *rules;

	(void)state;
	test_folder_make();
	test_folder_write("a.rules", rules_text);
	arena = mm_arena_new(0);
	if (mm_rules_load(test_folder, NULL, NULL, &rules, NULL) != MM_OK)
		return 1;
	return mm_detector_new(rules, &detector, NULL) == MM_OK ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_detector_free(detector);
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

/* "c:text" is the customer's, "a:text" an answer; `minutes` lie between two messages. */
static struct mm_analysis detect(const char *const *past_texts, int minutes, const char *text)
{
	struct mm_past_message messages[MESSAGES_MAX];
	struct mm_past past = {.messages = messages, .now_utc_ms = NOW};
	struct mm_analysis analysis;

	while (past_texts[past.count])
		past.count++;
	for (size_t i = 0; i < past.count; i++)
		messages[i] = (struct mm_past_message){.text = past_texts[i] + 2,
						       .length = strlen(past_texts[i]) - 2,
						       .utc_ms = NOW - (int64_t)(past.count - i) *
									   minutes * MINUTE,
						       .is_customer = past_texts[i][0] == 'c'};
	mm_arena_reset(arena);
	assert_int_equal(mm_detect(detector, text, strlen(text), &past, &analysis, arena, NULL),
			 MM_OK);
	return analysis;
}

#define DEMAND "今すぐ全額返金しろ"

static const struct {
	const char *name;
	const char *past[MESSAGES_MAX];
	int minutes;
	const char *text;
	unsigned repetitions;
	bool is_persistent;
} rows[] = {
    {"three times, answered",
     {"c:" DEMAND, "a:確認します", "c:" DEMAND, "c:" DEMAND, NULL},
     1,
     DEMAND,
     3,
     true},
    {"in other words",
     {"c:" DEMAND, "a:確認します", "c:今すぐ全額返金しろよ", "c:今すぐ全額、返金しろ！", NULL},
     1,
     "今すぐ全額返金しろーー",
     3,
     true},
    {"nobody answered", {"c:" DEMAND, "c:" DEMAND, "c:" DEMAND, NULL}, 1, DEMAND, 3, false},
    {"answered before the first only",
     {"a:こんにちは", "c:" DEMAND, "c:" DEMAND, "c:" DEMAND, NULL},
     1,
     DEMAND,
     3,
     false},
    {"twice", {"c:" DEMAND, "a:確認します", "c:" DEMAND, NULL}, 1, DEMAND, 2, false},
    {"over hours",
     {"c:" DEMAND, "a:確認します", "c:" DEMAND, "c:" DEMAND, NULL},
     30,
     DEMAND,
     0,
     false},
    {"other things",
     {"c:こんにちは、田中です", "a:はい", "c:配送先を変えたいです", "c:支払い方法も変えたいです",
      NULL},
     1,
     DEMAND,
     0,
     false},
    {"a polite request",
     {"c:ご確認をお願いします", "a:はい", "c:ご確認をお願いします", "c:ご確認をお願いします", NULL},
     1,
     "ご確認をお願いします",
     3,
     false},
    {"a question",
     {"c:いつ届きますか？", "a:はい", "c:いつ届きますか？", "c:いつ届きますか？", NULL},
     1,
     "いつ届きますか？",
     3,
     false},
    {"thanks",
     {"c:いつもどうもどうも", "a:はい", "c:いつもどうもどうも", "c:いつもどうもどうも", NULL},
     1,
     "いつもどうもどうも",
     3,
     false},
    {"short words", {"c:はい", "a:はい", "c:はい", "c:はい", NULL}, 1, "はい", 0, false},
    {"no history", {NULL}, 1, DEMAND, 0, false},
};

static void repetition__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_analysis analysis = detect(rows[i].past, rows[i].minutes, rows[i].text);
		bool is_persistent =
		    analysis.harassment.categories & (1u << MM_CATEGORY_PERSISTENCE);

		if (analysis.conversation.repetitions != rows[i].repetitions ||
		    is_persistent != rows[i].is_persistent)
			fail_msg("%s: %u repetitions, persistent %d", rows[i].name,
				 analysis.conversation.repetitions, is_persistent);
		assert_int_equal(analysis.harassment.severity,
				 is_persistent ? MM_SEVERITY_MEDIUM : MM_SEVERITY_NONE);
	}
}

static void repetition__persistence__is_a_finding_of_the_whole_message(void **state)
{
	struct mm_analysis analysis = detect(rows[0].past, 1, DEMAND);
	const struct mm_finding *finding = analysis.harassment.findings;

	(void)state;
	assert_int_equal(analysis.harassment.finding_count, 1);
	assert_string_equal(finding->rule, "conversation.persistence");
	assert_int_equal(finding->start, 0);
	assert_int_equal(finding->end, 9);
	assert_true(strlen(finding->reason) > 0 && strlen(finding->reason_en) > 0);
	assert_true(strlen(analysis.harassment.recommendation) > 0);
}

static struct mm_past_message past_of(enum mm_severity severity, enum mm_sentiment sentiment,
				      bool is_customer, bool has_analysis)
{
	return (struct mm_past_message){.text = "前の文",
					.length = 9,
					.utc_ms = NOW - 5 * MINUTE,
					.is_customer = is_customer,
					.has_analysis = has_analysis,
					.severity = severity,
					.sentiment = sentiment};
}

static struct mm_analysis detect_after(const struct mm_past_message *messages, size_t count,
				       const char *text)
{
	const struct mm_past past = {messages, count, NOW};
	struct mm_analysis analysis;

	mm_arena_reset(arena);
	assert_int_equal(mm_detect(detector, text, strlen(text), &past, &analysis, arena, NULL),
			 MM_OK);
	return analysis;
}

static void anger__in_a_row__counts_the_customers_messages(void **state)
{
	const struct mm_past_message messages[] = {
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_ANGER, true, true),
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, true),
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_ANGER, true, true),
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, false, false),
	    past_of(MM_SEVERITY_LOW, MM_SENTIMENT_ANGER, true, true),
	};

	(void)state;
	assert_int_equal(detect_after(messages, 5, "腹が立つ").conversation.angry_in_a_row, 3);
	assert_int_equal(detect_after(messages, 5, "そうですか").conversation.angry_in_a_row, 0);
	assert_int_equal(detect_after(messages, 2, "腹が立つ").conversation.angry_in_a_row, 1);
	assert_int_equal(detect_after(NULL, 0, "腹が立つ").conversation.angry_in_a_row, 1);
}

static void escalation__rising_risk__is_seen(void **state)
{
	const struct mm_past_message rising[] = {
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, true),
	    past_of(MM_SEVERITY_LOW, MM_SENTIMENT_NEGATIVE, true, true),
	};
	const struct mm_past_message falling[] = {
	    past_of(MM_SEVERITY_CRITICAL, MM_SENTIMENT_ANGER, true, true),
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, true),
	};
	const struct mm_past_message unknown[] = {
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, false),
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, true),
	};

	(void)state;
	assert_true(detect_after(rising, 2, "バカ").conversation.is_escalating);
	assert_false(detect_after(rising, 2, "はい").conversation.is_escalating);
	assert_false(detect_after(falling, 2, "バカ").conversation.is_escalating);
	assert_false(detect_after(unknown, 2, "バカ").conversation.is_escalating);
}

static void duration__since_the_first_message(void **state)
{
	const struct mm_past_message messages[] = {
	    past_of(MM_SEVERITY_NONE, MM_SENTIMENT_NEUTRAL, true, true)};

	(void)state;
	assert_int_equal(detect_after(messages, 1, "はい").conversation.duration_ms, 5 * MINUTE);
	assert_int_equal(detect_after(NULL, 0, "はい").conversation.duration_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(repetition__table),
	    cmocka_unit_test(repetition__persistence__is_a_finding_of_the_whole_message),
	    cmocka_unit_test(anger__in_a_row__counts_the_customers_messages),
	    cmocka_unit_test(escalation__rising_risk__is_seen),
	    cmocka_unit_test(duration__since_the_first_message),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
