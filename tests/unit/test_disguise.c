/*
 * Tests of disguised wording with the shipped rules alone: every evasion of tests/detect/
 * disguised.tsv is found at its place, and nothing in look-alikes.tsv is. And of the *.disguise
 * files: what is wrong with one, and what a site's own adds.
 */
#include "config.h"

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
#include "lines.h"
#include "text/utf8.h"

static struct mm_detector *detector; /* the shipped rules */
static struct mm_arena *arena;

static struct mm_detector *load(const char *dir, const char *site_dir)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_detector *made;
	struct mm_rules *rules;

	if (mm_rules_load(dir, site_dir, NULL, &rules, &err) != MM_OK ||
	    mm_detector_new(rules, &made, &err) != MM_OK)
		fail_msg("%s %s", err.message, err.cause);
	return made;
}

static int set_up(void **state)
{
	const char *source = getenv("MM_TEST_SOURCE");
	char dir[4096];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/rules", source ? source : ".");
	arena = mm_arena_new(0);
	detector = load(dir, NULL);
	test_folder_make();
	mkdir(test_folder_path("rules"), 0755);
	mkdir(test_folder_path("site"), 0755);
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

static struct mm_harassment judge(struct mm_detector *by, const char *text)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_analysis analysis;

	assert_int_equal(mm_detect(by, text, strlen(text), NULL, &analysis, arena, &err), MM_OK);
	return analysis.harassment;
}

/* Whether a finding is exactly `span`, where it stands in the text first. */
static bool has_span(const struct mm_harassment *harassment, const char *text, const char *span)
{
	const char *there = strstr(text, span);
	size_t start, end;

	assert_non_null(there);
	start = mm_utf8_count(text, (size_t)(there - text));
	end = start + mm_utf8_count(span, strlen(span));
	for (size_t i = 0; i < harassment->finding_count; i++) {
		const struct mm_finding *finding = &harassment->findings[i];

		if (finding->start == start && finding->end == end &&
		    finding->text_length == strlen(span) &&
		    memcmp(finding->text, span, strlen(span)) == 0)
			return true;
	}
	return false;
}

/* \n stands for a line break. */
static void break_lines(char *text)
{
	char *found;

	while ((found = strstr(text, "\\n"))) {
		*found = '\n';
		memmove(found + 1, found + 2, strlen(found + 2) + 1);
	}
}

static void disguised__every_evasion__is_found_at_its_place(void **state)
{
	struct test_lines *lines = test_lines_open("detect/disguised.tsv", 4);
	unsigned rows = 0, missed = 0;

	(void)state;
	for (; test_lines_next(lines); rows++) {
		enum mm_severity least;
		char *text = lines->column[3];
		struct mm_harassment found;

		break_lines(text);
		assert_true(mm_severity_parse(lines->column[0], strlen(lines->column[0]), &least));
		found = judge(detector, text);
		if (found.severity < least)
			print_error("%s: only %s: %s\n", lines->column[1],
				    mm_severity_name(found.severity), text);
		else if (strcmp(lines->column[2], "-") != 0 &&
			 !has_span(&found, text, lines->column[2]))
			print_error("%s: not at %s: %s\n", lines->column[1], lines->column[2],
				    text);
		else
			continue;
		missed++;
	}
	assert_true(rows >= 120);
	assert_int_equal(missed, 0);
}

static void look_alikes__harmless_words__are_no_harassment(void **state)
{
	struct test_lines *lines = test_lines_open("detect/look-alikes.tsv", 1);
	unsigned rows = 0, wrong = 0;

	(void)state;
	for (; test_lines_next(lines); rows++) {
		struct mm_harassment found = judge(detector, lines->column[0]);

		if (!found.is_harassment)
			continue;
		wrong++;
		print_error("%s by %s: %s\n", mm_severity_name(found.severity),
			    found.finding_count ? found.findings[0].rule : "", lines->column[0]);
	}
	assert_true(rows >= 150);
	assert_int_equal(wrong, 0);
}

static const char one_rule[] = "[t.hidden]\nkind = harassment\nseverity = high\n"
			       "category = verbal_abuse\nsqueeze = hidden\npattern = ぽんぽこ\n";

static enum mm_status load_table(const char *table, struct mm_error *err)
{
	struct mm_rules *rules = NULL;
	enum mm_status status;

	test_folder_write("rules/t.rules", one_rule);
	test_folder_write("rules/t.disguise", table);
	status = mm_rules_load(test_folder_path("rules"), NULL, NULL, &rules, err);
	mm_rules_free(rules);
	test_folder_write("rules/t.disguise", "");
	return status;
}

static void table__each_fault__names_line_and_reason(void **state)
{
	static const struct {
		const char *table, *says;
	} rows[] = {
	    {"ぽ = p\n", "t.disguise:1: a table begins with a [heading]"},
	    {"[wrods]\n", "t.disguise:1: a heading is [letters]"},
	    {"# one\n\n[words]\nぽんぽこ\n", "t.disguise:4: a line is WORD = SPELLING"},
	    {"[letters]\na = 44\n", "t.disguise:2: [letters] and [masks] hold single characters"},
	    {"[masks]\n○○\n", "t.disguise:2: [letters] and [masks] hold single characters"},
	    {"[masked]\nぽ\n", "t.disguise:2: a masked word has two characters or more"},
	    {"[after]\na\n", "t.disguise:2: [after] holds single kana"},
	    {"[words]\nぽんぽこ = p.o.n\n", "is never found"},
	    {"[words]\nぽんぽこ = \xe2\x80\x8b\n", "folds to nothing"},
	    {"[words]\nぽんぽこ = \xff\n", "t.disguise:1: not valid UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_error err = {.status = MM_OK};

		if (load_table(rows[i].table, &err) != MM_BAD_INPUT ||
		    !strstr(err.message, rows[i].says))
			fail_msg("%s gives: %s", rows[i].table, err.message);
	}
}

static void table__of_a_site__is_added(void **state)
{
	struct mm_detector *plain, *own;

	(void)state;
	test_folder_write("rules/t.rules", one_rule);
	test_folder_write("rules/t.disguise", "[words]\nぽんぽこ = p0np0k0\n");
	plain = load(test_folder_path("rules"), test_folder_path("site"));
	test_folder_write("site/s.disguise", "[masks]\n■\n[masked]\nぽんぽこ\n"
					     "[words]\nぽんぽこ = 狸囃子\n");
	own = load(test_folder_path("rules"), test_folder_path("site"));
	assert_true(judge(plain, "p0np0k0").is_harassment);
	assert_false(judge(plain, "狸囃子").is_harassment);
	assert_true(judge(own, "p0np0k0").is_harassment);
	assert_true(judge(own, "狸囃子").is_harassment);
	assert_true(judge(own, "ぽん■こ").is_harassment);
	/* Not hidden, and so no business of the rule. */
	assert_false(judge(own, "ぽんぽこ").is_harassment);
	mm_detector_free(plain);
	mm_detector_free(own);
}

/* Every sign that a table knows, and the ways they may meet. */
static void long_texts_of_disguises__end_soon_and_are_in_order(void **state)
{
	static const char *const units[] = {"○",  "*",         "死○",      "バ○カ*a○",    "4@$!13",
					    "a4", "k1ll y0u ", "kakorosu", "氏ね4ね56す", "://a4 "};
	static char text[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = 0, unit = strlen(units[i]), last = 0;
		struct mm_harassment found;

		for (; length + unit < 30000; length += unit)
			memcpy(text + length, units[i], unit);
		text[length] = '\0';
		found = judge(detector, text);
		for (size_t j = 0; j < found.finding_count; j++) {
			assert_true(found.findings[j].start >= last);
			assert_true(found.findings[j].end > found.findings[j].start);
			assert_true(found.findings[j].end <= mm_utf8_count(text, length));
			last = found.findings[j].start;
		}
		mm_arena_reset(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(disguised__every_evasion__is_found_at_its_place),
	    cmocka_unit_test(look_alikes__harmless_words__are_no_harassment),
	    cmocka_unit_test(table__each_fault__names_line_and_reason),
	    cmocka_unit_test(table__of_a_site__is_added),
	    cmocka_unit_test(long_texts_of_disguises__end_soon_and_are_in_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
