/*
 * ask: puts one question to the chain of mamori.conf and prints what came of it as JSON, for tests
 * of what chat does not use: deltas, stopping, answers by a schema.
 *
 * usage: ask [--deltas | --stop-after BYTES | --score] TEXT
 *   --deltas      prints a line {"delta": …} for each part, {"void": true} when they are void
 *   --stop-after  the same, and stops once so many bytes have come
 *   --score       wants {"score": 0 to 1} by a schema, and accepts nothing else
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ai/chain.h"
#include "base/data_path.h"
#include "text/json.h"
#include "text/json_writer.h"

struct asking {
	size_t stop_after; /* 0: never */
	size_t bytes;
	struct mm_arena *arena;
};

static void print(struct mm_buffer *line)
{
	printf("%s\n", mm_buffer_text(line));
	fflush(stdout);
	mm_buffer_free(line);
}

static bool print_delta(void *context, const char *text, size_t length)
{
	struct asking *asking = context;
	struct mm_buffer line;
	struct mm_json_writer writer;
	mm_buffer_init(&line, 256, 0, NULL);
	mm_json_writer_init(&writer, &line);
	mm_json_object_begin(&writer);
	if (text)
		mm_json_pair_bytes(&writer, "delta", text, length);
	else
		mm_json_pair_bool(&writer, "void", true);
	mm_json_object_end(&writer);
	print(&line);
	asking->bytes += length;
	return asking->stop_after == 0 || asking->bytes < asking->stop_after;
}

static bool is_score(void *context, const char *text, size_t length)
{
	struct asking *asking = context;
	struct json_object *document;
	double score;
	return mm_json_parse(text, length, NULL, &document, asking->arena, NULL) == MM_OK &&
	       mm_json_double(document, "score", true, 0, &score, NULL) == MM_OK && score >= 0 &&
	       score <= 1;
}

static void write_tried(struct mm_json_writer *writer, const struct mm_ai_reply *reply)
{
	mm_json_key(writer, "tried");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < reply->tried_count; i++)
		mm_json_write_text(writer, mm_fault_name(reply->tried[i].fault));
	mm_json_array_end(writer);
}

static void print_reply(enum mm_status status, const struct mm_ai_reply *reply,
			const struct mm_error *err)
{
	struct mm_buffer line;
	struct mm_json_writer writer;
	mm_buffer_init(&line, 1024, 0, NULL);
	mm_json_writer_init(&writer, &line);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "status", mm_status_code(status));
	mm_json_pair_text(&writer, "cause", err->cause);
	if (status == MM_OK) {
		mm_json_pair_text(&writer, "text", reply->text);
		mm_json_pair_text(&writer, "provider", reply->provider);
		mm_json_pair_text(&writer, "outcome", mm_ai_outcome_name(reply->outcome));
		mm_json_pair_i64(&writer, "latency_ms", reply->latency_ms);
		write_tried(&writer, reply);
	}
	mm_json_object_end(&writer);
	print(&line);
}

static bool read_option(int count, char **arguments, struct mm_ai_request *request,
			struct asking *asking)
{
	const char *option = count > 2 ? arguments[1] : "";
	if (strcmp(option, "--stop-after") == 0 && count == 4)
		asking->stop_after = strtoul(arguments[2], NULL, 10);
	if (strcmp(option, "--deltas") == 0 || asking->stop_after > 0)
		request->watcher.on_delta = print_delta;
	if (strcmp(option, "--score") == 0) {
		request->watcher.accept = is_score;
		request->schema = "{\"type\":\"object\",\"properties\":{\"score\":"
				  "{\"type\":\"number\"}},\"required\":[\"score\"],"
				  "\"additionalProperties\":false}";
	}
	return count > 1;
}

static enum mm_status ask(const struct mm_settings *settings, const struct mm_ai_request *request,
			  struct mm_ai_reply *reply, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_replies *replies = NULL;
	struct mm_chain *chain = NULL;
	enum mm_status status =
	    mm_replies_load(mm_data_path(settings->ai.replies_file, arena), &replies, err);
	const struct mm_chain_options options = {
	    .settings = settings, .app = "ask", .replies = replies, .clock = &mm_clock_system};
	if (status == MM_OK)
		status = mm_chain_open(&options, &chain, err);
	if (status == MM_OK) {
		const struct mm_provider provider = mm_chain_provider(chain);
		status = provider.reply(provider.self, request, reply, arena, err);
	}
	mm_chain_close(chain);
	mm_replies_free(replies);
	return status;
}

int main(int count, char **arguments)
{
	const struct mm_analysis analysis = {.signals = 0};
	struct mm_arena *arena = mm_arena_new(0);
	struct asking asking = {.arena = arena};
	struct mm_ai_request request = {.analysis = &analysis, .watcher = {.context = &asking}};
	struct mm_ai_reply reply = {.text = ""};
	struct mm_settings settings;
	struct mm_error err = {.status = MM_OK};
	if (!arena || !read_option(count, arguments, &request, &asking)) {
		fprintf(stderr, "usage: ask [--deltas | --stop-after BYTES | --score] TEXT\n");
		return 2;
	}
	request.text = arguments[count - 1];
	request.length = strlen(request.text);
	request.language = mm_language_of(request.text, request.length);
	enum mm_status status = mm_settings_load(getenv("MAMORI_CONF"), &settings, arena, &err);
	if (status == MM_OK)
		status = ask(&settings, &request, &reply, arena, &err);
	if (status != MM_OK && err.message[0] && !err.cause[0])
		fprintf(stderr, "%s\n", err.message);
	print_reply(status, &reply, &err);
	mm_arena_free(arena);
	return 0;
}
