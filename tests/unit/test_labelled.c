/*
 * Tests of lib/detect/labelled: the two kinds of file, and what is wrong with a row.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detect/labelled.h"

static const char header[] = "severity\tcategories\tsentiment\tsignals\ttags\ttext";

static enum mm_status read_row(const char *first, const char *line, struct mm_labelled *out,
			       struct mm_arena *arena, struct mm_error *err)
{
	struct mm_columns columns;
	bool is_header;
	enum mm_status status = mm_columns_read(first, strlen(first), &columns, &is_header, err);

	return status == MM_OK ? mm_labelled_read(&columns, line, strlen(line), out, arena, err)
			       : status;
}

static void columns__each_first_line__is_told_apart(void **state)
{
	static const struct {
		const char *line;
		enum mm_status status;
		bool is_header, is_list;
	} rows[] = {
	    {header, MM_OK, true, false},
	    {"text\tseverity", MM_OK, true, false},
	    {"toxic\tyou fool", MM_OK, false, true},
	    {"anger\tyou fool", MM_OK, false, true},
	    {"severity\tcategories", MM_BAD_INPUT, false, false},
	    {"fine\tyou fool", MM_BAD_INPUT, false, false},
	    {"", MM_BAD_INPUT, false, false},
	    {"1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t16\t17", MM_BAD_INPUT, false,
	     false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_columns columns = {.count = 0};
		struct mm_error err = {.status = MM_OK};
		bool is_header = false;
		const enum mm_status status =
		    mm_columns_read(rows[i].line, strlen(rows[i].line), &columns, &is_header, &err);

		if (status != rows[i].status || is_header != rows[i].is_header ||
		    columns.is_list != rows[i].is_list)
			fail_msg("%s: status %d", rows[i].line, status);
	}
}

static void read__corpus_row__has_everything(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_labelled row;
	struct mm_error err;

	(void)state;
	assert_int_equal(read_row(header,
				  "high\tverbal_abuse,threat\tanger\turgent\trough,shop,evasion\t"
				  "一行\\n二行",
				  &row, arena, &err),
			 MM_OK);
	assert_true(row.has_severity && row.has_categories && row.has_sentiment &&
		    row.has_signals && row.is_harassment);
	assert_int_equal(row.severity, MM_SEVERITY_HIGH);
	assert_int_equal(row.categories, 1u << MM_CATEGORY_VERBAL_ABUSE | 1u << MM_CATEGORY_THREAT);
	assert_int_equal(row.signals, 1u << MM_SIGNAL_URGENT);
	assert_int_equal(row.tags, 1u << MM_TAG_EVASION);
	assert_string_equal(row.text, "一行\n二行");
	assert_int_equal(row.length, strlen("一行\n二行"));
	mm_arena_free(arena);
}

static void read__list_row__has_its_label_only(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_labelled row;
	struct mm_error err;

	(void)state;
	assert_int_equal(read_row("ok\ta", "toxic\tb", &row, arena, &err), MM_OK);
	assert_true(row.is_toxic_known && row.is_harassment && !row.has_severity);
	assert_int_equal(read_row("ok\ta", "anger\tb", &row, arena, &err), MM_OK);
	assert_true(row.has_sentiment && !row.is_toxic_known);
	assert_int_equal(row.sentiment, MM_SENTIMENT_ANGER);
	mm_arena_free(arena);
}

static void read__each_mistake__is_named(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
	    {"high\tx", "2 columns instead of 6"},
	    {"huge\t\tanger\t\t\ttext", "severity is unknown"},
	    {"high\trude\tanger\t\t\ttext", "categories is unknown"},
	    {"high\tthreat\twrath\t\t\ttext", "sentiment is unknown"},
	    {"high\tthreat\tanger\tsoon\t\ttext", "signals is unknown"},
	    {"high\tthreat\tanger\t\t\t\xff", "the text is not UTF-8"},
	};
	struct mm_arena *arena = mm_arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_labelled row;
		struct mm_error err = {.status = MM_OK};

		if (read_row(header, rows[i].line, &row, arena, &err) != MM_BAD_INPUT ||
		    !strstr(err.message, rows[i].want))
			fail_msg("%s: %s", rows[i].want, err.message);
	}
	mm_arena_free(arena);
}

/* Worked out by hand from the formula in tests/corpus/README.md. */
static void is_test__hash__is_the_readmes(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_labelled row;
	struct mm_error err;
	uint32_t hash = 2166136261u;

	(void)state;
	for (const char *c = "a\\nb"; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	hash ^= hash >> 16;
	hash *= 0x85ebca6bu;
	hash ^= hash >> 13;
	assert_int_equal(read_row("text\tseverity", "a\\nb\tnone", &row, arena, &err), MM_OK);
	assert_int_equal(row.hash, hash);
	assert_int_equal(mm_labelled_is_test(&row), hash % 5 == 0);
	mm_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns__each_first_line__is_told_apart),
	    cmocka_unit_test(read__corpus_row__has_everything),
	    cmocka_unit_test(read__list_row__has_its_label_only),
	    cmocka_unit_test(read__each_mistake__is_named),
	    cmocka_unit_test(is_test__hash__is_the_readmes),
	};

	return cmocka_run_group_tests_name("labelled", tests, NULL, NULL);
}
