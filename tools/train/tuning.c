/* tuning.c: moves the biases of categories and sentiments. Logistic regression puts the border of a
 * rare class at even odds, where half of it is missed; here the border goes to where F1 is best on
 * rows that the model has not seen. */
#include "config.h"

#include "train.h"

#include <math.h>
#include <stdlib.h>

enum { SENTIMENTS = MM_SENTIMENT__MAX, PASSES = 3, REACH = 12 };

static const double stride = 0.1; /* log-odds; a bias of a sentiment moves REACH strides at most */

struct scored {
	double odds;
	bool is_wanted;
};

static int by_odds(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	return (x->odds < y->odds) - (x->odds > y->odds);
}

/* The border with the best F1; sorts the list, highest odds first. */
static double best_border(struct scored *list, size_t count, size_t wanted)
{
	double best = 0.0, border = 0.0;
	size_t hits = 0;

	qsort(list, count, sizeof(*list), by_odds);
	for (size_t i = 0; i < count; i++) {
		hits += list[i].is_wanted;
		const double f1 = 2.0 * (double)hits / (double)(i + 1 + wanted);

		if (f1 > best) {
			best = f1;
			border = list[i].odds;
		}
	}
	return border;
}

void tune_category(const struct corpus *corpus, const struct sample *samples, unsigned category,
		   struct mm_fusion *fusion)
{
	struct scored *list = need(corpus->count, sizeof(*list));
	size_t count = 0, wanted = 0;

	for (size_t i = 0; i < corpus->count; i++) {
		const uint8_t target = corpus->rows[i].targets[MM_MODEL_MAIN + category];

		if (target == NONE)
			continue;
		list[count].is_wanted = target;
		list[count++].odds = mm_fusion_category_odds(
		    fusion, category, samples[i].categories[category],
		    corpus->rows[i].rule_categories >> category & 1u,
		    mm_fusion_odds(fusion, MM_OUTPUT_HARASSMENT, &samples[i].evidence));
		wanted += target;
	}
	fusion->categories[category].bias -= (float)best_border(list, count, wanted);
	free(list);
}

/* The mean of the four F1, when `moves` are added to the odds. */
static double macro_f1(const struct corpus *corpus, const double (*odds)[SENTIMENTS],
		       const double moves[SENTIMENTS])
{
	size_t both[SENTIMENTS] = {0}, either[SENTIMENTS] = {0};
	double sum = 0.0;

	for (size_t i = 0; i < corpus->count; i++) {
		int best = 0;

		for (int j = 1; j < SENTIMENTS; j++)
			if (odds[i][j] + moves[j] > odds[i][best] + moves[best])
				best = j;
		either[best]++;
		either[corpus->rows[i].sentiment]++;
		both[best] += best == (int)corpus->rows[i].sentiment;
	}
	for (int j = 0; j < SENTIMENTS; j++)
		sum += either[j] ? 2.0 * (double)both[j] / (double)either[j] : 0.0;
	return sum / SENTIMENTS;
}

/* Tries every stride of one class and keeps the best. */
static void move_class(const struct corpus *corpus, const double (*odds)[SENTIMENTS], int class,
		       double moves[SENTIMENTS])
{
	double best = macro_f1(corpus, odds, moves), kept = moves[class];

	for (int i = -REACH; i <= REACH; i++) {
		moves[class] = i * stride;
		const double now = macro_f1(corpus, odds, moves);

		if (now > best) {
			best = now;
			kept = moves[class];
		}
	}
	moves[class] = kept;
}

void tune_sentiments(const struct corpus *corpus, const struct sample *samples,
		     struct mm_fusion *fusion)
{
	double(*odds)[SENTIMENTS] = need(corpus->count, sizeof(*odds));
	double moves[SENTIMENTS] = {0};

	for (size_t i = 0; i < corpus->count; i++)
		for (int j = 0; j < SENTIMENTS; j++)
			odds[i][j] =
			    mm_fusion_odds(fusion, (enum mm_model_output)(MM_OUTPUT_POSITIVE + j),
					   &samples[i].evidence);
	for (int pass = 0; pass < PASSES; pass++)
		for (int j = 0; j < SENTIMENTS; j++)
			move_class(corpus, (const double(*)[SENTIMENTS])odds, j, moves);
	for (int j = 0; j < SENTIMENTS; j++)
		fusion->coefficients[MM_OUTPUT_POSITIVE + j][MM_EVIDENCE_BIAS] += (float)moves[j];
	free(odds);
}
