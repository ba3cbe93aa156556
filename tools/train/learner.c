/* learner.c: logistic regression on binary features, all outputs at once, by AdaGrad (Duchi, Hazan
 * and Singer, JMLR 12, 2011) with a quadratic penalty and dropout (Wang and Manning, Fast dropout
 * training, ICML 2013). */
#include "config.h"

#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 12 };

static const float dropout = 0.3f; /* share of a row's grams that is left out */
static const float rate = 0.15f;
/* Of a squared weight, for the whole corpus: penalty * (rows with the gram / common)^steepness. What
 * is common, endings and particles above all, has to earn its weight: it says how people talk, and
 * less of what they mean. */
static const float penalty = 1.0f, common = 10.0f, steepness = 0.8f;

/* The state of learning. */
struct learner {
	const struct corpus *corpus;
	const struct vocabulary *vocabulary;
	struct weights *weights;
	float *squares; /* [gram][OUTPUTS]: sums of squared slopes */
	float bias_squares[OUTPUTS];
	float *shares;  /* [gram]: the penalty that is paid in each row that has it */
	uint16_t *kept; /* grams of the row being learnt from that were not left out */
	uint32_t *order;
	uint32_t row_count;
	uint64_t random;
};

/* Marsaglia's xorshift64*; the same numbers on every machine. */
static uint32_t draw(struct learner *learner, uint32_t below)
{
	learner->random ^= learner->random >> 12;
	learner->random ^= learner->random << 25;
	learner->random ^= learner->random >> 27;
	return (uint32_t)(((learner->random * 2685821657736338717u) >> 32) * below >> 32);
}

static void shuffle(struct learner *learner)
{
	for (uint32_t i = learner->row_count; i > 1; i--) {
		const uint32_t other = draw(learner, i), kept = learner->order[i - 1];

		learner->order[i - 1] = learner->order[other];
		learner->order[other] = kept;
	}
}

/* Leaves some grams of a row out, by chance, and counts the others: the model must not lean on one
 * of them. */
static uint32_t drop_grams(struct learner *learner, const struct row *row)
{
	const uint32_t keep = (uint32_t)((1.0f - dropout) * 65536.0f);
	uint32_t count = 0;

	for (uint32_t i = 0; i < row->gram_count; i++)
		if (draw(learner, 65536) < keep)
			learner->kept[count++] = row->grams[i];
	return count;
}

static void slopes_of(const struct learner *learner, const struct row *row, uint32_t count,
		      float slopes[OUTPUTS])
{
	float scores[OUTPUTS];

	memcpy(scores, learner->weights->bias, sizeof(scores));
	for (uint32_t i = 0; i < count; i++) {
		const float *weights =
		    learner->weights->of_grams + (size_t)learner->kept[i] * OUTPUTS;

		for (int j = 0; j < OUTPUTS; j++)
			scores[j] += weights[j];
	}
	for (int j = 0; j < OUTPUTS; j++)
		slopes[j] = row->targets[j] == NONE
				? 0.0f
				: 1.0f / (1.0f + expf(-scores[j])) - (float)row->targets[j];
}

static inline void step(float *weight, float *square, float slope)
{
	*square += slope * slope;
	*weight -= rate * slope / sqrtf(*square + 1e-6f);
}

/* Takes one row's step. The penalty of a gram is paid in the rows that have it. */
static void learn_row(struct learner *learner, const struct row *row)
{
	const uint32_t count = drop_grams(learner, row);
	float slopes[OUTPUTS];

	slopes_of(learner, row, count, slopes);
	for (int j = 0; j < OUTPUTS; j++)
		step(&learner->weights->bias[j], &learner->bias_squares[j], slopes[j]);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t gram = learner->kept[i];
		const float share = learner->shares[gram];
		float *weights = learner->weights->of_grams + (size_t)gram * OUTPUTS;
		float *squares = learner->squares + (size_t)gram * OUTPUTS;

		for (int j = 0; j < OUTPUTS; j++)
			step(&weights[j], &squares[j], slopes[j] + share * weights[j]);
	}
}

static void set_shares(struct learner *learner)
{
	const uint32_t count = learner->vocabulary->count;

	learner->shares = need(count, sizeof(float));
	for (uint32_t i = 0; i < count; i++) {
		const float rows = (float)learner->vocabulary->grams[i].rows;

		learner->shares[i] = penalty * powf(rows / common, steepness) / rows;
	}
}

void learner_run(const struct corpus *corpus, const struct vocabulary *vocabulary,
		 unsigned left_out, struct weights *out)
{
	struct learner learner = {.corpus = corpus,
				  .vocabulary = vocabulary,
				  .weights = out,
				  .random = 88172645463325252u};

	memset(out->bias, 0, sizeof(out->bias));
	out->of_grams = need((size_t)vocabulary->count * OUTPUTS, sizeof(float));
	learner.squares = need((size_t)vocabulary->count * OUTPUTS, sizeof(float));
	learner.order = need(corpus->count, sizeof(*learner.order));
	learner.kept = need(MM_MODEL_GRAMS_MAX, sizeof(*learner.kept));
	set_shares(&learner);
	for (size_t i = 0; i < corpus->count; i++)
		if (corpus->rows[i].fold != left_out)
			learner.order[learner.row_count++] = (uint32_t)i;
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		shuffle(&learner);
		for (uint32_t i = 0; i < learner.row_count; i++)
			learn_row(&learner, &corpus->rows[learner.order[i]]);
	}
	free(learner.squares);
	free(learner.shares);
	free(learner.kept);
	free(learner.order);
}
