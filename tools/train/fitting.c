/* fitting.c: the fusion's coefficients, by logistic regression with Newton's method, and the
 * thresholds. Everything is fitted to rows that the model behind the scores has not seen. */
#include "config.h"

#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 25, CATEGORY_ITEMS = 4, WIDTH_MAX = MM_EVIDENCE__MAX };

static const double penalty = 1.0; /* of a squared coefficient */

/* The share of the harmless rows without a rule that may be called harassment. */
static const double harmless_flagged[MM_MODEL__MAX] = {
    [MM_MODEL_JA] = 0.010, [MM_MODEL_OTHER] = 0.016};

/* One regression: `count` rows of `width` numbers, the last of which is the constant 1. */
struct regression {
	const double *inputs;
	const uint8_t *targets;
	size_t count;
	int width;
	double coefficients[WIDTH_MAX];
};

struct newton {
	double slope[WIDTH_MAX], curve[WIDTH_MAX][WIDTH_MAX];
};

static double product(const double *a, const double *b, int width)
{
	double sum = 0.0;

	for (int i = 0; i < width; i++)
		sum += a[i] * b[i];
	return sum;
}

static void add_row(struct newton *newton, const double *inputs, int width, double probability,
		    double target)
{
	const double weight = probability * (1.0 - probability) + 1e-9;

	for (int i = 0; i < width; i++) {
		newton->slope[i] += (probability - target) * inputs[i];
		for (int j = 0; j <= i; j++)
			newton->curve[i][j] += weight * inputs[i] * inputs[j];
	}
}

/* Solves curve * x = slope in place, by Cholesky's decomposition; x is left in slope. */
static void solve(struct newton *newton, int width)
{
	double(*curve)[WIDTH_MAX] = newton->curve;
	double *x = newton->slope;

	for (int i = 0; i < width; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = curve[i][j] - product(curve[i], curve[j], j);

			curve[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / curve[j][j];
		}
		x[i] = (x[i] - product(curve[i], x, i)) / curve[i][i];
	}
	for (int i = width; i-- > 0;) {
		for (int j = i + 1; j < width; j++)
			x[i] -= curve[j][i] * x[j];
		x[i] /= curve[i][i];
	}
}

static void regress(struct regression *regression)
{
	const int width = regression->width;

	memset(regression->coefficients, 0, sizeof(regression->coefficients));
	for (int step = 0; step < STEPS; step++) {
		struct newton newton = {{0}, {{0}}};

		for (size_t i = 0; i < regression->count; i++) {
			const double *inputs = regression->inputs + i * (size_t)width;

			if (regression->targets[i] == NONE)
				continue;
			add_row(
			    &newton, inputs, width,
			    mm_fusion_probability(product(inputs, regression->coefficients, width)),
			    regression->targets[i]);
		}
		for (int i = 0; i < width; i++) {
			newton.curve[i][i] += i + 1 < width ? penalty : 1e-6;
			if (i + 1 < width)
				newton.slope[i] += penalty * regression->coefficients[i];
		}
		solve(&newton, width);
		for (int i = 0; i < width; i++)
			regression->coefficients[i] -= newton.slope[i];
	}
}

static void fit_question(const struct corpus *corpus, const struct sample *samples,
			 enum mm_model_output question, struct mm_fusion *out)
{
	double *inputs = need(corpus->count * MM_EVIDENCE__MAX, sizeof(double));
	uint8_t *targets = need(corpus->count, 1);
	struct regression regression = {.inputs = inputs,
					.targets = targets,
					.count = corpus->count,
					.width = MM_EVIDENCE__MAX};

	for (size_t i = 0; i < corpus->count; i++) {
		memcpy(inputs + i * MM_EVIDENCE__MAX, samples[i].evidence.items,
		       sizeof(samples[i].evidence.items));
		targets[i] = corpus->rows[i].targets[question];
	}
	regress(&regression);
	for (int i = 0; i < MM_EVIDENCE__MAX; i++)
		out->coefficients[question][i] = (float)regression.coefficients[i];
	free(inputs);
	free(targets);
}

static void fit_category(const struct corpus *corpus, const struct sample *samples,
			 unsigned category, struct mm_fusion *out)
{
	double *inputs = need(corpus->count * CATEGORY_ITEMS, sizeof(double));
	uint8_t *targets = need(corpus->count, 1);
	struct regression regression = {
	    .inputs = inputs, .targets = targets, .count = corpus->count, .width = CATEGORY_ITEMS};

	for (size_t i = 0; i < corpus->count; i++) {
		double *items = inputs + i * CATEGORY_ITEMS;

		items[0] = samples[i].categories[category];
		items[1] = corpus->rows[i].rule_categories >> category & 1u;
		items[2] = mm_fusion_odds(out, MM_OUTPUT_HARASSMENT, &samples[i].evidence);
		items[3] = 1.0;
		targets[i] = corpus->rows[i].targets[MM_MODEL_MAIN + category];
	}
	regress(&regression);
	out->categories[category] =
	    (struct mm_fusion_category){.model = (float)regression.coefficients[0],
					.rule = (float)regression.coefficients[1],
					.harassment = (float)regression.coefficients[2],
					.bias = (float)regression.coefficients[3]};
	free(inputs);
	free(targets);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The odds that all but a small share of the harmless rows without a rule stay below; never under
 * even odds. */
static float choose_threshold(const struct corpus *corpus, const struct sample *samples,
			      const struct mm_fusion *fusion)
{
	double *odds = need(corpus->count, sizeof(double)), threshold = 0.0;
	size_t count = 0;

	for (size_t i = 0; i < corpus->count; i++)
		if (corpus->rows[i].severity < MM_SEVERITY_MEDIUM &&
		    samples[i].evidence.items[MM_EVIDENCE_MEDIUM] < 0.5)
			odds[count++] =
			    mm_fusion_odds(fusion, MM_OUTPUT_HARASSMENT, &samples[i].evidence);
	qsort(odds, count, sizeof(double), by_value);
	if (count > 0)
		threshold =
		    odds[(size_t)((double)count * (1.0 - harmless_flagged[corpus->language]))];
	free(odds);
	return (float)fmax(threshold, 0.0);
}

void fitting_run(const struct corpus *corpus, const struct sample *samples, struct mm_fusion *out)
{
	for (int question = 0; question < MM_OUTPUT__MAX; question++)
		fit_question(corpus, samples, (enum mm_model_output)question, out);
	for (unsigned category = 0; category < MM_MODEL_CATEGORIES; category++) {
		fit_category(corpus, samples, category, out);
		tune_category(corpus, samples, category, out);
	}
	tune_sentiments(corpus, samples, out);
	out->threshold[0] = choose_threshold(corpus, samples, out);
	out->threshold[1] = 0.0f;
	out->severity_margin[0] = out->severity_margin[1] = 0.0f;
}
