/*
 * train: makes a model (detect/model.h) of the corpus while Mamori is built.
 *
 *   corpus      rows of the corpus files that are not kept for testing, read by the detector
 *   vocabulary  which grams the model knows, and the table they are found by
 *   learner     weights of the grams: logistic regression
 *   fitting     how rules and model are weighed against each other: the fusion
 *   tuning      where the borders of categories and sentiments lie
 *   train       the order of all this, and the file
 *
 * Units    rows, grams and outputs are numbered from 0; a target is 0, 1, or NONE where a row says
 *          nothing about an output
 * Own      everything lives until the program ends
 * Threads  one. The same corpus, rules and compiler give the same model
 */
#ifndef MM_TRAIN_H
#define MM_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/detector.h"
#include "detect/evidence.h"
#include "detect/model.h"

enum {
	OUTPUTS = MM_MODEL_MAIN + MM_MODEL_CATEGORIES,
	FOLDS = 3,
	NONE = 2 /* a target that is not asked for */
};

struct row {
	uint32_t *characters; /* as mm_gram_text reads it */
	uint32_t count;
	enum mm_severity severity;
	unsigned categories; /* bit set */
	enum mm_sentiment sentiment;
	struct mm_evidence evidence; /* of the rules */
	unsigned rule_categories;
	unsigned fold;
	uint8_t targets[OUTPUTS];
	const uint16_t *grams; /* rows of the vocabulary */
	uint32_t gram_count;
};

struct corpus {
	struct row *rows;
	size_t count, capacity;
	enum mm_model_language language;
	bool is_whole; /* the file being read */
	struct mm_arena *arena;
};

/* Prints why on standard error and ends the program. */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Memory, zeroed, or the end of the program. */
void *need(size_t count, size_t size);

/* Adds the rows of a file that are written in the corpus's language: without those that are kept
 * for testing, or, when `is_whole`, all of them. */
void corpus_read(struct corpus *corpus, const char *path, bool is_whole,
		 struct mm_detector *detector);

/* A gram that the model knows. */
struct gram {
	uint64_t hash;
	uint64_t shorter; /* the hash without the last character; 0 for one character */
	uint32_t rows;    /* how many rows have it */
};

/* The grams, those in most rows first: what is looked up most often lies together. */
struct vocabulary {
	struct gram *grams;
	uint32_t count, longest;
	uint32_t *slots; /* as in the model file */
	uint32_t slot_bits;
};

/* Chooses the grams that at least `least` rows have, and numbers those of every row. */
void vocabulary_make(struct corpus *corpus, uint32_t least, struct vocabulary *out);

struct weights;

/* Leaves the `most` grams that matter most by these weights, and what they are longer forms of, and
 * numbers those of every row anew. */
void vocabulary_prune(struct corpus *corpus, const struct weights *weights, uint32_t most,
		      struct vocabulary *vocabulary);

struct weights {
	float *of_grams; /* [gram][OUTPUTS] */
	float bias[OUTPUTS];
};

/* Learns from all rows but those of fold `left_out` (FOLDS: from all). */
void learner_run(const struct corpus *corpus, const struct vocabulary *vocabulary,
		 unsigned left_out, struct weights *out);

/* What the fusion is fitted to: one row's evidence, model scores of its categories included. */
struct sample {
	struct mm_evidence evidence;
	double categories[MM_MODEL_CATEGORIES];
};

/* Fits all questions and chooses the thresholds. */
void fitting_run(const struct corpus *corpus, const struct sample *samples, struct mm_fusion *out);

/* Move the biases of what was fitted to where F1 is best. */
void tune_category(const struct corpus *corpus, const struct sample *samples, unsigned category,
		   struct mm_fusion *fusion);
void tune_sentiments(const struct corpus *corpus, const struct sample *samples,
		     struct mm_fusion *fusion);

/* The bytes of a model file. Without weights or fusion those parts are zero. */
char *model_bytes(const struct corpus *corpus, const struct vocabulary *vocabulary,
		  const struct weights *weights, const struct mm_fusion *fusion,
		  size_t *length_out);

/* The same as a model in use. */
struct mm_model *model_of(const struct corpus *corpus, const struct vocabulary *vocabulary,
			  const struct weights *weights, const struct mm_fusion *fusion);

#endif
