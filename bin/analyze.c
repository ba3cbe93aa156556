/* analyze: mamori analyze judges lines of standard input; stores nothing. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "command.h"
#include "service/analysis_json.h"
#include "service/field.h"
#include "service/runtime.h"
#include "text/utf8.h"

enum {
	LINE_MAX_BYTES =
	    4 * 10000 + 1, /* the longest message there may be, and a carriage return */
	REQUEST_ARENA_BYTES = 64 * 1024 * 1024,
	RESULT_MAX_BYTES = 16 * 1024 * 1024,
};

static enum mm_status check_line(const struct mm_runtime *runtime, struct mm_buffer *line,
				 struct mm_error *err)
{
	const size_t max = (size_t)runtime->settings->server.max_message;
	const struct mm_message message = {.text = mm_buffer_text(line), .length = line->length};
	if (line->has_failed)
		return mm_error_set(err, MM_TOO_LARGE, NULL, "message",
				    "message must have at most %zu characters", max);
	if (memchr(message.text, '\0', message.length) ||
	    !mm_utf8_is_valid(message.text, message.length, NULL))
		return mm_error_set(err, MM_BAD_INPUT, NULL, "message", "message must be UTF-8");
	return mm_field_check_message(&message, max, "message", err);
}

static void write_error(struct mm_json_writer *writer, enum mm_status status,
			const struct mm_error *err)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "error", err->message);
	mm_json_pair_text(writer, "code", err->code ? err->code : mm_status_code(status));
	mm_json_object_end(writer);
}

/* Judges one line and prints one document, an error's where the line can't be judged. */
static bool print_line(struct mm_runtime *runtime, struct mm_buffer *line, struct mm_arena *arena)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_analysis analysis;
	struct mm_buffer text;
	struct mm_json_writer writer;
	mm_buffer_init(&text, 1024, RESULT_MAX_BYTES, arena);
	mm_json_writer_init(&writer, &text);
	enum mm_status status = check_line(runtime, line, &err);
	if (status == MM_OK)
		status = mm_detect(runtime->detector, mm_buffer_text(line), line->length, NULL,
				   &analysis, arena, &err);
	if (status == MM_OK)
		mm_analysis_write(&writer, &analysis, mm_clock_utc_ms(runtime->clock), NULL);
	else
		write_error(&writer, status, &err);
	mm_buffer_add_char(&text, '\n');
	if (text.has_failed || fwrite(text.data, 1, text.length, stdout) != text.length) {
		fprintf(stderr, "mamori: analyze: the result could not be written\n");
		return false;
	}
	return true;
}

/*
 * Reads one line without its end into `line`; false at the end of the input. A line over the
 * buffer's limit is read to its end, and the buffer says that it has failed.
 */
static bool read_line(FILE *in, struct mm_buffer *line)
{
	int byte = getc_unlocked(in);
	if (byte == EOF)
		return false;
	mm_buffer_clear(line);
	for (; byte != EOF && byte != '\n'; byte = getc_unlocked(in))
		mm_buffer_add_char(line, (char)byte);
	if (!line->has_failed && line->length > 0 && line->data[line->length - 1] == '\r')
		line->length--;
	return true;
}

static int judge_lines(struct mm_runtime *runtime, struct mm_arena *arena)
{
	struct mm_buffer line;
	bool is_written = true;
	mm_buffer_init(&line, 4096, LINE_MAX_BYTES, NULL);
	while (is_written && read_line(stdin, &line)) {
		is_written = print_line(runtime, &line, arena);
		mm_arena_reset(arena);
	}
	mm_buffer_free(&line);
	if (ferror(stdin))
		fprintf(stderr, "mamori: analyze: standard input could not be read\n");
	return is_written && !ferror(stdin) ? EXIT_DONE : EXIT_FAILED;
}

int command_analyze(const struct invocation *invocation)
{
	struct mm_runtime *runtime;
	struct mm_error err = {.status = MM_OK};
	if (invocation->count > 0) {
		fprintf(stderr, "mamori: analyze takes no arguments; it reads standard input\n");
		return EXIT_USAGE;
	}
	if (mm_runtime_open(invocation->settings, "mamori", MM_NEED_DETECTOR, &runtime, &err) !=
	    MM_OK)
		return command_fail("analyze", &err);
	struct mm_arena *arena = mm_arena_new(REQUEST_ARENA_BYTES);
	const int code = arena ? judge_lines(runtime, arena) : EXIT_FAILED;
	mm_arena_free(arena);
	mm_runtime_close(runtime);
	return code;
}
