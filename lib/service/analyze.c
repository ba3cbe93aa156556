/* analyze: reads the request, detects, writes the answer and the record; speaks no HTTP. */
#include "config.h"

#include "service/analyze.h"

#include "service/analysis_json.h"
#include "service/field.h"
#include "service/past.h"
#include "service/second_opinion.h"

enum { RECORD_MAX_BYTES = 64 * 1024 * 1024 };

/* One request under way. */
struct job {
	struct mm_runtime *runtime;
	struct mm_detector *detector;
	const struct mm_analyze_request *request;
	struct mm_message *messages;
	size_t count;
	bool is_batch;
	bool has_conversation;
	bool uses_ai;
	char conversation[MM_ID_TEXT];
	struct mm_past past;
	int64_t now_utc_ms;
	int64_t deadline_mono_ms; /* of the opinions */
	struct mm_id record_id;
	struct mm_json_writer *answer;
	struct mm_json_writer *record;
	struct mm_arena *arena;
};

static enum mm_status read_batch(struct job *job, struct json_object *array, struct mm_error *err)
{
	const size_t count = json_object_array_length(array);
	const size_t max = (size_t)job->runtime->settings->server.max_batch;
	if (count == 0 || count > max)
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "messages",
				    "messages must have 1 to %zu items", max);
	job->messages = mm_arena_array(job->arena, count, sizeof *job->messages);
	if (!job->messages)
		return mm_error_cause(err, MM_NO_MEMORY, "analyze: no memory for the batch");
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		char field[32];
		snprintf(field, sizeof field, "messages[%zu]", i);
		if (!json_object_is_type(item, json_type_string))
			return mm_error_set(err, MM_BAD_INPUT, "invalid_field", field,
					    "%s must be a string", field);
		job->messages[i] =
		    (struct mm_message){.text = json_object_get_string(item),
					.length = (size_t)json_object_get_string_len(item)};
		const enum mm_status status = mm_field_check_message(
		    &job->messages[i], (size_t)job->runtime->settings->server.max_message, field,
		    err);
		if (status != MM_OK)
			return status;
	}
	job->count = count;
	job->is_batch = true;
	return MM_OK;
}

static enum mm_status read_one(struct job *job, struct json_object *body, struct mm_error *err)
{
	const size_t max = (size_t)job->runtime->settings->server.max_message;
	job->messages = mm_arena_array(job->arena, 1, sizeof *job->messages);
	if (!job->messages)
		return mm_error_cause(err, MM_NO_MEMORY, "analyze: no memory for the message");
	job->count = 1;
	const enum mm_status status = mm_field_message(body, max, &job->messages[0], err);
	return status == MM_OK ? mm_field_history(body, max, &job->past, job->arena, err) : status;
}

static enum mm_status read_messages(struct job *job, struct json_object *body, struct mm_error *err)
{
	struct json_object *batch;
	const enum mm_status status = mm_json_array(body, "messages", false, &batch, err);
	if (status != MM_OK)
		return status;
	if (!batch)
		return read_one(job, body, err);
	if (json_object_object_get(body, "message"))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", "messages",
				    "message and messages exclude each other");
	return read_batch(job, batch, err);
}

static enum mm_status read_request(struct job *job, struct json_object *body, struct mm_error *err)
{
	struct mm_id conversation;
	if (!json_object_is_type(body, json_type_object))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "the body must be a JSON object");
	enum mm_status status = read_messages(job, body, err);
	if (status == MM_OK)
		status = mm_field_conversation_id(body, &conversation, &job->has_conversation, err);
	if (status == MM_OK)
		status = mm_json_bool(body, "use_ai", false, &job->uses_ai, err);
	if (status == MM_OK && job->has_conversation)
		mm_id_format(&conversation, job->conversation);
	return status;
}

static void write_record(struct job *job, const struct mm_message *message, const char *id,
			 const struct mm_analysis *analysis)
{
	struct mm_json_writer *writer = job->record;
	const struct mm_harassment *harassment = &analysis->harassment;
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "id", id);
	mm_json_pair_i64(writer, "at", job->now_utc_ms);
	mm_json_pair_text(writer, "conversation_id",
			  job->has_conversation ? job->conversation : NULL);
	mm_json_pair_text(writer, "request_id", job->request->request_id);
	mm_json_pair_bytes(writer, "text", message->text, message->length);
	mm_json_pair_text(writer, "severity", mm_severity_name(harassment->severity));
	mm_json_key(writer, "categories");
	mm_categories_write(writer, harassment->categories);
	mm_json_pair_double(writer, "confidence", harassment->confidence, 3);
	mm_json_pair_text(writer, "sentiment", mm_sentiment_name(analysis->sentiment.sentiment));
	mm_json_pair_text(writer, "risk", mm_severity_name(analysis->combined_risk));
	mm_json_key(writer, "signals");
	mm_signals_write(writer, analysis->signals);
	mm_json_key(writer, "findings");
	mm_findings_write(writer, harassment);
	mm_json_pair_text(writer, "engine", analysis->engine);
	mm_json_object_end(writer);
}

/* Asks only who asked for it, and where there is a provider; else *out is NULL. */
static enum mm_status ask_model(const struct job *job, const struct mm_message *message,
				struct mm_analysis *analysis, const struct mm_second_opinion **out,
				struct mm_error *err)
{
	const struct mm_second_opinion_facts facts = {
	    .text = message->text,
	    .length = message->length,
	    .language = mm_language_of(message->text, message->length),
	    .request_id = job->request->request_id,
	    .deadline_mono_ms = job->deadline_mono_ms};
	struct mm_second_opinion *opinion;
	*out = NULL;
	if (!job->uses_ai || !mm_second_opinion_is_possible(job->runtime))
		return MM_OK;
	opinion = mm_arena_zalloc(job->arena, sizeof *opinion);
	if (!opinion)
		return mm_error_cause(err, MM_NO_MEMORY, "analyze: no memory for an opinion");
	*out = opinion;
	return mm_second_opinion_ask(job->runtime, &facts, analysis, opinion, job->arena, err);
}

static enum mm_status judge(struct job *job, size_t index, struct mm_error *err)
{
	const struct mm_message *message = &job->messages[index];
	const struct mm_second_opinion *opinion = NULL;
	struct mm_analysis analysis;
	struct mm_id id;
	char id_text[MM_ID_TEXT];
	enum mm_status status =
	    mm_detect(job->detector, message->text, message->length,
		      job->past.count > 0 ? &job->past : NULL, &analysis, job->arena, err);
	if (status == MM_OK)
		status = ask_model(job, message, &analysis, &opinion, err);
	if (status == MM_OK)
		status = mm_id_next(job->runtime->ids, &id);
	if (status != MM_OK)
		return status;
	if (index == 0)
		job->record_id = id;
	mm_id_format(&id, id_text);
	mm_analysis_write(job->answer, &analysis, opinion, job->now_utc_ms, id_text);
	if (job->record && index > 0)
		mm_buffer_add_char(job->record->out, ',');
	if (job->record)
		write_record(job, message, id_text, &analysis);
	return MM_OK;
}

static enum mm_status judge_all(struct job *job, struct mm_error *err)
{
	enum mm_status status = MM_OK;
	if (job->is_batch) {
		mm_json_object_begin(job->answer);
		mm_json_key(job->answer, "results");
		mm_json_array_begin(job->answer);
	}
	for (size_t i = 0; i < job->count && status == MM_OK; i++)
		status = judge(job, i, err);
	if (job->is_batch) {
		mm_json_array_end(job->answer);
		mm_json_object_end(job->answer);
	}
	return status;
}

static enum mm_status keep(struct job *job, struct mm_error *err)
{
	const struct mm_buffer *json = job->record->out;
	/* What cannot be answered is not kept: the 503 says that nothing was accepted. */
	if (json->has_failed || job->answer->out->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY,
				      "analyze: no memory for the record or the answer");
	const struct mm_record record = {.kind = MM_RECORD_ANALYSIS,
					 .id = job->record_id,
					 .json = json->data,
					 .length = json->length};
	return mm_keep(job->runtime, &record, job->request->deferral, NULL, job->arena, err);
}

/* All opinions of a request come within one deadline. A model takes seconds: others go on. */
static void prepare_to_ask(struct job *job)
{
	const struct mm_deferral *deferral = job->request->deferral;
	if (!job->uses_ai || !mm_second_opinion_is_possible(job->runtime))
		return;
	job->deadline_mono_ms =
	    mm_clock_mono_ms(job->runtime->clock) + job->runtime->settings->ai.deadline_ms;
	if (deferral && deferral->will_wait)
		deferral->will_wait(deferral->context);
}

enum mm_status mm_analyze(struct mm_runtime *runtime, const struct mm_analyze_request *request,
			  struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_buffer record_text;
	struct mm_json_writer answer, record;
	struct job job = {.runtime = runtime,
			  .request = request,
			  .now_utc_ms = mm_clock_utc_ms(runtime->clock),
			  .answer = &answer,
			  .arena = arena};
	enum mm_status status = read_request(&job, request->body, err);
	if (status != MM_OK)
		return status;
	job.past.now_utc_ms = job.now_utc_ms;
	prepare_to_ask(&job);
	mm_json_writer_init(&answer, out);
	if (runtime->journal) {
		mm_buffer_init(&record_text, 1024, RECORD_MAX_BYTES, arena);
		mm_json_writer_init(&record, &record_text);
		job.record = &record;
	}
	status = mm_judge_borrow(runtime->judge, &job.detector, arena, err);
	if (status == MM_OK)
		status = mm_past_judge(job.detector, &job.past, arena, err);
	if (status == MM_OK)
		status = judge_all(&job, err);
	return status == MM_OK && runtime->journal ? keep(&job, err) : status;
}
