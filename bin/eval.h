/*
 * eval: how often the verdicts on labelled messages are right; parts of mamori eval.
 *
 * Shape    struct figures counts; struct ratio is a share with its 95 % interval
 * Source   Wilson's score interval (Journal of the American Statistical Association 22, 1927).
 *          F1 = 2 J / (1 + J), where J = hits / (hits + false alarms + misses) is such a share:
 *          so J's interval gives F1's
 */
#ifndef MM_BIN_EVAL_H
#define MM_BIN_EVAL_H

#include <stdio.h>

#include "detect/detector.h"
#include "detect/labelled.h"
#include "text/json_writer.h"

enum { RELIABILITY_BINS = 10 };

struct ratio {
	size_t part, whole;
	double value, low, high; /* 0 where whole is 0 */
};

/* Found, wanted, and both. */
struct hits {
	size_t both, wanted, found;
};

struct figures {
	size_t rows;
	struct hits harassment;
	size_t harmless, hard, hard_flagged;
	size_t tagged[MM_TAG__MAX], tagged_found[MM_TAG__MAX]; /* of harassment */
	size_t critical, critical_high;                        /* critical rows; at least high */
	size_t severities[MM_SEVERITY__MAX][MM_SEVERITY__MAX]; /* [label][verdict] */
	struct hits categories[MM_CATEGORY__MAX];
	struct hits signals[MM_SIGNAL__MAX];
	size_t sentiments[MM_SENTIMENT__MAX][MM_SENTIMENT__MAX];
	struct {
		size_t count, right;
		double confidence; /* their sum */
	} bins[RELIABILITY_BINS];
	size_t judged, severity_known, sentiment_known, categories_known, signals_known;
};

/* Counts one row and its verdict. */
void figures_add(struct figures *figures, const struct mm_labelled *row,
		 const struct mm_analysis *analysis);

struct ratio ratio_of(size_t part, size_t whole);
struct ratio precision_of(const struct hits *hits);
struct ratio recall_of(const struct hits *hits);
struct ratio f1_of(const struct hits *hits);

/* All categories together: how many of the labels are found. */
struct ratio category_recall(const struct figures *figures);
struct ratio severity_accuracy(const struct figures *figures);
struct ratio sentiment_accuracy(const struct figures *figures);
struct hits sentiment_hits(const struct figures *figures, enum mm_sentiment sentiment);
double sentiment_macro_f1(const struct figures *figures);

/* The mean distance of confidence from the share that is right, over the bins. */
double calibration_error(const struct figures *figures);

void report_text(FILE *out, const char *name, const struct figures *figures);
void report_json(struct mm_json_writer *writer, const char *name, const struct figures *figures);

#endif
