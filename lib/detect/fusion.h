/*
 * fusion: rules and model into one verdict (floor 2).
 *
 * Shape    struct mm_evidence is what is known of a message as a row of numbers; struct mm_fusion
 *          is a matrix of coefficients, one row for each question. A question's log-odds are the
 *          product of its row and the evidence; its probability is their logistic function.
 * Units    coefficients are log-odds for one unit of evidence
 * Threads  plain values
 * Source   stacked generalisation (Wolpert, Neural Networks 5, 1992) with logistic regression,
 *          which gives calibrated probabilities: tools/train fits it to scores of models that
 *          have not seen the message, so that the model's own optimism is taken out
 */
#ifndef MM_DETECT_FUSION_H
#define MM_DETECT_FUSION_H

#include <stdbool.h>

/* The model's outputs, and the questions of the fusion: the same. */
enum mm_model_output {
	MM_OUTPUT_HARASSMENT, /* medium and above */
	MM_OUTPUT_HIGH,       /* of harassment: high and above */
	MM_OUTPUT_CRITICAL,   /* of harassment: critical */
	MM_OUTPUT_LOW,        /* of the harmless: a complaint */
	MM_OUTPUT_POSITIVE,   /* the four sentiments, in the order of enum mm_sentiment */
	MM_OUTPUT_NEUTRAL,
	MM_OUTPUT_NEGATIVE,
	MM_OUTPUT_ANGER,
	MM_OUTPUT__MAX
};

enum { MM_MODEL_MAIN = MM_OUTPUT__MAX };

/* What the fusion looks at. The first MM_OUTPUT__MAX are the model's scores. */
enum mm_evidence_item {
	MM_EVIDENCE_MODEL,
	MM_EVIDENCE_DENSITY = MM_OUTPUT__MAX, /* harassment score / sqrt(grams + 1) */
	MM_EVIDENCE_STRONGEST,                /* of the strongest stretch */
	MM_EVIDENCE_LENGTH,                   /* log(1 + characters) */
	MM_EVIDENCE_MEDIUM,                   /* a rule of medium or above stands: 1 */
	MM_EVIDENCE_HIGH,                     /* of high or above */
	MM_EVIDENCE_CRITICAL,                 /* of critical */
	MM_EVIDENCE_WEIGHT,                   /* of the rules of medium and above, at most 8 */
	MM_EVIDENCE_CANCELLED,                /* rules of medium and above cancelled, at most 4 */
	MM_EVIDENCE_COMPLAINT,                /* a rule of low stands, or one that complains: 1 */
	MM_EVIDENCE_RULE_POSITIVE,            /* weight of sentiment rules, at most 8 each */
	MM_EVIDENCE_RULE_NEGATIVE,
	MM_EVIDENCE_RULE_ANGER,
	MM_EVIDENCE_ACCOMMODATION, /* signals */
	MM_EVIDENCE_SELF_HARM,
	MM_EVIDENCE_BIAS, /* always 1 */
	MM_EVIDENCE__MAX
};

struct mm_evidence {
	double items[MM_EVIDENCE__MAX];
};

/* A category's log-odds: bias + model * score + rule (when a rule of the category stands) +
 * harassment * log-odds of harassment. */
struct mm_fusion_category {
	float bias, model, rule, harassment;
};

struct mm_fusion {
	float coefficients[MM_OUTPUT__MAX][MM_EVIDENCE__MAX];
	struct mm_fusion_category categories[12];
	/* Log-odds from which a message is harassment: without a rule of medium or above that
	 * stands, and with one. */
	float threshold[2];
	float severity_margin[2]; /* log-odds from which harassment is high, critical */
};

/* "model" … "bias": the items of evidence, for explanations. */
const char *mm_evidence_name(enum mm_evidence_item item);

/* "harassment" … "anger": the questions. */
const char *mm_output_name(enum mm_model_output output);

/* The log-odds of one question. */
double mm_fusion_odds(const struct mm_fusion *fusion, enum mm_model_output question,
		      const struct mm_evidence *evidence);

/* The log-odds of a category: of the model's score, of whether a rule of the category stands, and of
 * the log-odds of harassment. The category is there from 0 on, which is not even odds: the border is
 * where F1 is best. */
double mm_fusion_category_odds(const struct mm_fusion *fusion, unsigned category, double score,
			       bool has_rule, double harassment);

/* 1 / (1 + exp(-odds)) */
double mm_fusion_probability(double odds);

#endif
