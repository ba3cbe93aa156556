/*
 * labelled: one row of a labelled TSV file (floor 2). Reads lines, not files.
 *
 * Shape    two kinds of file: a corpus has a header whose first column is `severity` and its other
 *          columns in any order (categories, sentiment, signals, tags, text); a list has no header
 *          and rows of a label and a text: toxic or ok, or one of the four sentiments
 * Units    texts are UTF-8; the two characters \n in a text stand for a line break
 * Own      the row's text and tags live in the arena passed in
 * Errors   MM_BAD_INPUT says what is wrong with the row
 * Source   tests/corpus/README.md for the columns and for the share that is kept for testing
 */
#ifndef MM_DETECT_LABELLED_H
#define MM_DETECT_LABELLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "detect/labels.h"

enum mm_column {
	MM_COLUMN_SEVERITY,
	MM_COLUMN_CATEGORIES,
	MM_COLUMN_SENTIMENT,
	MM_COLUMN_SIGNALS,
	MM_COLUMN_TAGS,
	MM_COLUMN_TEXT,
	MM_COLUMN__MAX
};

enum mm_tag { MM_TAG_HARD, MM_TAG_EVASION, MM_TAG_VEILED, MM_TAG__MAX };

/* Where the columns of a file are; -1 for one that is not there. */
struct mm_columns {
	int of[MM_COLUMN__MAX];
	int count;
	bool is_list;
};

struct mm_labelled {
	const char *text; /* NUL-terminated */
	size_t length;
	bool has_severity, has_categories, has_sentiment, has_signals;
	bool is_harassment; /* of every row that has_severity or is_toxic_known */
	bool is_toxic_known;
	enum mm_severity severity;
	unsigned categories, signals, tags; /* bit sets; other tags are passed over */
	enum mm_sentiment sentiment;
	uint32_t hash; /* of the text as written */
};

/* Reads the first line of a file, `length` bytes without its end. *is_header_out: the line is no
 * row. MM_BAD_INPUT when it is neither kind. */
enum mm_status mm_columns_read(const char *line, size_t length, struct mm_columns *out,
			       bool *is_header_out, struct mm_error *err);

/* Reads one row. MM_BAD_INPUT, MM_NO_MEMORY. */
enum mm_status mm_labelled_read(const struct mm_columns *columns, const char *line, size_t length,
				struct mm_labelled *out, struct mm_arena *arena,
				struct mm_error *err);

/* Whether a row of the corpus is kept for testing: a fifth of all, by hash. */
bool mm_labelled_is_test(const struct mm_labelled *row);

/* "hard" "evasion" "veiled" */
const char *mm_tag_name(enum mm_tag tag);

#endif
