/*
 * train: makes a model (detect/model.h) of the corpus while Mamori is built.
 *
 *   corpus      rows of the corpus files that are not kept for testing, read by the detector
 *   vocabulary  which grams the model knows, and the table they are found by
 *   learner     weights of the grams: logistic regression
 *   fitting     how rules and model are weighed against each other: the fusion
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
	FOLDS = 5,
	NONE = 2 /* a target that is not asked for */
};

struct row {
	const uint32_t *characters;
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
	struct mm_arena *arena;
};

/* Prints why on standard error and ends the program. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory, zeroed, or the end of the program. */
void *need(size_t count, size_t size);

/* Adds the training rows of a corpus file that are written in the corpus's language. */
void corpus_read(struct corpus *corpus, const char *path, struct mm_detector *detector);

struct vocabulary {
	uint32_t *slots; /* as in the model file */
	uint32_t slot_bits, count, longest;
	uint32_t *rows_with; /* by gram: how many rows have it */
};

/* Chooses the grams that at least `least` rows have, and numbers those of every row. */
void vocabulary_make(struct corpus *corpus, uint32_t least, struct vocabulary *out);

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

/* The bytes of a model file. Without weights or fusion those parts are zero. */
char *model_bytes(const struct corpus *corpus, const struct vocabulary *vocabulary,
		  const struct weights *weights, const struct mm_fusion *fusion,
		  size_t *length_out);

/* The same as a model in use. */
struct mm_model *model_of(const struct corpus *corpus, const struct vocabulary *vocabulary,
			  const struct weights *weights, const struct mm_fusion *fusion);

#endif
