/*
 * judge: the parts of an analysis, each read from what stands (floor 2, private to this folder).
 *
 * The formulas are in detector.h. Order matters: sentiment and signals first, harassment reads
 * both, the conversation may add a finding, mm_detect combines.
 */
#ifndef MM_DETECT_JUDGE_H
#define MM_DETECT_JUDGE_H

#include "detect/resolve.h"

/* Scores, class, confidence and keywords; trigger_alert is left to the caller. */
enum mm_status mm_sentiment_judge(struct mm_reading *reading, struct mm_sentiment_result *out,
				  struct mm_error *err);

/* Signals and intents of the rules that stand, and whether personal data is there. */
enum mm_status mm_signals_judge(struct mm_reading *reading, unsigned *signals_out,
				unsigned *intents_out, struct mm_error *err);

/* Severity, findings, categories and confidence; recommendations are left to the caller. */
enum mm_status mm_harassment_judge(struct mm_reading *reading, enum mm_sentiment sentiment,
				   unsigned signals, struct mm_harassment *out,
				   struct mm_error *err);

/* Reads the thread into out->conversation; adds its findings to out->harassment. */
enum mm_status mm_conversation_judge(const struct mm_reading *reading, const struct mm_past *past,
				     struct mm_analysis *out, struct mm_error *err);

/* What the person who answers should do; "" for none. */
const char *mm_recommendation_ja(enum mm_severity severity);
const char *mm_recommendation_en(enum mm_severity severity);

/* The confidence of a harassment verdict whose rules weigh `weight` together. */
double mm_harassment_confidence(double weight);

#endif
