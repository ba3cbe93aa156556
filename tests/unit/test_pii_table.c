/*
 * How much personal data in written-out messages is found, and how much else is taken for it:
 * tests/pii/positives.tsv (kind, what is personal, message) and tests/pii/look-alikes.txt.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lines.h"
#include "text/pii.h"

static const double LEAST = 0.97;
enum { ROWS_LEAST = 130 };

static struct mm_arena *arena;

struct tally {
	size_t rows, found, missed, wrong;
};

static size_t find(const char *text, struct mm_pii_span **spans)
{
	size_t count = 0;

	mm_arena_reset(arena);
	assert_int_equal(mm_pii_find(text, strlen(text), spans, &count, arena, NULL), MM_OK);
	return count;
}

/* A row is found when one span of its kind covers the value; other spans are wrong. */
static void judge_positive(const char *kind, const char *value, const char *text,
			   struct tally *tally)
{
	const char *place = strstr(text, value);
	struct mm_pii_span *spans;
	size_t count = find(text, &spans), hits = 0;

	assert_non_null(place);
	size_t start = (size_t)(place - text), end = start + strlen(value);
	for (size_t i = 0; i < count; i++) {
		bool is_hit = spans[i].start <= start && end <= spans[i].end &&
			      strcmp(mm_pii_kind_name(spans[i].kind), kind) == 0;
		hits += is_hit;
		if (is_hit)
			continue;
		tally->wrong++;
		print_message("wrong %s \"%.*s\" in: %s\n", mm_pii_kind_name(spans[i].kind),
			      (int)(spans[i].end - spans[i].start), text + spans[i].start, text);
	}
	tally->rows++;
	tally->found += hits > 0;
	tally->missed += hits == 0;
	if (hits == 0)
		print_message("missed %s \"%s\" in: %s\n", kind, value, text);
}

static void judge_look_alike(const char *text, struct tally *tally)
{
	struct mm_pii_span *spans;
	size_t count = find(text, &spans);

	tally->rows++;
	tally->wrong += count;
	for (size_t i = 0; i < count; i++)
		print_message("wrong %s in: %s\n", mm_pii_kind_name(spans[i].kind), text);
}

static void table__recall_and_precision__are_high(void **state)
{
	struct tally positives = {0}, look_alikes = {0};
	struct test_lines *lines = test_lines_open("pii/positives.tsv", 3);

	(void)state;
	while (test_lines_next(lines))
		judge_positive(lines->column[0], lines->column[1], lines->column[2], &positives);
	lines = test_lines_open("pii/look-alikes.txt", 1);
	while (test_lines_next(lines))
		judge_look_alike(lines->column[0], &look_alikes);
	double recall = (double)positives.found / (double)positives.rows;
	double precision = (double)positives.found /
			   (double)(positives.found + positives.wrong + look_alikes.wrong);
	print_message("personal data: %zu positives, recall %.4f; %zu look-alikes, precision "
		      "%.4f\n",
		      positives.rows, recall, look_alikes.rows, precision);
	assert_true(positives.rows >= ROWS_LEAST && look_alikes.rows >= ROWS_LEAST);
	assert_true(recall >= LEAST);
	assert_true(precision >= LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table__recall_and_precision__are_high),
	};

	arena = mm_arena_new(0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mm_arena_free(arena);
	return failed;
}
