/* train.c: usage: train LANGUAGE RULES_DIR MODEL CORPUS.tsv… [--whole TABLE.tsv…] Makes the file
 * MODEL and prints what it did. Of a corpus the rows that are kept for testing are left out; tables
 * of cases that must be right are read whole. */
#include "config.h"

#include "train.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A gram must stand in so many rows. */
static const uint32_t least_rows[MM_MODEL__MAX] = {[MM_MODEL_JA] = 8, [MM_MODEL_OTHER] = 6};

/* So many grams are kept. */
/* How often a row of the labels' own tables counts: they say what the labels mean. */
enum { TABLE_TIMES = 5 };

static const uint32_t most_grams[MM_MODEL__MAX] = {[MM_MODEL_JA] = 64000, [MM_MODEL_OTHER] = 64000};

void give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("train: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void *need(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		give_up("out of memory");
	return memory;
}

static struct mm_detector *open_rules(const char *dir)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_detector *detector;
	struct mm_rules *rules;

	if (mm_rules_load(dir, NULL, NULL, &rules, &err) != MM_OK ||
	    mm_detector_new(rules, &detector, &err) != MM_OK)
		give_up("%s %s", err.message, err.cause);
	return detector;
}

/* The evidence of one fold's rows, by a model that was made without them. */
static void sample_fold(const struct corpus *corpus, const struct vocabulary *vocabulary,
			unsigned fold, struct sample *samples)
{
	struct weights weights;
	struct mm_error err = {.status = MM_OK};
	struct mm_arena *arena = mm_arena_new(0);

	learner_run(corpus, vocabulary, fold, &weights);
	struct mm_model *model = model_of(corpus, vocabulary, &weights, NULL);

	for (size_t i = 0; i < corpus->count && arena; i++) {
		const struct row *row = &corpus->rows[i];
		struct mm_model_score score;

		if (row->fold != fold)
			continue;
		if (mm_model_score(model, row->characters, row->count, &score, arena, &err) !=
		    MM_OK)
			give_up("%s %s", err.message, err.cause);
		samples[i].evidence = row->evidence;
		mm_evidence_model(&score, &samples[i].evidence);
		mm_model_categories(model, &score, samples[i].categories);
		mm_arena_reset(arena);
	}
	mm_arena_free(arena);
	mm_model_free(model);
	free(weights.of_grams);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		give_up("%s cannot be written", path);
}

static void make_model(struct corpus *corpus, const char *path)
{
	struct vocabulary vocabulary;
	struct weights weights;
	struct mm_fusion fusion;
	struct sample *samples = need(corpus->count, sizeof(*samples));
	size_t length;

	vocabulary_make(corpus, least_rows[corpus->language], &vocabulary);
	if (vocabulary.count > most_grams[corpus->language]) {
		learner_run(corpus, &vocabulary, FOLDS, &weights);
		vocabulary_prune(corpus, &weights, most_grams[corpus->language], &vocabulary);
		free(weights.of_grams);
	}
	for (unsigned fold = 0; fold < FOLDS; fold++)
		sample_fold(corpus, &vocabulary, fold, samples);
	memset(&fusion, 0, sizeof(fusion));
	fitting_run(corpus, samples, &fusion);
	learner_run(corpus, &vocabulary, FOLDS, &weights);
	char *bytes = model_bytes(corpus, &vocabulary, &weights, &fusion, &length);
	write_file(path, bytes, length);
	printf("%s: %zu rows, %u grams, %zu bytes\n", mm_model_language_name(corpus->language),
	       corpus->count, vocabulary.count, length);
	free(samples);
}

int main(int argc, char *argv[])
{
	struct corpus corpus = {.language = MM_MODEL__MAX};

	for (int i = 0; argc > 4 && i < MM_MODEL__MAX; i++)
		if (strcmp(argv[1], mm_model_language_name((enum mm_model_language)i)) == 0)
			corpus.language = (enum mm_model_language)i;
	if (corpus.language == MM_MODEL__MAX)
		give_up(
		    "usage: train LANGUAGE RULES_DIR MODEL CORPUS.tsv... [--whole TABLE.tsv...]");
	corpus.arena = mm_arena_new(0);
	struct mm_detector *detector = open_rules(argv[2]);
	bool is_whole = false;

	for (int i = 4; i < argc; i++) {
		const bool is_option = strcmp(argv[i], "--whole") == 0;

		is_whole = is_whole || is_option;
		for (int times = is_whole ? TABLE_TIMES : 1; times > 0 && !is_option; times--)
			corpus_read(&corpus, argv[i], is_whole, detector);
	}
	make_model(&corpus, argv[3]);
	mm_detector_free(detector);
	mm_arena_free(corpus.arena);
	return 0;
}
