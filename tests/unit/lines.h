/*
 * lines: the rows of a tab-separated file of tests/, for tests that count.
 *
 * Own      a row's columns live until the next row
 * Errors   a file that is missing or a row with other columns ends the test program
 */
#ifndef MM_TEST_LINES_H
#define MM_TEST_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_LINE_MAX = 65536, TEST_COLUMNS_MAX = 8 };

struct test_lines {
	FILE *file;
	size_t columns;
	char line[TEST_LINE_MAX];
	char *column[TEST_COLUMNS_MAX];
};

/* Opens tests/NAME of the source tree, whose rows have so many columns. */
static inline struct test_lines *test_lines_open(const char *name, size_t columns)
{
	struct test_lines *lines = calloc(1, sizeof *lines);
	const char *source = getenv("MM_TEST_SOURCE");
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/%s", source ? source : ".", name);
	if (lines)
		lines->file = fopen(path, "r");
	if (!lines || !lines->file) {
		perror(path);
		exit(1);
	}
	lines->columns = columns;
	return lines;
}

/* Reads the next row, skipping empty ones; closes the file and returns 0 after the last one. */
static inline int test_lines_next(struct test_lines *lines)
{
	size_t count = 0;

	do {
		if (!fgets(lines->line, sizeof lines->line, lines->file)) {
			fclose(lines->file);
			free(lines);
			return 0;
		}
		lines->line[strcspn(lines->line, "\n")] = '\0';
	} while (lines->line[0] == '\0');
	for (char *rest = lines->line; rest && count < TEST_COLUMNS_MAX; count++) {
		lines->column[count] = rest;
		rest = strchr(rest, '\t');
		if (rest)
			*rest++ = '\0';
	}
	if (count != lines->columns) {
		fprintf(stderr, "a row has %zu columns: %s\n", count, lines->line);
		exit(1);
	}
	return 1;
}

#endif
