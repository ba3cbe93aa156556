/*
 * Tests of lib/detect/labels.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detect/labels.h"

static void names__every_value__parse_back(void **state)
{
	(void)state;
#define CHECK(noun, type, max)                                                                     \
	for (int i = 0; i < (int)(max); i++) {                                                     \
		enum type back = max;                                                              \
		const char *name = mm_##noun##_name((enum type)i);                                 \
		if (!mm_##noun##_parse(name, strlen(name), &back) || (int)back != i)               \
			fail_msg(#noun " %d (%s) does not parse back", i, name);                   \
	}
	CHECK(severity, mm_severity, MM_SEVERITY__MAX)
	CHECK(category, mm_category, MM_CATEGORY__MAX)
	CHECK(sentiment, mm_sentiment, MM_SENTIMENT__MAX)
	CHECK(signal, mm_signal, MM_SIGNAL__MAX)
	CHECK(intent, mm_intent, MM_INTENT__MAX)
#undef CHECK
}

static void parse__other_words__are_refused(void **state)
{
	static const char *const words[] = {"", "hig", "highh", "High", " high", "medium "};
	enum mm_severity severity = MM_SEVERITY_LOW;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (mm_severity_parse(words[i], strlen(words[i]), &severity))
			fail_msg("\"%s\" was taken", words[i]);
	assert_int_equal(severity, MM_SEVERITY_LOW);
}

static void names__outside_the_enum__are_empty(void **state)
{
	(void)state;
	assert_string_equal(mm_severity_name(MM_SEVERITY__MAX), "");
	assert_string_equal(mm_category_label_ja(MM_CATEGORY__MAX), "");
	assert_null(mm_intent_issue_ja(MM_INTENT__MAX));
}

static void labels__every_category__has_both_languages(void **state)
{
	(void)state;
	for (int i = 0; i < MM_CATEGORY__MAX; i++) {
		assert_true(strlen(mm_category_label_ja((enum mm_category)i)) > 0);
		assert_true(strlen(mm_category_label_en((enum mm_category)i)) > 0);
	}
	assert_string_equal(mm_category_label_ja(MM_CATEGORY_DOGEZA_DEMAND), "土下座の要求");
	assert_string_equal(mm_intent_issue_ja(MM_INTENT_RETURNS), "返品・返金");
	assert_null(mm_intent_issue_ja(MM_INTENT_THANKS));
}

static void risk__every_pair__is_as_the_matrix(void **state)
{
	static const struct {
		enum mm_severity severity;
		const char *anger, *negative, *neutral, *positive;
	} rows[] = {
	    {MM_SEVERITY_CRITICAL, "critical", "critical", "critical", "high"},
	    {MM_SEVERITY_HIGH, "critical", "high", "high", "medium"},
	    {MM_SEVERITY_MEDIUM, "high", "medium", "medium", "low"},
	    {MM_SEVERITY_LOW, "medium", "medium", "low", "low"},
	    {MM_SEVERITY_NONE, "medium", "low", "none", "none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const want[] = {rows[i].positive, rows[i].neutral, rows[i].negative,
					    rows[i].anger};

		for (int j = 0; j < MM_SENTIMENT__MAX; j++) {
			const char *got = mm_severity_name(
			    mm_risk_combine(rows[i].severity, (enum mm_sentiment)j));

			if (strcmp(got, want[j]) != 0)
				fail_msg("%s and %s: %s, not %s",
					 mm_severity_name(rows[i].severity),
					 mm_sentiment_name((enum mm_sentiment)j), got, want[j]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names__every_value__parse_back),
	    cmocka_unit_test(parse__other_words__are_refused),
	    cmocka_unit_test(names__outside_the_enum__are_empty),
	    cmocka_unit_test(labels__every_category__has_both_languages),
	    cmocka_unit_test(risk__every_pair__is_as_the_matrix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
