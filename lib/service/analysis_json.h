/*
 * analysis_json: an analysis in the API's shape (floor 4).
 *
 * Shape    appends members or whole values to a struct mm_json_writer; the fields are those of
 *          README.md, "The API"
 * Units    span offsets are code points of the message as sent
 * Errors   the writer's buffer remembers a failure
 * Threads  none is shared
 */
#ifndef MM_SERVICE_ANALYSIS_JSON_H
#define MM_SERVICE_ANALYSIS_JSON_H

#include "detect/detector.h"
#include "text/json_writer.h"

/* Writes {"is_harassment": …, …, "recommendation": …}. */
void mm_harassment_write(struct mm_json_writer *writer, const struct mm_harassment *harassment);

/* Writes {"sentiment": …, …, "keywords_found": […]}. */
void mm_sentiment_write(struct mm_json_writer *writer, const struct mm_sentiment_result *sentiment);

/* Writes ["threat", …] for a bit set of enum mm_category. */
void mm_categories_write(struct mm_json_writer *writer, unsigned categories);

/* Writes ["urgent", …] for a bit set of enum mm_signal. */
void mm_signals_write(struct mm_json_writer *writer, unsigned signals);

/* Writes {"repetitions": …, …, "unbroken_ms": …}. */
void mm_conversation_write(struct mm_json_writer *writer,
			   const struct mm_conversation_reading *reading);

/* Writes [{"rule", "category", "severity", "start", "end"}, …]: findings without their texts. */
void mm_findings_write(struct mm_json_writer *writer, const struct mm_harassment *harassment);

/*
 * Writes the whole result of POST /api/analyze for one message:
 * {"harassment", "sentiment", "combined_risk", "signals", "ai_analysis", "alert"?, "analyzed_at",
 * "engine"}. `analysis_id` is left out when NULL.
 */
void mm_analysis_write(struct mm_json_writer *writer, const struct mm_analysis *analysis,
		       int64_t analyzed_at_utc_ms, const char *analysis_id);

#endif
