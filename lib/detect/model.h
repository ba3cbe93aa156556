/*
 * model: the learned second opinion, a linear model over character n-grams (floor 2).
 *
 * Shape    struct mm_model is opaque and immutable. It knows some ten thousand grams; each has a
 *          small weight for every output. A message's score for an output is the output's bias
 *          plus the weights of the grams that occur in it, each counted once.
 * Units    scores are log-odds before calibration (fusion.h turns them into probabilities);
 *          places are characters of the plain view
 * Own      a model owns its memory; what a score points to lives in the arena
 * Errors   enum mm_status; a file that is cut, damaged or of another version is MM_BAD_INPUT
 * Threads  a loaded model may be read by any number of threads
 * Source   logistic regression on binary n-gram features, as in Wang and Manning, Baselines and
 *          Bigrams (ACL 2012); trained by tools/train from tests/corpus
 *
 * There are two models, one for messages with Japanese letters and one for all others, since
 * grams of one say nothing about the other.
 *
 * FILE (little endian): struct mm_model_header, then 2^slot_bits slots of 32 bits, then
 * gram_count rows of MM_MODEL_MAIN weights, then gram_count rows of MM_MODEL_CATEGORIES weights.
 * A slot is tag << 16 | (row + 1), 0 when free; a gram's hash gives the slot to begin at (its
 * highest bits) and the tag (the 16 bits below them). All grams that begin a known gram are known
 * too, so reading stops at the first one that is not.
 */
#ifndef MM_DETECT_MODEL_H
#define MM_DETECT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "detect/fusion.h"

enum {
	MM_MODEL_CATEGORIES = 12,
	MM_MODEL_SLOT_BITS_MAX = 17,
	MM_MODEL_GRAMS_MAX = 65535, /* a row number and one must fit in 16 bits */
	MM_MODEL_VERSION = 1
};

enum mm_model_language { MM_MODEL_JA, MM_MODEL_OTHER, MM_MODEL__MAX };

struct mm_model_header {
	char magic[8]; /* "mm-model" */
	uint32_t version;
	uint32_t language;
	uint32_t slot_bits;
	uint32_t gram_count;
	uint32_t longest;  /* characters of the longest gram */
	uint32_t checksum; /* FNV-1a over everything behind the header and `fusion` */
	float bias[MM_MODEL_MAIN], scale[MM_MODEL_MAIN]; /* score = bias + scale * sum of weights */
	float category_bias[MM_MODEL_CATEGORIES], category_scale[MM_MODEL_CATEGORIES];
	struct mm_fusion fusion;
};

struct mm_model;

/* What the grams of one message say. */
struct mm_model_score {
	double main[MM_MODEL_MAIN];
	/* The largest sum of harassment weights of a stretch, each character's less a little:
	 * what says nothing is not of it. */
	double strongest;
	uint32_t first, last;  /* that stretch, last excluded; both 0 when none is positive */
	uint32_t gram_count;   /* distinct known grams */
	const uint16_t *grams; /* their rows, for mm_model_categories */
};

/* Takes a model's bytes, which the arena of `out` then copies. MM_BAD_INPUT, MM_NO_MEMORY. `name` is
 * for the error. */
enum mm_status mm_model_parse(const char *name, const char *bytes, size_t length,
			      struct mm_model **out, struct mm_error *err);

/* FNV-1a, for the header. */
uint32_t mm_model_checksum(const char *bytes, size_t length);

/* Reads a model. MM_NOT_FOUND, MM_BAD_INPUT with the reason, MM_NO_MEMORY. End with mm_model_free
 * (NULL is fine). */
enum mm_status mm_model_load(const char *path, struct mm_model **out, struct mm_error *err);
void mm_model_free(struct mm_model *model);

/* "model.ja", "model.other": how a finding names the model as its rule. */
const char *mm_model_rule(const struct mm_model *model);

const struct mm_model_header *mm_model_header(const struct mm_model *model);

/* The language whose model reads these characters. */
enum mm_model_language mm_model_language_of(const uint32_t *characters, uint32_t count);

/* "ja" and "other": the names of the files, without their ending. */
const char *mm_model_language_name(enum mm_model_language language);

/* Scores `count` characters of the plain view. MM_NO_MEMORY. */
enum mm_status mm_model_score(const struct mm_model *model, const uint32_t *characters,
			      uint32_t count, struct mm_model_score *out, struct mm_arena *arena,
			      struct mm_error *err);

/* The scores of the categories, for a message that was scored. */
void mm_model_categories(const struct mm_model *model, const struct mm_model_score *score,
			 double out[MM_MODEL_CATEGORIES]);

/* The slot a hash begins at, and its tag; for the trainer, which fills the table. */
static inline uint32_t mm_model_slot(uint64_t hash, uint32_t slot_bits)
{
	return (uint32_t)(hash >> (64 - slot_bits));
}

static inline uint32_t mm_model_tag(uint64_t hash, uint32_t slot_bits)
{
	return (uint32_t)(hash >> (48 - slot_bits)) & 0xffffu;
}

#endif
