/*
 * Tests of lib/detect/detector: guards, contexts, views, severity, sentiment, signals, spans,
 * limits and threads. The rules are this file's own.
 */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detect/detector.h"
#include "folder.h"
#include "text/utf8.h"

static const char rules_text[] =
    "[ja.threat.kill]\nkind = harassment\nseverity = critical\ncategory = threat\n"
    "reason = 生命への脅迫です。\nreason_en = A threat to life.\n"
    "pattern = 殺す(ぞ|からな)?\npattern = 死ね\nguard = プロセスを?殺す\n"
    "guard = ほしいです死ね\nunless = quote\n"
    "[ja.abuse.baka]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"
    "pattern = バカ\npattern = ふざける?な\nguard = バカンス\nunless = self\n"
    "[ja.abuse.you]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"
    "pattern = お前 ~ 無能\n"
    "[ja.abuse.muno]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"
    "pattern = 役立たず\nrequires = staff\n"
    "[ja.demand.boss]\nkind = harassment\nseverity = medium\ncategory = intimidation\n"
    "pattern = 責任者を出せ\nsignal = human_requested\n"
    "[ja.sexual.date]\nkind = harassment\nseverity = high\ncategory = sexual\n"
    "pattern = 彼氏いるの\n"
    "[ja.low.lawyer]\nkind = harassment\nseverity = low\nsentiment = negative\n"
    "pattern = 弁護士に相談\nsignal = legal_mention\n"
    "[ctx.quote]\nkind = context\ncontext = quote\nside = after\nwithin = 6\n"
    "pattern = と(言わ|いわ)れ\n"
    "[ctx.self]\nkind = context\ncontext = self\nside = before\npattern = 私が\n"
    "[ctx.staff]\nkind = context\ncontext = staff\nside = anywhere\npattern = 店員\n"
    "[ctx.polite]\nkind = context\ncontext = polite\nside = anywhere\npattern = お願い\n"
    "[g.bon]\nkind = guard\nguards = ja.abuse.\npattern = バカボン\n"
    "[g.all]\nkind = guard\nguards = *\npattern = 歌詞の死ね\n"
    "[s.late]\nkind = sentiment\nsentiment = negative\nseverity = none\npattern = 届きません\n"
    "[s.trouble]\nkind = sentiment\nsentiment = negative\npattern = 困って\n"
    "[s.anger]\nkind = sentiment\nsentiment = anger\npattern = 腹が立\n"
    "[s.thanks]\nkind = sentiment\nsentiment = positive\nintent = thanks\npattern = ありがとう\n"
    "[s.helped]\nkind = sentiment\nsentiment = positive\npattern = 助かりました\n"
    "[i.shipping]\nkind = intent\nintent = shipping\npattern = 届き\npattern = 配送\n"
    "[sig.die]\nkind = signal\nsignal = self_harm\npattern = 死にたい\n"
    "[sig.ear]\nkind = signal\nsignal = accommodation\npattern = 耳が聞こえ\n";

static struct mm_detector *detector;
static struct mm_arena *arena;

static int set_up(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;

	(void)state;
	test_folder_make();
	test_folder_write("a.rules", rules_text);
	arena = mm_arena_new(0);
	if (mm_rules_load(test_folder, NULL, NULL, &rules, &err) != MM_OK ||
	    mm_detector_new(rules, &detector, &err) != MM_OK) {
		fprintf(stderr, "%s %s\n", err.message, err.cause);
		return 1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_detector_free(detector);
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

static struct mm_analysis detect(const char *text)
{
	struct mm_analysis analysis;

	mm_arena_reset(arena);
	assert_int_equal(mm_detect(detector, text, strlen(text), NULL, &analysis, arena, NULL),
			 MM_OK);
	return analysis;
}

static const struct {
	const char *name, *text, *severity, *sentiment;
} verdicts[] = {
    {"threat", "お前を殺すぞ", "critical", "anger"},
    {"abuse", "ふざけるな！バカ！", "high", "anger"},
    {"a fact", "商品が届きません。注文番号 ORD-12345 です。", "none", "negative"},
    {"a complaint", "届かなくて困っています", "low", "negative"},
    {"a complaint that ended well", "困っていましたが助かりました。ありがとう。", "none",
     "positive"},
    {"anger alone", "本当に腹が立ちます", "low", "anger"},
    {"calm lawful step", "弁護士に相談します", "low", "negative"},
    {"demand", "責任者を出せ", "medium", "anger"},
    {"sexual is no anger", "彼氏いるの？", "high", "neutral"},
    {"thanks", "ありがとうございます", "none", "positive"},
    {"neither", "営業時間を教えてください", "none", "neutral"},
    {"empty", "", "none", "neutral"},
    {"guard of the rule", "バカンスの予約です", "none", "neutral"},
    {"guard beside a match", "バカンスに行けないだろバカ", "high", "anger"},
    {"guard stanza", "天才バカボンのDVD", "none", "neutral"},
    {"guard for all", "歌詞の死ねという部分", "none", "neutral"},
    {"guard before", "プロセスを殺す", "none", "neutral"},
    {"quoted", "店員に死ねと言われました", "none", "neutral"},
    {"quoted in another sentence", "死ね。と言われました", "critical", "anger"},
    {"quoted too far away", "死ねああああああああと言われました", "critical", "anger"},
    {"of oneself", "私がバカでした", "none", "neutral"},
    {"of oneself, after", "バカ、私が払うのか", "high", "anger"},
    {"required is there", "店員は役立たずだ", "high", "anger"},
    {"required is not there", "この棚は役立たずだ", "none", "neutral"},
    {"parts", "お前は本当に無能だな", "high", "anger"},
    {"parts in two sentences", "お前は。無能", "none", "neutral"},
    {"full width", "ﾊﾞｶ", "high", "anger"},
    {"stretched", "ばぁーーか", "high", "anger"},
    {"spaced", "死 ね", "critical", "anger"},
    {"dotted", "バ・カ", "high", "anger"},
    {"zero width", "バ\u200bカ", "high", "anger"},
    {"stretched inside a word", "サバーカス", "none", "neutral"},
    {"guard in the squeezed view", "バーカンス", "none", "neutral"},
    {"medium is not squeezed", "責任者を出ーせ", "none", "neutral"},
    {"highest counts", "バカ、殺すぞ", "critical", "anger"},
};

static void detect__table__severity_and_sentiment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct mm_analysis analysis = detect(verdicts[i].text);
		const char *severity = mm_severity_name(analysis.harassment.severity);
		const char *sentiment = mm_sentiment_name(analysis.sentiment.sentiment);

		if (strcmp(severity, verdicts[i].severity) != 0 ||
		    strcmp(sentiment, verdicts[i].sentiment) != 0)
			fail_msg("%s: %s %s, not %s %s", verdicts[i].name, severity, sentiment,
				 verdicts[i].severity, verdicts[i].sentiment);
		assert_int_equal(analysis.harassment.is_harassment,
				 analysis.harassment.severity >= MM_SEVERITY_MEDIUM);
		assert_int_equal(
		    analysis.combined_risk,
		    mm_risk_combine(analysis.harassment.severity, analysis.sentiment.sentiment));
	}
}

static bool is_near(double got, double want)
{
	return got > want - 0.005 && got < want + 0.005;
}

static void detect__the_examples__have_the_figures(void **state)
{
	struct mm_analysis fact = detect("商品が届きません。注文番号 ORD-12345 です。");

	(void)state;
	assert_true(is_near(fact.sentiment.confidence, 0.7));
	assert_true(is_near(fact.sentiment.scores[MM_SENTIMENT_POSITIVE], 0.0));
	assert_true(is_near(fact.sentiment.scores[MM_SENTIMENT_NEUTRAL], 0.2));
	assert_true(is_near(fact.sentiment.scores[MM_SENTIMENT_NEGATIVE], 0.8));
	assert_true(is_near(fact.sentiment.scores[MM_SENTIMENT_ANGER], 0.0));
	assert_true(is_near(fact.harassment.confidence, 0.9));
	assert_false(fact.sentiment.trigger_alert);
	assert_int_equal(fact.intents, 1u << MM_INTENT_SHIPPING);
	assert_int_equal(fact.signals, 0);
	assert_int_equal(fact.sentiment.keyword_count, 1);
	assert_string_equal(fact.sentiment.keywords[0], "届きません");
	assert_string_equal(fact.harassment.recommendation, "");

	struct mm_analysis abuse = detect("ふざけるな！バカ！");
	assert_true(abuse.sentiment.trigger_alert);
	assert_int_equal(abuse.combined_risk, MM_SEVERITY_CRITICAL);
	assert_int_equal(abuse.harassment.categories, 1u << MM_CATEGORY_VERBAL_ABUSE);
	assert_int_equal(abuse.harassment.finding_count, 2);
	assert_true(abuse.harassment.confidence > 0.8);
	assert_true(strlen(abuse.harassment.recommendation) > 0);
	assert_true(strlen(abuse.harassment.recommendation_en) > 0);
	assert_int_equal(abuse.sentiment.keyword_count, 2);
}

static void detect__scores__sum_to_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct mm_analysis analysis = detect(verdicts[i].text);
		double sum = 0.0;

		for (int j = 0; j < MM_SENTIMENT__MAX; j++)
			sum += analysis.sentiment.scores[j];
		if (sum < 0.999 || sum > 1.001)
			fail_msg("%s: %f", verdicts[i].name, sum);
		if (analysis.harassment.confidence < 0.5 || analysis.harassment.confidence > 0.99)
			fail_msg("%s: confidence %f", verdicts[i].name,
				 analysis.harassment.confidence);
	}
}

static const struct {
	const char *text;
	size_t start, end;
	const char *slice;
} spans[] = {
    {"お前を殺すぞ", 3, 6, "殺すぞ"},
    {"😀😀バカ", 2, 4, "バカ"},
    {"é が ﾊﾞｶ です", 4, 7, "ﾊﾞｶ"},
    {"か\u3099 ばぁーーか", 3, 8, "ばぁーーか"},
    {"\u200b\u200b死 ね！", 2, 5, "死 ね"},
    {"バ\u200bカ", 0, 3, "バ\u200bカ"},
    {"㌔㌔バカ", 2, 4, "バカ"},
};

static void detect__spans__are_code_points_of_the_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct mm_analysis analysis = detect(spans[i].text);
		const struct mm_finding *finding = analysis.harassment.findings;

		if (analysis.harassment.finding_count != 1)
			fail_msg("%s: %zu findings", spans[i].text,
				 analysis.harassment.finding_count);
		if (finding->start != spans[i].start || finding->end != spans[i].end ||
		    finding->text_length != strlen(spans[i].slice) ||
		    memcmp(finding->text, spans[i].slice, finding->text_length) != 0)
			fail_msg("%s: [%zu,%zu) \"%.*s\"", spans[i].text, finding->start,
				 finding->end, (int)finding->text_length, finding->text);
		assert_ptr_equal(finding->text,
				 spans[i].text + mm_utf8_offset(spans[i].text,
								strlen(spans[i].text),
								spans[i].start));
	}
}

static void detect__finding__carries_its_rule(void **state)
{
	struct mm_analysis analysis = detect("殺すぞ");
	const struct mm_finding *finding = analysis.harassment.findings;

	(void)state;
	assert_string_equal(finding->rule, "ja.threat.kill");
	assert_int_equal(finding->severity, MM_SEVERITY_CRITICAL);
	assert_int_equal(finding->categories, 1u << MM_CATEGORY_THREAT);
	assert_string_equal(finding->reason, "生命への脅迫です。");
	assert_string_equal(finding->reason_en, "A threat to life.");
}

static void detect__signals__are_set_and_raise_nothing(void **state)
{
	struct mm_analysis care = detect("もう死にたいです");
	struct mm_analysis both = detect("責任者を出せ");
	double alone = both.harassment.confidence;

	(void)state;
	assert_int_equal(care.signals, 1u << MM_SIGNAL_SELF_HARM);
	assert_int_equal(care.harassment.severity, MM_SEVERITY_NONE);
	assert_int_equal(both.signals, 1u << MM_SIGNAL_HUMAN_REQUESTED);
	assert_int_equal(detect("電話は090-1234-5678です").signals, 1u << MM_SIGNAL_PII_PRESENT);
	assert_int_equal(detect("弁護士に相談します").signals, 1u << MM_SIGNAL_LEGAL_MENTION);
	assert_true(detect("耳が聞こえません。責任者を出せ").harassment.confidence < alone);
}

static char *repeat(const char *unit, size_t characters, size_t *length_out)
{
	size_t unit_length = strlen(unit),
	       times = characters / mm_utf8_count(unit, unit_length) + 1;
	char *text = malloc(unit_length * times + 1);

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * unit_length, unit, unit_length + 1);
	*length_out = mm_utf8_offset(text, unit_length * times, characters);
	return text;
}

static void detect__ten_thousand_characters__are_bounded_and_ordered(void **state)
{
	static const char *const units[] = {
	    "バカ", "ば・か、", "お前は無能。", "死ね", "カスタマー",     "ばぁーか",
	    "お前", "「",       "ーーあ",       "!?",   "プロセスを殺す", "死ねと言われ"};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct mm_analysis analysis;
		size_t length;
		char *text = repeat(units[i], 10000, &length);

		mm_arena_reset(arena);
		assert_int_equal(mm_detect(detector, text, length, NULL, &analysis, arena, NULL),
				 MM_OK);
		assert_true(analysis.harassment.finding_count <= MM_FINDINGS_MAX);
		assert_true(analysis.sentiment.keyword_count <= MM_KEYWORDS_MAX);
		for (size_t j = 1; j < analysis.harassment.finding_count; j++)
			assert_true(analysis.harassment.findings[j - 1].start <=
				    analysis.harassment.findings[j].start);
		free(text);
	}
}

static void detect__threat_after_much_else__is_found(void **state)
{
	size_t length;
	char *filler = repeat("届きませんので困っています。", 9900, &length), *text;

	(void)state;
	text = malloc(length + 64);
	assert_non_null(text);
	memcpy(text, filler, length);
	strcpy(text + length, "殺すぞ");
	assert_int_equal(detect(text).harassment.severity, MM_SEVERITY_CRITICAL);
	free(text);
	free(filler);
}

static void detect__invalid_text_or_full_arena__is_an_error(void **state)
{
	struct mm_analysis analysis = {.signals = 77};
	struct mm_arena *small = mm_arena_new(256);

	(void)state;
	assert_int_equal(mm_detect(detector, "\xff", 1, NULL, &analysis, arena, NULL),
			 MM_BAD_INPUT);
	assert_int_equal(mm_detect(detector, "お前を殺すぞ", 18, NULL, &analysis, small, NULL),
			 MM_NO_MEMORY);
	assert_int_equal(analysis.signals, 77);
	mm_arena_free(small);
}

struct seen {
	unsigned verdicts[MM_VERDICT__MAX];
	unsigned views;
	const char *by;
};

static void see_candidate(void *self, const struct mm_candidate *candidate)
{
	struct seen *seen = self;

	seen->verdicts[candidate->verdict]++;
	if (candidate->by)
		seen->by = candidate->by;
}

static void see_view(void *self, bool is_squeezed, const char *text, size_t length)
{
	(void)is_squeezed;
	(void)text;
	(void)length;
	((struct seen *)self)->views++;
}

static void trace__every_fate__is_told(void **state)
{
	static const struct {
		const char *text;
		enum mm_verdict verdict;
		const char *by;
	} rows[] = {
	    {"バカ", MM_VERDICT_STANDS, NULL},
	    {"バカンス", MM_VERDICT_GUARD, "ja.abuse.baka"},
	    {"バカボン", MM_VERDICT_GUARD, "g.bon"},
	    {"死ねと言われ", MM_VERDICT_UNLESS, "quote"},
	    {"役立たず", MM_VERDICT_REQUIRES, NULL},
	    {"バカ、すーごい", MM_VERDICT_UNCHANGED, NULL},
	    {"サバーカス", MM_VERDICT_EDGE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = {.views = 0};
		const struct mm_trace trace = {
		    .candidate = see_candidate, .view = see_view, .self = &seen};
		struct mm_analysis analysis;

		mm_arena_reset(arena);
		assert_int_equal(mm_detect_traced(detector, rows[i].text, strlen(rows[i].text),
						  NULL, &trace, &analysis, arena, NULL),
				 MM_OK);
		if (seen.verdicts[rows[i].verdict] == 0)
			fail_msg("%s: no %s", rows[i].text, mm_verdict_name(rows[i].verdict));
		if (rows[i].by && (!seen.by || strcmp(seen.by, rows[i].by) != 0))
			fail_msg("%s: by %s", rows[i].text, seen.by ? seen.by : "nobody");
		assert_int_equal(seen.views, 2);
	}
}

static void *run_thread(void *argument)
{
	struct mm_arena *own = mm_arena_new(0);
	size_t *wrong = argument;

	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
			struct mm_analysis analysis;

			if (mm_detect(detector, verdicts[i].text, strlen(verdicts[i].text), NULL,
				      &analysis, own, NULL) != MM_OK ||
			    strcmp(mm_severity_name(analysis.harassment.severity),
				   verdicts[i].severity) != 0)
				++*wrong;
			mm_arena_reset(own);
		}
	}
	mm_arena_free(own);
	return NULL;
}

static void detect__twelve_threads__give_the_same(void **state)
{
	pthread_t threads[12];
	size_t wrong[12] = {0};

	(void)state;
	for (int i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &wrong[i]), 0);
	for (int i = 0; i < 12; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(detect__table__severity_and_sentiment),
	    cmocka_unit_test(detect__the_examples__have_the_figures),
	    cmocka_unit_test(detect__scores__sum_to_one),
	    cmocka_unit_test(detect__spans__are_code_points_of_the_message),
	    cmocka_unit_test(detect__finding__carries_its_rule),
	    cmocka_unit_test(detect__signals__are_set_and_raise_nothing),
	    cmocka_unit_test(detect__ten_thousand_characters__are_bounded_and_ordered),
	    cmocka_unit_test(detect__threat_after_much_else__is_found),
	    cmocka_unit_test(detect__invalid_text_or_full_arena__is_an_error),
	    cmocka_unit_test(trace__every_fate__is_told),
	    cmocka_unit_test(detect__twelve_threads__give_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
