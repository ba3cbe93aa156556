/*
 * Tests of lib/text/articles: what a file of articles says, and what is wrong with it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/articles.h"

static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static struct mm_article *articles;
static size_t count;

static enum mm_status read_text(bool is_csv, const char *text, struct mm_error *err)
{
	articles = NULL;
	count = 0;
	return is_csv
		   ? mm_articles_read_csv(text, strlen(text), &articles, &count, arena, err)
		   : mm_articles_read_markdown(text, strlen(text), &articles, &count, arena, err);
}

static void markdown__has_its_articles(void **state)
{
	static const char text[] = "\xEF\xBB\xBF\n# 送料について \r\ntags: 送料, "
				   "配送料、無料,,\r\nLanguage : ja\r\n\r\n全国一律。\r\n\r\n"
				   "## 沖縄\r\nちがいます。\r\n\n# Returns\nSend it back.\ntags: "
				   "no head here\n```\n# not a "
				   "title\n```\n# Last\nlanguage: en\n\nEnd";

	(void)state;
	assert_int_equal(read_text(false, text, NULL), MM_OK);
	assert_int_equal(count, 3);
	assert_string_equal(articles[0].title, "送料について");
	assert_string_equal(articles[0].body, "全国一律。\n\n## 沖縄\nちがいます。");
	assert_string_equal(articles[0].language, "ja");
	assert_int_equal(articles[0].line, 2);
	assert_int_equal(articles[0].tag_count, 3);
	assert_string_equal(articles[0].tags[1], "配送料");
	assert_string_equal(articles[0].tags[2], "無料");
	assert_string_equal(articles[1].body,
			    "Send it back.\ntags: no head here\n```\n# not a title\n```");
	assert_null(articles[1].language);
	assert_int_equal(articles[1].tag_count, 0);
	assert_string_equal(articles[2].body, "End");
}

static void csv__has_its_articles(void **state)
{
	static const char text[] = "Title,tags,body,language\r\n"
				   "送料,\"送料,無料\",\"一行目\r\n二行目 \"\"引用\"\"\",ja\r\n\r\n"
				   "Returns,,Send it back.,\n";

	(void)state;
	assert_int_equal(read_text(true, text, NULL), MM_OK);
	assert_int_equal(count, 2);
	assert_string_equal(articles[0].body, "一行目\n二行目 \"引用\"");
	assert_int_equal(articles[0].tag_count, 2);
	assert_string_equal(articles[0].tags[0], "送料");
	assert_string_equal(articles[1].title, "Returns");
	assert_null(articles[1].language);
	assert_int_equal(articles[1].line, 5);
}

/* A file that is wrong, and where the message must say so. */
static const struct {
	bool is_csv;
	const char *text, *want;
} wrong[] = {
    {false, "", "line 1: there is no article"},
    {false, "\n\n", "line 1: there is no article"},
    {false, "\nhello\n# A\nb\n", "line 2: text before"},
    {false, "# A\nb\n\n#  \nc\n", "line 4: an article without a title"},
    {false, "# A\n\n# B\nb", "line 1: an article without a text"},
    {false, "# A\nb\n# B\ntags: x\n", "line 3: an article without a text"},
    {false, "# A\nlanguage: fr\n\nb", "line 1: the language must be ja or en"},
    {false, "# A\nx\n# B\ny\n# A\nz\n", "line 5: this title stands in line 1 already"},
    {false, "# A\nx\n\xFF\n", "line 3: not UTF-8"},
    {true, "", "line 1: the first row must name"},
    {true, "title;body\nA;b\n", "line 1: the first row must name the columns"},
    {true, "title,tags\nA,b\n", "line 1: the first row must name at least"},
    {true, "title,body,title\nA,b,c\n", "line 1: a column is named twice"},
    {true, "title,body\n", "line 1: there is no article"},
    {true, "title,body\nA,b\nC\n", "line 3: this row has another number"},
    {true, "title,body\nA,\"b\n\nc\nD,e\n", "line 2: a quotation mark without its end"},
    {true, "title,body\nA,\"b\"x\n", "line 2: text behind a closing"},
    {true, "title,body\n\"A\nB\",c\n", "line 2: the title has a line end"},
    {true, "title,body\nA,\" \n \"\n", "line 2: an article without a text"},
    {true, "title,body\nA,\"x\ny\"\nA,z\n", "line 4: this title stands in line 2 already"},
};

static void wrong_file__is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct mm_error err = {.status = MM_OK};
		enum mm_status status = read_text(wrong[i].is_csv, wrong[i].text, &err);
		if (status != MM_BAD_INPUT || articles ||
		    strncmp(err.message, wrong[i].want, strlen(wrong[i].want)) != 0)
			fail_msg("row %zu: %s", i, err.message);
	}
}

static void nul_byte__is_refused(void **state)
{
	struct mm_error err = {.status = MM_OK};

	(void)state;
	assert_int_equal(mm_articles_read_markdown("# A\nb\0c", 7, &articles, &count, arena, &err),
			 MM_BAD_INPUT);
	assert_string_equal(err.message, "line 2: a NUL byte: this is no text file");
}

static void lengths__are_limited(void **state)
{
	char *text = calloc(1, 200000);
	struct mm_error err = {.status = MM_OK};

	(void)state;
	strcpy(text, "# ");
	for (int i = 0; i < 200; i++)
		strcat(text, "題");
	strcat(text, "\nb");
	assert_int_equal(read_text(false, text, &err), MM_OK);
	memcpy(text, "# 題", 5);
	memmove(text + 5, text + 2, strlen(text + 2) + 1);
	assert_int_equal(read_text(false, text, &err), MM_BAD_INPUT);
	strcpy(text, "# A\n");
	memset(text + 4, 'x', 20001);
	text[20005] = '\0';
	assert_int_equal(read_text(false, text, &err), MM_BAD_INPUT);
	text[20004] = '\0';
	assert_int_equal(read_text(false, text, &err), MM_OK);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(markdown__has_its_articles, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(csv__has_its_articles, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(wrong_file__is_refused_with_its_line, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(nul_byte__is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lengths__are_limited, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
