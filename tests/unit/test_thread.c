/*
 * Tests of lib/detect/thread and conversation: tables of threads, what each counts, and what is held
 * against the customer. The verdicts use the rules as shipped, whose contexts say what is fair.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detect/detector.h"
#include "detect/thread.h"

enum { MESSAGES_MAX = 44, HOUR = 3600, DAY = 24 * HOUR, UNKNOWN = -1 };

static const int64_t now_ms = INT64_C(1795403045678);

#define PERSISTENT (1u << MM_CATEGORY_PERSISTENCE)
#define DETAINING  (1u << MM_CATEGORY_RESTRAINT)

static struct mm_detector *detector;
static struct mm_arena *arena;

static int set_up(void **state)
{
	const char *source = getenv("MM_TEST_SOURCE");
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/rules", source ? source : ".");
	arena = mm_arena_new(0);
	if (mm_rules_load(path, NULL, NULL, &rules, &err) == MM_OK &&
	    mm_detector_new(rules, &detector, &err) == MM_OK)
		return 0;
	fprintf(stderr, "%s %s\n", err.message, err.cause);
	return 1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_detector_free(detector);
	mm_arena_free(arena);
	return 0;
}

/*
 * An earlier message, `ago` seconds before the judged one. The text begins with who speaks: "c:" the
 * customer, "x:" the customer and it was harassment, "a:" the other side answers, "n:" the other
 * side has no answer.
 */
struct said {
	int ago;
	const char *text;
};

static struct mm_past_message message_of(const struct said *said)
{
	const char who = said->text[0];

	return (struct mm_past_message){
	    .text = said->text + 2,
	    .length = strlen(said->text) - 2,
	    .utc_ms = said->ago == UNKNOWN ? 0 : now_ms - INT64_C(1000) * said->ago,
	    .is_customer = who == 'c' || who == 'x',
	    .is_no_answer = who == 'n',
	    .has_analysis = who == 'c' || who == 'x',
	    .severity = who == 'x' ? MM_SEVERITY_HIGH : MM_SEVERITY_NONE,
	    .sentiment = who == 'x' ? MM_SENTIMENT_ANGER : MM_SENTIMENT_NEUTRAL};
}

static struct mm_analysis judge(const struct said *thread, const char *text)
{
	struct mm_past_message messages[MESSAGES_MAX];
	struct mm_past past = {.messages = messages, .now_utc_ms = now_ms};
	struct mm_analysis analysis;
	struct mm_error err = {.status = MM_OK};

	for (; past.count < MESSAGES_MAX && thread[past.count].text; past.count++)
		messages[past.count] = message_of(&thread[past.count]);
	mm_arena_reset(arena);
	if (mm_detect(detector, text, strlen(text), &past, &analysis, arena, &err) != MM_OK)
		fail_msg("%s: %s", text, err.cause);
	return analysis;
}

static unsigned held_against(const struct mm_analysis *analysis)
{
	unsigned set = 0;

	for (size_t i = 0; i < analysis->harassment.finding_count; i++)
		if (strncmp(analysis->harassment.findings[i].rule, "conversation.", 13) == 0)
			set |= analysis->harassment.findings[i].categories;
	return set;
}

/* A demand that is no harassment by itself. */
#define DEMAND  "早く全額返金してくれよ"
#define REFUSED "a:規約により返金はできません"

/* The same text, so many seconds ago each, in an order. */
#define SAME_4(who, text, a, b, c, d)                                                              \
	{a, who text}, {b, who text}, {c, who text},                                               \
	{                                                                                          \
		d, who text                                                                        \
	}

/* A long conversation without a pause: a message every 7 minutes, the first an hour ago or more. */
#define HOUR_OF(one, two, three)                                                                   \
	{62 * 60, "c:契約の件で連絡しました"}, {55 * 60, one}, {48 * 60, two},                     \
	    {41 * 60, "c:担当はどなたになるんだ"}, {34 * 60, three},                               \
	    {27 * 60, "c:契約書は手元にある"}, {20 * 60, "c:日付は先月の末だ"},                    \
	    {13 * 60, "a:ご案内は以上でございます"},                                               \
	{                                                                                          \
		6 * 60, "c:話は終わってないからな"                                      \
	}

static const struct row {
	const char *name;
	struct said thread[MESSAGES_MAX];
	const char *text;
	unsigned want;
} rows[] = {
    /* ---- the same demand, soon */
    {"three within ten minutes, one refused",
     {{300, "c:" DEMAND}, {240, REFUSED}, {180, "c:" DEMAND}, {60, "c:" DEMAND}},
     DEMAND,
     PERSISTENT},
    {"only two", {{300, "c:" DEMAND}, {240, REFUSED}, {180, "c:" DEMAND}}, DEMAND, 0},
    {"one of the three is too old",
     {{660, "c:" DEMAND}, {240, REFUSED}, {180, "c:" DEMAND}, {60, "c:" DEMAND}},
     DEMAND,
     0},
    {"nobody answered", {{300, "c:" DEMAND}, {180, "c:" DEMAND}, {60, "c:" DEMAND}}, DEMAND, 0},
    {"the bot had no answer",
     {{300, "c:" DEMAND},
      {240, "n:うまく理解できませんでした"},
      {180, "c:" DEMAND},
      {60, "c:" DEMAND}},
     DEMAND,
     0},
    /* ---- over a long time */
    {"over two days, refused each time",
     {{2 * DAY, "c:" DEMAND},
      {2 * DAY - 60, REFUSED},
      {DAY, "c:" DEMAND},
      {DAY - 60, REFUSED},
      {5 * HOUR, "c:" DEMAND},
      {2 * HOUR, "c:" DEMAND}},
     DEMAND,
     PERSISTENT},
    {"over two days, answered once",
     {{2 * DAY, "c:" DEMAND},
      {2 * DAY - 60, REFUSED},
      {DAY, "c:" DEMAND},
      {5 * HOUR, "c:" DEMAND},
      {2 * HOUR, "c:" DEMAND}},
     DEMAND,
     0},
    {"three over two days, refused each time",
     {{2 * DAY, "c:" DEMAND},
      {2 * DAY - 60, REFUSED},
      {DAY, "c:" DEMAND},
      {DAY - 60, REFUSED},
      {2 * HOUR, "c:" DEMAND}},
     DEMAND,
     0},
    {"a month ago is forgotten",
     {{32 * DAY, "c:" DEMAND},
      {31 * DAY, REFUSED},
      {30 * DAY, "c:" DEMAND},
      {30 * DAY, REFUSED},
      {DAY, "c:" DEMAND},
      {2 * HOUR, "c:" DEMAND}},
     DEMAND,
     0},
    {"no times: their order tells",
     {{UNKNOWN, "c:" DEMAND},
      {UNKNOWN, REFUSED},
      {UNKNOWN, "c:" DEMAND},
      {UNKNOWN, REFUSED},
      {UNKNOWN, "c:" DEMAND},
      {UNKNOWN, "c:" DEMAND}},
     DEMAND,
     PERSISTENT},
    {"in English",
     {{2 * DAY, "c:I want a full refund right now"},
      {2 * DAY, "a:That is not possible."},
      {DAY, "c:I want a full refund, right now!"},
      {DAY, "a:As we wrote, it is not possible."},
      {HOUR, "c:i want a full refund right now"},
      {HOUR, "c:I want a FULL refund right now"}},
     "I want a full refund right now",
     PERSISTENT},
    /* ---- fair */
    {"a fault that is still there",
     {SAME_4("c:", "まだお湯が出ない", 500, 400, 300, 200),
      {100, "a:再起動をお試しください"},
      {50, "c:まだお湯が出ない"}},
     "まだお湯が出ない",
     0},
    {"a plain report after every answer",
     {{2 * DAY, "c:荷物が届きません"},
      {2 * DAY, "a:お調べします"},
      {DAY, "c:荷物が届きません"},
      {DAY, "a:お調べします"},
      {HOUR, "c:荷物が届きません"},
      {60, "c:荷物が届きません"}},
     "荷物が届きません",
     0},
    {"a polite request",
     {{500, "c:返金の手続きをしてください"},
      {400, REFUSED},
      {300, "c:返金の手続きをしてください"},
      {200, "c:返金の手続きをしてください"}},
     "返金の手続きをしてください",
     0},
    {"a question",
     {{500, "c:返金はいつになるんですか？"},
      {400, "a:確認します"},
      {300, "c:返金はいつになるんですか？"},
      {200, "c:返金はいつになるんですか？"}},
     "返金はいつになるんですか？",
     0},
    {"a report in English",
     {{500, "c:My router is still not working"},
      {400, "a:Please restart it."},
      {300, "c:My router is still not working"},
      {200, "c:My router is still not working"}},
     "My router is still not working",
     0},
    {"a number that was not there before",
     {{500, "c:全額返金してくれ 注文 10041"},
      {400, REFUSED},
      {300, "c:全額返金してくれ 注文 10042"},
      {200, "c:全額返金してくれ 注文 10043"}},
     "全額返金してくれ 注文 10044",
     0},
    {"a number that was there before",
     {{500, "c:全額返金してくれ 注文 10041"},
      {400, REFUSED},
      {300, "c:全額返金してくれ 注文 10041"},
      {200, "c:全額返金してくれ 注文 10041"}},
     "全額返金してくれ 注文 10041",
     PERSISTENT},
    {"more to say",
     {{500, "c:" DEMAND}, {400, REFUSED}, {300, "c:" DEMAND}, {200, "c:" DEMAND}},
     DEMAND "。領収書の控えと写真は昨日メールで送ってある",
     0},
    {"who needs writing",
     {{500, "c:耳が聞こえないから文字で返事をくれよ"},
      {400, "a:お電話ください"},
      {300, "c:耳が聞こえないから文字で返事をくれよ"},
      {200, "c:耳が聞こえないから文字で返事をくれよ"}},
     "耳が聞こえないから文字で返事をくれよ",
     0},
    {"thanks",
     {{500, "c:対応してくれてありがとう"},
      {400, "a:どういたしまして"},
      {300, "c:対応してくれてありがとう"},
      {200, "c:対応してくれてありがとう"}},
     "対応してくれてありがとう",
     0},
    /* ---- flooding */
    {"eight in a minute, four of them abuse",
     {{50, "c:おい"},
      {45, "x:バカ"},
      {40, "c:見てんだろ"},
      {30, "x:無能"},
      {20, "x:クズ"},
      {10, "c:ほら"},
      {5, "c:おい"}},
     "お前は無能だな",
     PERSISTENT},
    {"seven in a minute",
     {{45, "x:バカ"},
      {40, "c:見てんだろ"},
      {30, "x:無能"},
      {20, "x:クズ"},
      {10, "c:ほら"},
      {5, "c:おい"}},
     "お前は無能だな",
     0},
    {"eight in two minutes",
     {{110, "c:おい"},
      {100, "x:バカ"},
      {90, "c:見てんだろ"},
      {80, "x:無能"},
      {20, "x:クズ"},
      {10, "c:ほら"},
      {5, "c:おい"}},
     "お前は無能だな",
     0},
    {"a calm word after the storm",
     {{50, "c:おい"},
      {45, "x:バカ"},
      {40, "x:カス"},
      {30, "x:無能"},
      {20, "x:クズ"},
      {10, "c:ほら"},
      {5, "c:おい"}},
     "箱は青いほう",
     0},
    {"a story in short lines",
     {{55, "c:あのさ"},
      {50, "c:昨日店に行ったんだけど"},
      {44, "c:冷蔵庫を見に"},
      {38, "c:そしたら"},
      {30, "c:棚が空で"},
      {22, "c:誰もいなくて"},
      {15, "c:一時間待って"},
      {8, "c:結局帰った"}},
     "もう最悪だった",
     0},
    {"an angry story in short lines",
     {{55, "c:本当に腹が立つ"},
      {50, "c:昨日店に行ったのに"},
      {44, "c:冷蔵庫を見に"},
      {38, "c:そしたら"},
      {30, "c:棚が空で"},
      {22, "c:誰もいなくて"},
      {15, "c:一時間待って"},
      {8, "c:結局帰った"}},
     "本当に腹が立った",
     0},
    /* ---- restraint */
    {"an hour, abused twice, answered",
     {HOUR_OF("x:この役立たず", "x:無能ばかりだな", "a:ご説明いたします")},
     "納得するまで続けるからな",
     DETAINING},
    {"an hour, the same demand three times, answered",
     {{70 * 60, "c:契約の件で連絡しました"},
      {60 * 60, "c:" DEMAND},
      {50 * 60, REFUSED},
      {40 * 60, "c:" DEMAND},
      {30 * 60, "c:契約書は手元にある"},
      {20 * 60, "c:" DEMAND},
      {15 * 60, "c:日付は先月の末だ"},
      {12 * 60, "c:控えもある"},
      {6 * 60, "c:話は終わってない"}},
     DEMAND,
     DETAINING},
    {"an hour, abused once",
     {HOUR_OF("x:この役立たず", "c:説明が足りない", "a:ご説明いたします")},
     "納得するまで続けるからな",
     0},
    {"an hour of help",
     {HOUR_OF("c:型番は箱の横にあった", "c:線は二本ある", "a:青い線をお願いします")},
     "青い線をつないだ",
     0},
    {"after an hour of abuse, thanks",
     {HOUR_OF("x:この役立たず", "x:無能ばかりだな", "a:ご説明いたします")},
     "わかった。ありがとう",
     0},
    {"after an hour of abuse, a question",
     {HOUR_OF("x:この役立たず", "x:無能ばかりだな", "a:ご説明いたします")},
     "次はいつ連絡をもらえますか？",
     0},
    {"with a pause",
     {{80 * 60, "x:この役立たず"},
      {79 * 60, "x:無能ばかりだな"},
      {40 * 60, "a:ご説明いたします"},
      {39 * 60, "c:契約書は手元にある"},
      {30 * 60, "c:日付は先月の末だ"},
      {20 * 60, "c:控えもある"},
      {15 * 60, "c:写真もある"},
      {12 * 60, "c:録音もある"},
      {6 * 60, "c:話は終わってない"}},
     "納得するまで続けるからな",
     0},
    {"less than an hour",
     {{40 * 60, "x:この役立たず"},
      {35 * 60, "x:無能ばかりだな"},
      {30 * 60, "a:ご説明いたします"},
      {25 * 60, "c:契約書は手元にある"},
      {20 * 60, "c:日付は先月の末だ"},
      {15 * 60, "c:控えもある"},
      {12 * 60, "c:写真もある"},
      {9 * 60, "c:録音もある"},
      {6 * 60, "c:話は終わってない"}},
     "納得するまで続けるからな",
     0},
    {"nobody ever answered",
     {{62 * 60, "x:この役立たず"},
      {55 * 60, "x:無能ばかりだな"},
      {48 * 60, "c:控えもある"},
      {41 * 60, "c:契約書は手元にある"},
      {34 * 60, "c:日付は先月の末だ"},
      {20 * 60, "c:写真もある"},
      {13 * 60, "c:録音もある"},
      {6 * 60, "c:話は終わってない"}},
     "納得するまで続けるからな",
     0},
};

static void threads__are_held_against_who_insists_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mm_analysis analysis = judge(rows[i].thread, rows[i].text);
		const struct mm_conversation_reading *reading = &analysis.conversation;

		if (held_against(&analysis) != rows[i].want)
			fail_msg("%s: categories %x, not %x; repetitions %u %u answered %u, "
				 "%u a minute, harassing %u, unbroken %jd",
				 rows[i].name, held_against(&analysis), rows[i].want,
				 reading->repetitions, reading->repetitions_long,
				 reading->repetitions_answered, reading->messages_per_minute,
				 reading->harassing_before, (intmax_t)reading->unbroken_ms);
	}
}

/* What a thread is held against by itself is medium, and a reason stands in both languages. */
static void findings__of_a_thread__are_medium_with_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mm_analysis analysis = judge(rows[i].thread, rows[i].text);
		const struct mm_harassment *harassment = &analysis.harassment;

		if (rows[i].want == 0)
			continue;
		const struct mm_finding *last =
		    &harassment->findings[harassment->finding_count - 1];

		assert_true(harassment->is_harassment);
		assert_int_equal(last->severity, MM_SEVERITY_MEDIUM);
		assert_string_equal(last->rule, rows[i].want == PERSISTENT
						    ? "conversation.persistence"
						    : "conversation.restraint");
		assert_true(last->reason[0] && last->reason_en[0]);
		assert_int_equal(harassment->categories & rows[i].want, rows[i].want);
	}
}

/* No message of a thread is held against the customer when it is judged without the thread. */
static void messages__alone__are_never_persistent(void **state)
{
	const struct said nothing[] = {{0, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mm_analysis analysis = judge(nothing, rows[i].text);

		if (held_against(&analysis) != 0)
			fail_msg("%s: %x", rows[i].text, held_against(&analysis));
	}
}

static void confidence__grows_with_the_thread(void **state)
{
	static const struct said three[] = {
	    {300, "c:" DEMAND}, {240, REFUSED}, {180, "c:" DEMAND}, {60, "c:" DEMAND}, {0, NULL}};
	static const struct said four[] = {{300, "c:" DEMAND}, {240, REFUSED},
					   {180, "c:" DEMAND}, {60, "c:" DEMAND},
					   {30, "c:" DEMAND},  {0, NULL}};
	static const struct said abused[] = {{600, "x:バカ"},    {300, "c:" DEMAND}, {240, REFUSED},
					     {180, "c:" DEMAND}, {60, "c:" DEMAND},  {0, NULL}};

	(void)state;
	/* 1 / (1 + exp(-W)) for W = 2, 2.25 and 2.5 */
	assert_true(judge(three, DEMAND).harassment.confidence * 1000 - 880.8 < 0.1);
	assert_true(judge(three, DEMAND).harassment.confidence * 1000 - 880.8 > -0.1);
	assert_true(judge(four, DEMAND).harassment.confidence * 1000 - 904.7 < 0.1);
	assert_true(judge(four, DEMAND).harassment.confidence * 1000 - 904.7 > -0.1);
	assert_true(judge(abused, DEMAND).harassment.confidence * 1000 - 924.1 < 0.1);
	assert_true(judge(abused, DEMAND).harassment.confidence * 1000 - 924.1 > -0.1);
}

/* ---- counts */

static void counts__of_a_thread(void **state)
{
	static const struct said thread[] = {
	    {3 * DAY, "c:" DEMAND}, {3 * DAY, REFUSED},
	    {2000, "x:バカ野郎"},   {1300, "c:こんにちは、田中です"},
	    {500, "c:" DEMAND},     {490, REFUSED},
	    {60, "x:" DEMAND},      {61, "a:はい"},
	    {5, "c:おい"},          {0, NULL}};
	const struct mm_conversation_reading reading = judge(thread, DEMAND).conversation;

	(void)state;
	assert_int_equal(reading.repetitions, 2);
	assert_int_equal(reading.repetitions_long, 3);
	assert_int_equal(reading.repetitions_answered, 3);
	assert_int_equal(reading.messages_per_minute, 3);
	assert_int_equal(reading.harassing_before, 2);
	assert_int_equal(reading.duration_ms, 3 * DAY * INT64_C(1000));
	assert_int_equal(reading.unbroken_ms, 2000 * 1000);
}

static void counts__without_history(void **state)
{
	struct mm_analysis analysis;

	(void)state;
	mm_arena_reset(arena);
	assert_int_equal(mm_detect(detector, DEMAND, strlen(DEMAND), NULL, &analysis, arena, NULL),
			 MM_OK);
	assert_int_equal(analysis.conversation.messages_per_minute, 1);
	assert_int_equal(analysis.conversation.repetitions_long, 0);
	assert_int_equal(analysis.conversation.unbroken_ms, 0);
}

/* A time after the judged message is no time, but for the difference of two clocks. */
static void times__of_the_future__are_unknown(void **state)
{
	static const struct said near[] = {{-30, "c:" DEMAND}, {0, NULL}};
	static const struct said far[] = {{-DAY, "c:" DEMAND}, {0, NULL}};

	(void)state;
	assert_int_equal(judge(near, DEMAND).conversation.messages_per_minute, 2);
	assert_int_equal(judge(far, DEMAND).conversation.messages_per_minute, 1);
	assert_int_equal(judge(far, DEMAND).conversation.repetitions, 0);
	assert_int_equal(judge(far, DEMAND).conversation.repetitions_long, 1);
}

/* Only the latest messages are compared. */
static void comparison__is_of_the_latest_messages(void **state)
{
	struct said thread[MESSAGES_MAX] = {{0, NULL}};

	(void)state;
	for (size_t i = 0; i < MESSAGES_MAX; i++)
		thread[i] = (struct said){(int)(MESSAGES_MAX - i), "c:" DEMAND};
	assert_int_equal(judge(thread, DEMAND).conversation.repetitions, MM_THREAD_COMPARED_MAX);
	assert_int_equal(judge(thread, DEMAND).conversation.messages_per_minute, MESSAGES_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads__are_held_against_who_insists_only),
	    cmocka_unit_test(findings__of_a_thread__are_medium_with_reasons),
	    cmocka_unit_test(messages__alone__are_never_persistent),
	    cmocka_unit_test(confidence__grows_with_the_thread),
	    cmocka_unit_test(counts__of_a_thread),
	    cmocka_unit_test(counts__without_history),
	    cmocka_unit_test(times__of_the_future__are_unknown),
	    cmocka_unit_test(comparison__is_of_the_latest_messages),
	};

	return cmocka_run_group_tests_name("thread", tests, set_up, tear_down);
}
