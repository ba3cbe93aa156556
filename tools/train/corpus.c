/* corpus.c: reads TSV rows and leaves out the fifth that is kept for testing. */
#include "config.h"

#include "train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/grams.h"
#include "detect/labelled.h"

static void set_targets(struct row *row)
{
	const bool is_harassment = row->severity >= MM_SEVERITY_MEDIUM;
	uint8_t *targets = row->targets;

	targets[MM_OUTPUT_HARASSMENT] = is_harassment;
	targets[MM_OUTPUT_HIGH] = is_harassment ? row->severity >= MM_SEVERITY_HIGH : NONE;
	targets[MM_OUTPUT_CRITICAL] = is_harassment ? row->severity >= MM_SEVERITY_CRITICAL : NONE;
	targets[MM_OUTPUT_LOW] = is_harassment ? NONE : row->severity == MM_SEVERITY_LOW;
	for (unsigned i = 0; i < MM_SENTIMENT__MAX; i++)
		targets[MM_OUTPUT_POSITIVE + i] = row->sentiment == i;
	for (unsigned i = 0; i < MM_CATEGORY__MAX; i++)
		targets[MM_MODEL_MAIN + i] = is_harassment ? row->categories >> i & 1u : NONE;
}

static struct row *add_row(struct corpus *corpus)
{
	if (corpus->count == corpus->capacity) {
		corpus->capacity = corpus->capacity ? corpus->capacity * 2 : 4096;
		corpus->rows = realloc(corpus->rows, corpus->capacity * sizeof(*corpus->rows));
		if (!corpus->rows)
			give_up("out of memory");
	}
	corpus->rows[corpus->count] = (struct row){.fold = 0};
	return &corpus->rows[corpus->count];
}

/* Reads one row's text with the detector; keeps it when it is of the corpus's language. */
static void read_row(struct corpus *corpus, const struct mm_labelled *labelled,
		     struct mm_detector *detector)
{
	struct row *row = add_row(corpus);
	struct mm_rule_evidence evidence;
	struct mm_error err = {.status = MM_OK};

	if (mm_detector_evidence(detector, labelled->text, labelled->length, &evidence,
				 corpus->arena, &err) != MM_OK)
		give_up("%s %s", err.message, err.cause);
	if (mm_model_language_of(evidence.characters, evidence.count) != corpus->language)
		return;
	row->fold = labelled->hash / FOLDS % FOLDS;
	row->severity = labelled->severity;
	row->categories = labelled->categories;
	row->sentiment = labelled->sentiment;
	row->characters = mm_arena_alloc(corpus->arena, (evidence.count + 1) * sizeof(uint32_t));
	if (!row->characters)
		give_up("out of memory");
	row->count = mm_gram_text(evidence.characters, evidence.count, row->characters, NULL);
	row->evidence = evidence.evidence;
	row->rule_categories = evidence.categories;
	set_targets(row);
	corpus->count++;
}

/* One line of a file, its end included. */
static void read_line(struct corpus *corpus, struct mm_columns *columns, const char *line,
		      size_t length, struct mm_detector *detector, const char *where)
{
	struct mm_labelled labelled = {.length = 0};
	struct mm_error err = {.status = MM_OK};
	bool is_header = false;

	length -= length > 0 && line[length - 1] == '\n';
	if (columns->count == 0 &&
	    mm_columns_read(line, length, columns, &is_header, &err) != MM_OK)
		give_up("%s: %s", where, err.message);
	if (is_header)
		return;
	if (mm_labelled_read(columns, line, length, &labelled, corpus->arena, &err) != MM_OK)
		give_up("%s: %s", where, err.message);
	if (!labelled.has_severity || !labelled.has_categories || !labelled.has_sentiment)
		give_up("%s: severity, categories and sentiment are needed", where);
	if (corpus->is_whole || !mm_labelled_is_test(&labelled))
		read_row(corpus, &labelled, detector);
}

void corpus_read(struct corpus *corpus, const char *path, bool is_whole,
		 struct mm_detector *detector)
{
	FILE *file = fopen(path, "re");
	struct mm_columns columns = {.count = 0};
	char *line = NULL, where[4096];
	size_t room = 0;
	ssize_t length;

	if (!file)
		give_up("%s cannot be read", path);
	corpus->is_whole = is_whole;
	for (unsigned number = 1; (length = getline(&line, &room, file)) > 0; number++) {
		snprintf(where, sizeof(where), "%s:%u", path, number);
		read_line(corpus, &columns, line, (size_t)length, detector, where);
	}
	free(line);
	fclose(file);
}
