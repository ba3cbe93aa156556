/* explain.c: writes what a trace of the detector tells. */
#include "config.h"

#include "explain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

enum { LINE_BYTES = 256 };

/* What the trace's callbacks need. */
struct explanation {
	struct mm_buffer *out;
	const char *utf8; /* the message */
	size_t length;
};

static void add_line(struct explanation *explanation, const char *line)
{
	mm_buffer_add_text(explanation->out, line);
	mm_buffer_add_char(explanation->out, '\n');
}

/* Adds code points [start, end) of the message, line breaks as blanks. */
static void add_slice(struct explanation *explanation, size_t start, size_t end)
{
	const size_t from = mm_utf8_offset(explanation->utf8, explanation->length, start);
	const size_t to = mm_utf8_offset(explanation->utf8, explanation->length, end);

	for (size_t i = from; i < to; i++)
		mm_buffer_add_char(explanation->out,
				   explanation->utf8[i] == '\n' ? ' ' : explanation->utf8[i]);
}

static void add_view(void *self, bool is_squeezed, const char *text, size_t length)
{
	struct explanation *explanation = self;

	mm_buffer_add_text(explanation->out, is_squeezed ? "squeezed   " : "folded     ");
	for (size_t i = 0; i < length; i++)
		mm_buffer_add_char(explanation->out, text[i] == '\n' ? ' ' : text[i]);
	mm_buffer_add_char(explanation->out, '\n');
}

static void add_candidate(void *self, const struct mm_candidate *candidate)
{
	struct explanation *explanation = self;
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "candidate  %s [%zu, %zu)%s \"", candidate->rule->id,
		 candidate->start, candidate->end, candidate->is_squeezed ? " squeezed" : "");
	mm_buffer_add_text(explanation->out, line);
	add_slice(explanation, candidate->start, candidate->end);
	snprintf(line, sizeof(line), "\" %s%s%s", mm_verdict_name(candidate->verdict),
		 candidate->by ? ": " : "", candidate->by ? candidate->by : "");
	add_line(explanation, line);
}

static void add_question(struct explanation *explanation, const struct mm_fusion *fusion,
			 enum mm_model_output question, const struct mm_evidence *evidence)
{
	const double odds = mm_fusion_odds(fusion, question, evidence);
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "fusion     %s: log-odds %.2f, probability %.3f",
		 mm_output_name(question), odds, mm_fusion_probability(odds));
	add_line(explanation, line);
}

/* The items that move the odds of harassment, in their order. */
static void add_items(struct explanation *explanation, const struct mm_fusion *fusion,
		      const struct mm_evidence *evidence)
{
	char line[LINE_BYTES];

	for (int i = 0; i < MM_EVIDENCE__MAX; i++) {
		const double part =
		    (double)fusion->coefficients[MM_OUTPUT_HARASSMENT][i] * evidence->items[i];

		if (fabs(part) < 0.005)
			continue;
		snprintf(line, sizeof(line), "           %+6.2f  %s %.2f", part,
			 mm_evidence_name((enum mm_evidence_item)i), evidence->items[i]);
		add_line(explanation, line);
	}
}

static void add_fusion(void *self, const struct mm_fusion *fusion,
		       const struct mm_evidence *evidence, size_t start, size_t end)
{
	struct explanation *explanation = self;
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "model      [%zu, %zu) \"", start, end);
	mm_buffer_add_text(explanation->out, line);
	add_slice(explanation, start, end);
	add_line(explanation, "\"");
	add_question(explanation, fusion, MM_OUTPUT_HARASSMENT, evidence);
	add_items(explanation, fusion, evidence);
	for (int i = MM_OUTPUT_HARASSMENT + 1; i < MM_OUTPUT__MAX; i++)
		add_question(explanation, fusion, (enum mm_model_output)i, evidence);
	snprintf(line, sizeof(line), "threshold  log-odds %.2f, with a rule %.2f",
		 (double)fusion->threshold[0], (double)fusion->threshold[1]);
	add_line(explanation, line);
}

enum mm_status explain(struct mm_buffer *out, struct mm_detector *detector, const char *utf8,
		       size_t length, struct mm_analysis *analysis, struct mm_arena *arena,
		       struct mm_error *err)
{
	struct explanation explanation = {.out = out, .utf8 = utf8, .length = length};
	const struct mm_trace trace = {.candidate = add_candidate,
				       .view = add_view,
				       .fusion = add_fusion,
				       .self = &explanation};

	return mm_detect_traced(detector, utf8, length, NULL, &trace, analysis, arena, err);
}
