/* second_opinion: masks, asks or remembers, merges. */
#include "config.h"

#include "service/second_opinion.h"

#include <string.h>

#include "base/log.h"
#include "service/analysis_json.h"
#include "text/pii_mask.h"

bool mm_second_opinion_is_possible(const struct mm_runtime *runtime)
{
	return runtime->opinions && mm_chain_has_provider(runtime->chain);
}

static enum mm_status ask(struct mm_runtime *runtime, const struct mm_second_opinion_facts *facts,
			  const struct mm_pii_masked *masked, const struct mm_analysis *analysis,
			  struct mm_second_opinion *out, struct mm_arena *arena,
			  struct mm_error *err)
{
	const int64_t now = mm_clock_mono_ms(runtime->clock);
	struct mm_id nonce;
	char nonce_text[MM_ID_TEXT];
	out->is_cached = mm_opinion_cache_find(runtime->opinions, masked->text, masked->length,
					       facts->language, now, &out->answer, arena);
	if (out->is_cached)
		return MM_OK;
	enum mm_status status = mm_id_next(runtime->ids, &nonce);
	if (status != MM_OK)
		return status;
	mm_id_format(&nonce, nonce_text);
	const struct mm_opinion_question question = {.text = masked->text,
						     .length = masked->length,
						     .nonce = nonce_text,
						     .language = facts->language,
						     .analysis = analysis,
						     .deadline_mono_ms = facts->deadline_mono_ms,
						     .request_id = facts->request_id};
	status = mm_opinion_ask(&runtime->provider, &question, &out->answer, arena, err);
	if (status == MM_OK)
		mm_opinion_cache_put(runtime->opinions, masked->text, masked->length,
				     facts->language, mm_clock_mono_ms(runtime->clock),
				     &out->answer);
	return status;
}

static bool is_no_opinion(enum mm_status status)
{
	return status == MM_UPSTREAM || status == MM_TIMEOUT;
}

static enum mm_status merge(const struct mm_second_opinion_facts *facts,
			    const struct mm_pii_mask *mask, struct mm_analysis *analysis,
			    struct mm_second_opinion *out, struct mm_arena *arena,
			    struct mm_error *err)
{
	struct mm_opinion *opinion = &out->answer.opinion;
	size_t length;
	enum mm_status status =
	    mm_pii_unmask(mask, opinion->explanation, strlen(opinion->explanation),
			  &opinion->explanation, &length, NULL, err);
	if (status == MM_OK)
		status = mm_opinion_merge(opinion, facts->text, facts->length, analysis,
					  &out->effect, arena, err);
	if (status == MM_OK && out->effect != MM_OPINION_IGNORED)
		analysis->engine =
		    strcmp(analysis->engine, "rules") == 0 ? "rules+ai" : "rules+model+ai";
	return status;
}

enum mm_status mm_second_opinion_ask(struct mm_runtime *runtime,
				     const struct mm_second_opinion_facts *facts,
				     struct mm_analysis *analysis, struct mm_second_opinion *out,
				     struct mm_arena *arena, struct mm_error *err)
{
	struct mm_pii_mask *mask = mm_pii_mask_new(arena);
	struct mm_pii_masked masked;
	struct mm_error cause = {.status = MM_OK};
	*out = (struct mm_second_opinion){.failure = MM_OK};
	if (!mask)
		return mm_error_cause(err, MM_NO_MEMORY, "second opinion: no memory");
	enum mm_status status = mm_pii_mask_text(mask, facts->text, facts->length, &masked, err);
	if (status != MM_OK)
		return status;
	status = ask(runtime, facts, &masked, analysis, out, arena, &cause);
	if (status == MM_OK)
		return merge(facts, mask, analysis, out, arena, err);
	if (!is_no_opinion(status)) {
		*err = cause;
		return status;
	}
	mm_log(MM_LOG_NOTICE, facts->request_id, "no second opinion: %s", cause.cause);
	out->failure = status;
	return MM_OK;
}

static void write_verdict(struct mm_json_writer *writer, const struct mm_second_opinion *second)
{
	const struct mm_opinion *opinion = &second->answer.opinion;
	mm_json_pair_text(writer, "provider", second->answer.provider);
	mm_json_pair_text(writer, "model", second->answer.model);
	mm_json_pair_bool(writer, "is_harassment", opinion->severity >= MM_SEVERITY_MEDIUM);
	mm_json_pair_text(writer, "severity", mm_severity_name(opinion->severity));
	mm_json_key(writer, "categories");
	mm_categories_write(writer, opinion->categories);
	mm_json_pair_text(writer, "sentiment", mm_sentiment_name(opinion->sentiment));
	mm_json_pair_double(writer, "confidence", opinion->confidence, 3);
	mm_json_pair_text(writer, "explanation", opinion->explanation);
	mm_json_pair_text(writer, "effect", mm_opinion_effect_name(second->effect));
	mm_json_pair_bool(writer, "is_cached", second->is_cached);
	mm_json_pair_i64(writer, "latency_ms", second->answer.latency_ms);
}

void mm_second_opinion_write(struct mm_json_writer *writer, const struct mm_second_opinion *opinion)
{
	if (!opinion) {
		mm_json_write_null(writer);
		return;
	}
	mm_json_object_begin(writer);
	if (opinion->failure == MM_OK)
		write_verdict(writer, opinion);
	else
		mm_json_pair_text(writer, "error", mm_status_code(opinion->failure));
	mm_json_object_end(writer);
}
