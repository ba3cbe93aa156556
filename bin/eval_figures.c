/* eval_figures.c: counts and the shares made of them; prints nothing. */
#include "config.h"

#include <math.h>

#include "eval.h"

static const double z = 1.959964; /* of a 95 % interval */

static void count(struct hits *hits, bool is_wanted, bool is_found)
{
	hits->wanted += is_wanted;
	hits->found += is_found;
	hits->both += is_wanted && is_found;
}

static void count_set(struct hits *hits, size_t size, unsigned wanted, unsigned found)
{
	for (size_t i = 0; i < size; i++)
		count(&hits[i], wanted >> i & 1u, found >> i & 1u);
}

static void add_bin(struct figures *figures, double confidence, bool is_right)
{
	int bin = (int)(confidence * RELIABILITY_BINS);

	bin = bin < 0 ? 0 : bin >= RELIABILITY_BINS ? RELIABILITY_BINS - 1 : bin;
	figures->bins[bin].count++;
	figures->bins[bin].right += is_right;
	figures->bins[bin].confidence += confidence;
}

static void add_verdict(struct figures *figures, const struct mm_labelled *row,
			const struct mm_harassment *verdict)
{
	const bool is_found = verdict->is_harassment;

	figures->judged++;
	count(&figures->harassment, row->is_harassment, is_found);
	add_bin(figures, verdict->confidence, is_found == row->is_harassment);
	figures->harmless += !row->is_harassment;
	for (unsigned tag = 0; tag < MM_TAG__MAX; tag++) {
		if (!(row->tags >> tag & 1u) || !row->is_harassment)
			continue;
		figures->tagged[tag]++;
		figures->tagged_found[tag] += is_found;
	}
	if (row->tags & 1u << MM_TAG_HARD && !row->is_harassment) {
		figures->hard++;
		figures->hard_flagged += is_found;
	}
}

static void add_severity(struct figures *figures, const struct mm_labelled *row,
			 const struct mm_harassment *verdict)
{
	figures->severity_known++;
	figures->severities[row->severity][verdict->severity]++;
	if (row->severity == MM_SEVERITY_CRITICAL) {
		figures->critical++;
		figures->critical_high += verdict->severity >= MM_SEVERITY_HIGH;
	}
}

void figures_add(struct figures *figures, const struct mm_labelled *row,
		 const struct mm_analysis *analysis)
{
	const struct mm_harassment *verdict = &analysis->harassment;

	figures->rows++;
	if (row->has_severity || row->is_toxic_known)
		add_verdict(figures, row, verdict);
	if (row->has_severity)
		add_severity(figures, row, verdict);
	if (row->has_categories) {
		figures->categories_known++;
		count_set(figures->categories, MM_CATEGORY__MAX, row->categories,
			  verdict->categories);
	}
	if (row->has_signals) {
		figures->signals_known++;
		count_set(figures->signals, MM_SIGNAL__MAX, row->signals, analysis->signals);
	}
	if (row->has_sentiment) {
		figures->sentiment_known++;
		figures->sentiments[row->sentiment][analysis->sentiment.sentiment]++;
	}
}

struct ratio ratio_of(size_t part, size_t whole)
{
	struct ratio ratio = {.part = part, .whole = whole};
	const double n = (double)whole;

	if (whole == 0)
		return ratio;
	ratio.value = (double)part / n;
	const double middle = (ratio.value + z * z / (2 * n)) / (1 + z * z / n);
	const double reach =
	    z / (1 + z * z / n) * sqrt(ratio.value * (1 - ratio.value) / n + z * z / (4 * n * n));
	ratio.low = fmax(middle - reach, 0.0);
	ratio.high = fmin(middle + reach, 1.0);
	return ratio;
}

struct ratio precision_of(const struct hits *hits)
{
	return ratio_of(hits->both, hits->found);
}

struct ratio recall_of(const struct hits *hits)
{
	return ratio_of(hits->both, hits->wanted);
}

static double f1_of_jaccard(double jaccard)
{
	return 2 * jaccard / (1 + jaccard);
}

struct ratio f1_of(const struct hits *hits)
{
	struct ratio ratio = ratio_of(hits->both, hits->wanted + hits->found - hits->both);

	ratio.value = f1_of_jaccard(ratio.value);
	ratio.low = f1_of_jaccard(ratio.low);
	ratio.high = f1_of_jaccard(ratio.high);
	return ratio;
}

struct ratio category_recall(const struct figures *figures)
{
	struct hits all = {0};

	for (int i = 0; i < MM_CATEGORY__MAX; i++) {
		all.both += figures->categories[i].both;
		all.wanted += figures->categories[i].wanted;
	}
	return recall_of(&all);
}

struct ratio severity_accuracy(const struct figures *figures)
{
	size_t right = 0;

	for (int i = 0; i < MM_SEVERITY__MAX; i++)
		right += figures->severities[i][i];
	return ratio_of(right, figures->severity_known);
}

struct ratio sentiment_accuracy(const struct figures *figures)
{
	size_t right = 0;

	for (int i = 0; i < MM_SENTIMENT__MAX; i++)
		right += figures->sentiments[i][i];
	return ratio_of(right, figures->sentiment_known);
}

struct hits sentiment_hits(const struct figures *figures, enum mm_sentiment sentiment)
{
	struct hits hits = {.both = figures->sentiments[sentiment][sentiment]};

	for (int i = 0; i < MM_SENTIMENT__MAX; i++) {
		hits.wanted += figures->sentiments[sentiment][i];
		hits.found += figures->sentiments[i][sentiment];
	}
	return hits;
}

double sentiment_macro_f1(const struct figures *figures)
{
	double sum = 0.0;

	for (int i = 0; i < MM_SENTIMENT__MAX; i++) {
		const struct hits hits = sentiment_hits(figures, (enum mm_sentiment)i);

		sum += f1_of(&hits).value;
	}
	return sum / MM_SENTIMENT__MAX;
}

double calibration_error(const struct figures *figures)
{
	double error = 0.0;

	for (int i = 0; i < RELIABILITY_BINS; i++)
		error += fabs(figures->bins[i].confidence - (double)figures->bins[i].right);
	return figures->judged ? error / (double)figures->judged : 0.0;
}
