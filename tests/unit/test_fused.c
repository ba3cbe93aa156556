/*
 * Tests of rules and models together: who has the last word, and what a verdict shows. The models
 * are the built ones, the rules are made here, so that what the rules say is known.
 */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "detect/detector.h"
#include "folder.h"

static const char shipped_rules[] =
    "[t.critical]\nkind = harassment\nseverity = critical\ncategory = threat\n"
    "reason = 脅迫です。\npattern = おはよう\n"
    "[t.medium]\nkind = harassment\nseverity = medium\ncategory = intimidation\n"
    "reason = 威圧です。\npattern = こんばんは\n";

static const char site_rules[] = "[s.high]\nkind = harassment\nseverity = high\ncategory = sexual\n"
				 "reason = 独自のルールです。\npattern = さようなら\n";

static struct mm_detector *detector;
static struct mm_arena *arena;

static const char *model_folder(void)
{
	static char path[512];
	const char *build = getenv("MM_TEST_BUILD");

	snprintf(path, sizeof(path), "%s/model", build ? build : ".");
	return path;
}

static struct mm_detector *make_detector(void)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;
	struct mm_detector *made;

	assert_int_equal(
	    mm_rules_load(test_folder_path("rules"), test_folder_path("site"), NULL, &rules, &err),
	    MM_OK);
	assert_int_equal(mm_detector_new(rules, &made, &err), MM_OK);
	return made;
}

static int set_up(void **state)
{
	struct mm_error err = {.status = MM_OK};

	(void)state;
	test_folder_make();
	mkdir(test_folder_path("rules"), 0755);
	mkdir(test_folder_path("site"), 0755);
	test_folder_write("rules/a.rules", shipped_rules);
	test_folder_write("site/a.rules", site_rules);
	arena = mm_arena_new(0);
	detector = make_detector();
	if (mm_detector_use_models(detector, model_folder(), &err) != MM_OK) {
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

static struct mm_analysis judge(struct mm_detector *by, const char *text)
{
	struct mm_analysis analysis;
	struct mm_error err = {.status = MM_OK};

	assert_int_equal(mm_detect(by, text, strlen(text), NULL, &analysis, arena, &err), MM_OK);
	return analysis;
}

static void verdict__rules_and_model_disagree__has_the_stated_winner(void **state)
{
	static const struct {
		const char *name, *text, *rule; /* rule: of the only finding, NULL for none */
		enum mm_severity severity;
	} rows[] = {
	    {"a critical rule is never lowered", "おはようございます。予約の確認をお願いします。",
	     "t.critical", MM_SEVERITY_CRITICAL},
	    {"nor is a rule of the site", "さようなら、本日はありがとうございました。", "s.high",
	     MM_SEVERITY_HIGH},
	    {"the model overrules another", "こんばんは。予約の変更をお願いできますか。", NULL,
	     MM_SEVERITY_NONE},
	    {"the model alone finds", "お前は本当に無能だな、仕事辞めろよ", "model.ja",
	     MM_SEVERITY_HIGH},
	    {"in English too", "you are a useless idiot", "model.other", MM_SEVERITY_HIGH},
	    {"nothing", "注文番号を教えてください", NULL, MM_SEVERITY_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mm_analysis analysis = judge(detector, rows[i].text);
		const struct mm_harassment *verdict = &analysis.harassment;
		const char *rule = "";

		for (size_t j = 0; j < verdict->finding_count; j++)
			if (!rows[i].rule || strcmp(verdict->findings[j].rule, rows[i].rule) == 0)
				rule = verdict->findings[j].rule;
		if (verdict->severity != rows[i].severity ||
		    strcmp(rule, rows[i].rule ? rows[i].rule : "") != 0)
			fail_msg("%s: %s by \"%s\"", rows[i].name,
				 mm_severity_name(verdict->severity), rule);
	}
}

static void finding__of_the_model__has_place_category_and_reasons(void **state)
{
	static const char text[] =
	    "😀😀いつもお世話になっております。お前は本当に無能だな、仕事辞めろよ。";
	const struct mm_analysis analysis = judge(detector, text);

	(void)state;
	assert_true(analysis.harassment.finding_count > 0);
	for (size_t i = 0; i < analysis.harassment.finding_count; i++) {
		const struct mm_finding *finding = &analysis.harassment.findings[i];

		assert_string_equal(finding->rule, "model.ja");
		assert_true(finding->categories != 0);
		assert_true(finding->reason[0] && finding->reason_en[0]);
		assert_true(finding->start < finding->end && finding->end <= 36);
		assert_true(finding->text >= text &&
			    finding->text + finding->text_length <= text + strlen(text));
		assert_non_null(strstr(finding->text, "無能"));
		assert_null(memmem(finding->text, finding->text_length, "😀", 4));
	}
}

static void analysis__numbers__are_probabilities(void **state)
{
	static const char *const texts[] = {"", "お前を殺すぞ", "thanks a lot", "12345", "。。。"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct mm_analysis analysis = judge(detector, texts[i]);
		double sum = 0.0;

		for (int j = 0; j < MM_SENTIMENT__MAX; j++)
			sum += analysis.sentiment.scores[j];
		assert_true(fabs(sum - 1.0) < 1e-9);
		assert_true(analysis.harassment.confidence >= 0.0 &&
			    analysis.harassment.confidence <= 1.0);
		assert_true(analysis.sentiment.confidence > 0.0 &&
			    analysis.sentiment.confidence <= 1.0);
		assert_string_equal(analysis.engine, "rules+model");
	}
}

static void use_models__no_folder__leaves_the_rules(void **state)
{
	struct mm_detector *alone = make_detector();
	struct mm_error err = {.status = MM_OK};

	(void)state;
	assert_int_equal(mm_detector_use_models(alone, "/nonexistent", &err), MM_NOT_FOUND);
	assert_non_null(strstr(err.cause, "/nonexistent/ja.model"));
	assert_false(mm_detector_has_models(alone));
	assert_string_equal(judge(alone, "こんばんは").engine, "rules");
	assert_int_equal(judge(alone, "こんばんは").harassment.severity, MM_SEVERITY_MEDIUM);
	mm_detector_free(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdict__rules_and_model_disagree__has_the_stated_winner),
	    cmocka_unit_test(finding__of_the_model__has_place_category_and_reasons),
	    cmocka_unit_test(analysis__numbers__are_probabilities),
	    cmocka_unit_test(use_models__no_folder__leaves_the_rules),
	};

	return cmocka_run_group_tests_name("fused", tests, set_up, tear_down);
}
