/* analyze: mamori analyze judges lines of standard input; stores nothing. How it came to a verdict
 * is explain.c's. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "command.h"
#include "explain.h"
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

struct reader {
	struct mm_runtime *runtime;
	struct mm_detector *detector; /* borrowed */
	bool explains;
	struct mm_arena *arena; /* of one line */
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

static bool print_text(const struct mm_buffer *text)
{
	if (!text->has_failed && fwrite(text->data, 1, text->length, stdout) == text->length)
		return true;
	fprintf(stderr, "mamori: analyze: the result could not be written\n");
	return false;
}

/* Judges one line and prints one document, an error's where the line can't be judged. */
static bool print_line(const struct reader *reader, struct mm_buffer *line)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_analysis analysis;
	struct mm_buffer text;
	struct mm_json_writer writer;
	mm_buffer_init(&text, 1024, RESULT_MAX_BYTES, reader->arena);
	mm_json_writer_init(&writer, &text);
	enum mm_status status = check_line(reader->runtime, line, &err);
	if (status == MM_OK && reader->explains)
		status = explain(&text, reader->detector, mm_buffer_text(line), line->length,
				 &analysis, reader->arena, &err);
	else if (status == MM_OK)
		status = mm_detect(reader->detector, mm_buffer_text(line), line->length, NULL,
				   &analysis, reader->arena, &err);
	if (status == MM_OK)
		mm_analysis_write(&writer, &analysis, NULL, mm_clock_utc_ms(reader->runtime->clock),
				  NULL);
	else
		write_error(&writer, status, &err);
	mm_buffer_add_char(&text, '\n');
	return print_text(&text);
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

static int judge_lines(const struct reader *reader)
{
	struct mm_buffer line;
	bool is_written = true;
	mm_buffer_init(&line, 4096, LINE_MAX_BYTES, NULL);
	while (is_written && read_line(stdin, &line)) {
		is_written = print_line(reader, &line);
		mm_arena_reset(reader->arena);
	}
	mm_buffer_free(&line);
	if (ferror(stdin))
		fprintf(stderr, "mamori: analyze: standard input could not be read\n");
	return is_written && !ferror(stdin) ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct reader *reader, struct mm_arena *loans)
{
	struct mm_error err = {.status = MM_OK};
	int code = EXIT_FAILED;
	reader->arena = mm_arena_new(REQUEST_ARENA_BYTES);
	if (!reader->arena ||
	    mm_judge_borrow(reader->runtime->judge, &reader->detector, loans, &err) != MM_OK)
		fprintf(stderr, "mamori: analyze: no memory\n");
	else
		code = judge_lines(reader);
	mm_arena_free(reader->arena);
	return code;
}

int command_analyze(const struct invocation *invocation)
{
	struct reader reader = {.explains = false};
	struct mm_error err = {.status = MM_OK};
	struct mm_arena *loans;
	reader.explains =
	    invocation->count == 1 && strcmp(invocation->arguments[0], "--explain") == 0;
	if (invocation->count > 0 && !reader.explains) {
		fprintf(stderr,
			"mamori: analyze takes --explain or nothing; it reads standard input\n");
		return EXIT_USAGE;
	}
	if (mm_runtime_open(invocation->settings, "mamori", MM_NEED_DETECTOR, &reader.runtime,
			    &err) != MM_OK)
		return command_fail("analyze", &err);
	loans = mm_arena_new(0);
	const int code = loans ? run(&reader, loans) : EXIT_FAILED;
	mm_arena_free(loans);
	mm_runtime_close(reader.runtime);
	return code;
}
