/* eval_report.c: the figures for people and for programs. */
#include "config.h"

#include "eval.h"

/* The shares that every report begins with, where they apply. */
struct line {
	const char *name, *key;
	struct ratio ratio;
	bool is_there;
};

enum { LINES_MAX = 12 };

static int list_lines(const struct figures *figures, struct line lines[LINES_MAX])
{
	const bool is_judged = figures->judged > 0;
	const size_t false_alarms = figures->harassment.found - figures->harassment.both;
	const struct line all[] = {
	    {"precision", "precision", precision_of(&figures->harassment), is_judged},
	    {"recall", "recall", recall_of(&figures->harassment), is_judged},
	    {"F1", "f1", f1_of(&figures->harassment), is_judged},
	    {"false positives", "false_positive_rate", ratio_of(false_alarms, figures->harmless),
	     is_judged},
	    {"  of hard negatives", "hard_false_positive_rate",
	     ratio_of(figures->hard_flagged, figures->hard), figures->hard > 0},
	    {"recall of evasions", "evasion_recall",
	     ratio_of(figures->tagged_found[MM_TAG_EVASION], figures->tagged[MM_TAG_EVASION]),
	     figures->tagged[MM_TAG_EVASION] > 0},
	    {"recall of veiled", "veiled_recall",
	     ratio_of(figures->tagged_found[MM_TAG_VEILED], figures->tagged[MM_TAG_VEILED]),
	     figures->tagged[MM_TAG_VEILED] > 0},
	    {"critical at least high", "critical_high_recall",
	     ratio_of(figures->critical_high, figures->critical), figures->critical > 0},
	    {"severity accuracy", "severity_accuracy", severity_accuracy(figures),
	     figures->severity_known > 0},
	    {"category recall", "category_recall", category_recall(figures),
	     figures->categories_known > 0},
	    {"sentiment accuracy", "sentiment_accuracy", sentiment_accuracy(figures),
	     figures->sentiment_known > 0},
	};
	int count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].is_there)
			lines[count++] = all[i];
	return count;
}

static void print_ratio(FILE *out, const char *name, const struct ratio *ratio)
{
	fprintf(out, "  %-24s %.4f  (%.4f-%.4f, %zu of %zu)\n", name, ratio->value, ratio->low,
		ratio->high, ratio->part, ratio->whole);
}

static void print_hits(FILE *out, const char *name, const struct hits *hits)
{
	if (hits->wanted + hits->found > 0)
		fprintf(out, "  %-24s precision %.3f  recall %.3f  F1 %.3f  (%zu labelled)\n", name,
			precision_of(hits).value, recall_of(hits).value, f1_of(hits).value,
			hits->wanted);
}

static void print_classes(FILE *out, const struct figures *figures)
{
	if (figures->sentiment_known > 0) {
		fprintf(out, "  %-24s %.4f\n", "sentiment macro-F1", sentiment_macro_f1(figures));
		for (int i = 0; i < MM_SENTIMENT__MAX; i++) {
			const struct hits hits = sentiment_hits(figures, (enum mm_sentiment)i);

			print_hits(out, mm_sentiment_name((enum mm_sentiment)i), &hits);
		}
	}
	for (int i = 0; i < MM_CATEGORY__MAX && figures->categories_known; i++)
		print_hits(out, mm_category_name((enum mm_category)i), &figures->categories[i]);
	for (int i = 0; i < MM_SIGNAL__MAX && figures->signals_known; i++)
		print_hits(out, mm_signal_name((enum mm_signal)i), &figures->signals[i]);
}

static void print_severities(FILE *out, const struct figures *figures)
{
	fprintf(out, "  label \\ verdict ");
	for (int i = 0; i < MM_SEVERITY__MAX; i++)
		fprintf(out, "%9s", mm_severity_name((enum mm_severity)i));
	fputc('\n', out);
	for (int i = 0; i < MM_SEVERITY__MAX; i++) {
		fprintf(out, "  %-15s ", mm_severity_name((enum mm_severity)i));
		for (int j = 0; j < MM_SEVERITY__MAX; j++)
			fprintf(out, "%9zu", figures->severities[i][j]);
		fputc('\n', out);
	}
}

static void print_reliability(FILE *out, const struct figures *figures)
{
	fprintf(out, "  %-24s %.4f\n", "calibration error", calibration_error(figures));
	for (int i = 0; i < RELIABILITY_BINS; i++) {
		const double n = (double)figures->bins[i].count;

		if (figures->bins[i].count > 0)
			fprintf(out, "  confidence %.1f-%.1f       said %.3f  right %.3f  (%zu)\n",
				(double)i / RELIABILITY_BINS, (double)(i + 1) / RELIABILITY_BINS,
				figures->bins[i].confidence / n, (double)figures->bins[i].right / n,
				figures->bins[i].count);
	}
}

void report_text(FILE *out, const char *name, const struct figures *figures)
{
	struct line lines[LINES_MAX];
	const int count = list_lines(figures, lines);

	fprintf(out, "%s: %zu rows\n", name, figures->rows);
	for (int i = 0; i < count; i++)
		print_ratio(out, lines[i].name, &lines[i].ratio);
	print_classes(out, figures);
	if (figures->severity_known > 0)
		print_severities(out, figures);
	if (figures->judged > 0)
		print_reliability(out, figures);
}

static void write_class(struct mm_json_writer *writer, const char *name, const struct hits *hits)
{
	mm_json_key(writer, name);
	mm_json_object_begin(writer);
	mm_json_pair_i64(writer, "labelled", (int64_t)hits->wanted);
	mm_json_pair_double(writer, "precision", precision_of(hits).value, 4);
	mm_json_pair_double(writer, "recall", recall_of(hits).value, 4);
	mm_json_pair_double(writer, "f1", f1_of(hits).value, 4);
	mm_json_object_end(writer);
}

static void write_sentiments(struct mm_json_writer *writer, const struct figures *figures)
{
	if (figures->sentiment_known == 0)
		return;
	mm_json_pair_double(writer, "sentiment_macro_f1", sentiment_macro_f1(figures), 4);
	mm_json_key(writer, "sentiments");
	mm_json_object_begin(writer);
	for (int i = 0; i < MM_SENTIMENT__MAX; i++) {
		const struct hits hits = sentiment_hits(figures, (enum mm_sentiment)i);

		write_class(writer, mm_sentiment_name((enum mm_sentiment)i), &hits);
	}
	mm_json_object_end(writer);
}

static void write_categories(struct mm_json_writer *writer, const struct figures *figures)
{
	if (figures->categories_known == 0)
		return;
	mm_json_key(writer, "categories");
	mm_json_object_begin(writer);
	for (int i = 0; i < MM_CATEGORY__MAX; i++)
		write_class(writer, mm_category_name((enum mm_category)i), &figures->categories[i]);
	mm_json_object_end(writer);
}

void report_json(struct mm_json_writer *writer, const char *name, const struct figures *figures)
{
	struct line lines[LINES_MAX];
	const int count = list_lines(figures, lines);

	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "file", name);
	mm_json_pair_i64(writer, "rows", (int64_t)figures->rows);
	for (int i = 0; i < count; i++)
		mm_json_pair_double(writer, lines[i].key, lines[i].ratio.value, 4);
	write_sentiments(writer, figures);
	write_categories(writer, figures);
	if (figures->judged > 0)
		mm_json_pair_double(writer, "calibration_error", calibration_error(figures), 4);
	mm_json_object_end(writer);
}
