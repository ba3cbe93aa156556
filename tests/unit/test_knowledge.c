/*
 * How well the articles of a sample support centre are found: tests/kb/articles.md, the questions of
 * tests/kb/questions.tsv (article, question), and tests/kb/unanswered.txt, which none answers.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/settings.h"
#include "lines.h"
#include "sample_articles.h"

static const double LEAST_IN_THREE = 0.95; /* the right article is among the first three */
static const double LEAST_ANSWERED = 0.85; /* and questions with an article are answered */
static const double LEAST_REFUSED = 0.85;  /* and those without one are not */
enum { ARTICLES_LEAST = 60, QUESTIONS_LEAST = 110 };

static struct mm_knowledge *knowledge;
static struct mm_arena *arena;
static double threshold;

static int set_up(void **state)
{
	struct mm_settings settings;

	(void)state;
	knowledge = sample_articles_load();
	arena = mm_arena_new(0);
	if (!arena || mm_settings_load(NULL, &settings, arena, NULL) != MM_OK)
		return 1;
	threshold = settings.knowledge.threshold;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_knowledge_free(knowledge);
	mm_arena_free(arena);
	return 0;
}

static size_t find(const char *question, struct mm_source *sources)
{
	size_t length = strlen(question), count = 0;

	mm_arena_reset(arena);
	assert_int_equal(mm_knowledge_find(knowledge, question, length,
					   mm_language_of(question, length), sources,
					   MM_SOURCES_MAX, &count, arena, NULL),
			 MM_OK);
	return count;
}

static void questions__find_their_article(void **state)
{
	struct test_lines *lines = test_lines_open("kb/questions.tsv", 2);
	size_t all = 0, in_three = 0, first = 0, answered = 0;

	(void)state;
	while (test_lines_next(lines)) {
		struct mm_source sources[MM_SOURCES_MAX];
		size_t count = find(lines->column[1], sources), place = 0;
		while (place < count && strcmp(sources[place].title, lines->column[0]) != 0)
			place++;
		all++;
		in_three += place < count;
		first += place == 0 && count > 0;
		answered += count > 0 && mm_source_is_answer(&sources[0], threshold);
		if (place > 0)
			print_message("%s: %s: place %zu, first \"%s\"\n", lines->column[0],
				      lines->column[1], place + 1, count ? sources[0].title : "-");
		if (getenv("MM_TEST_MATCH"))
			print_message("+ %.3f %s\n", count ? (double)sources[0].match : 0,
				      lines->column[1]);
	}
	print_message("%zu articles, %zu questions: right article first %.4f, in three %.4f; "
		      "answered %.4f\n",
		      mm_knowledge_count(knowledge), all, (double)first / (double)all,
		      (double)in_three / (double)all, (double)answered / (double)all);
	assert_true(mm_knowledge_count(knowledge) >= ARTICLES_LEAST && all >= QUESTIONS_LEAST);
	assert_true((double)in_three >= LEAST_IN_THREE * (double)all);
	assert_true((double)answered >= LEAST_ANSWERED * (double)all);
}

static void questions__without_article__are_not_answered(void **state)
{
	struct test_lines *lines = test_lines_open("kb/unanswered.txt", 1);
	size_t all = 0, refused = 0;

	(void)state;
	while (test_lines_next(lines)) {
		struct mm_source sources[MM_SOURCES_MAX];
		size_t count = find(lines->column[0], sources);
		bool is_answered = count > 0 && mm_source_is_answer(&sources[0], threshold);
		all++;
		refused += !is_answered;
		if (is_answered)
			print_message("answered: %s: \"%s\"\n", lines->column[0], sources[0].title);
		if (getenv("MM_TEST_MATCH"))
			print_message("- %.3f %s\n", count ? (double)sources[0].match : 0,
				      lines->column[0]);
	}
	print_message("%zu questions without an article: not answered %.4f\n", all,
		      (double)refused / (double)all);
	assert_true((double)refused >= LEAST_REFUSED * (double)all);
}

/* Long articles beside short ones: the pieces of one are one source. */
static void long_article__is_found_once(void **state)
{
	struct mm_arena *texts = mm_arena_new(0);
	struct mm_knowledge *mixed = NULL;
	struct mm_source sources[MM_SOURCES_MAX];
	struct mm_buffer body;
	size_t count = 0;

	(void)state;
	mm_buffer_init(&body, 0, 0, texts);
	for (int i = 0; i < 700; i++)
		mm_buffer_add_text(&body, i % 70 == 35 ? "飛行船の係留には許可証が要ります。\n"
						       : "これは前置きの文です。\n");
	const struct mm_knowledge_article articles[] = {
	    {"a", "案内", mm_buffer_text(&body), "", MM_LANGUAGE_JA},
	    {"b", "気球", "飛行船はありません。", "", MM_LANGUAGE_JA},
	    {"c", "送料", "550円です。", "", MM_LANGUAGE_JA},
	};
	static const char question[] = "飛行船の係留には許可証が要りますか";
	assert_int_equal(mm_knowledge_new(texts, articles, 3, 1, &mixed, NULL), MM_OK);
	assert_int_equal(mm_knowledge_find(mixed, question, strlen(question), MM_LANGUAGE_JA,
					   sources, MM_SOURCES_MAX, &count, arena, NULL),
			 MM_OK);
	assert_string_equal(sources[0].id, "a");
	assert_true(mm_source_is_answer(&sources[0], threshold));
	assert_int_equal(count, 2);
	assert_string_equal(sources[1].id, "b");
	mm_knowledge_free(mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(questions__find_their_article),
	    cmocka_unit_test(questions__without_article__are_not_answered),
	    cmocka_unit_test(long_article__is_found_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
