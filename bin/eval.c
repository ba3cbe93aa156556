/* eval: mamori eval judges labelled messages and says how often the verdicts are right. */
#include "config.h"

#include "eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "command.h"
#include "service/runtime.h"

enum { WORST_MAX = 1000, REQUEST_ARENA_BYTES = 64 * 1024 * 1024, REPORT_MAX_BYTES = 1024 * 1024 };

enum split { SPLIT_ALL, SPLIT_TEST, SPLIT_TRAIN };

/* A wrong verdict, for the list of the worst. */
struct mistake {
	double confidence;
	char *text; /* what should have been, what was said, and the message */
};

struct options {
	enum split split;
	size_t worst;
	bool is_json;
	int first_file;
};

/* One file being judged. */
struct judging {
	struct mm_detector *detector;
	const struct options *options;
	const char *path;
	struct mm_columns columns;
	struct figures figures;
	struct mistake *mistakes; /* the worst, worst first; options->worst at most */
	size_t mistake_count;
	struct mm_arena *arena; /* of one row */
};

static int fail_usage(const char *what)
{
	fprintf(stderr, "mamori: eval: %s\n", what);
	return EXIT_USAGE;
}

static bool read_split(const char *name, enum split *out)
{
	static const char *const names[] = {"all", "test", "train"};

	for (int i = 0; name && i < 3; i++)
		if (strcmp(name, names[i]) == 0) {
			*out = (enum split)i;
			return true;
		}
	return false;
}

static int read_options(const struct invocation *invocation, struct options *out)
{
	int i = 0;

	for (; i < invocation->count && strncmp(invocation->arguments[i], "--", 2) == 0; i++) {
		const char *name = invocation->arguments[i];
		const char *value = i + 1 < invocation->count ? invocation->arguments[i + 1] : NULL;
		int64_t worst;

		if (strcmp(name, "--json") == 0) {
			out->is_json = true;
			continue;
		}
		i++;
		if (strcmp(name, "--split") == 0) {
			if (!read_split(value, &out->split))
				return fail_usage("--split is all, test or train");
		} else if (strcmp(name, "--worst") == 0) {
			if (!value ||
			    !mm_number_parse_i64(value, strlen(value), 0, WORST_MAX, &worst))
				return fail_usage("--worst is a number from 0 to 1000");
			out->worst = (size_t)worst;
		} else {
			return fail_usage("the options are --split, --worst and --json");
		}
	}
	out->first_file = i;
	return i < invocation->count ? EXIT_DONE : fail_usage("which files?");
}

static const char *label_of(const struct mm_labelled *row)
{
	if (row->has_severity)
		return mm_severity_name(row->severity);
	return row->is_harassment ? "toxic" : "ok";
}

static char *describe(const struct mm_labelled *row, const struct mm_analysis *analysis)
{
	const struct mm_harassment *verdict = &analysis->harassment;
	char *text = NULL;
	const int length =
	    asprintf(&text, "%s, not %s (%.3f): %s", label_of(row),
		     mm_severity_name(verdict->severity), verdict->confidence, row->text);

	for (int i = 0; i < length; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	return length < 0 ? NULL : text;
}

/* Keeps a mistake among the worst, in their order. */
static void keep_mistake(struct judging *judging, const struct mm_labelled *row,
			 const struct mm_analysis *analysis)
{
	struct mistake mistake = {.confidence = analysis->harassment.confidence};
	size_t at = judging->mistake_count, most = judging->options->worst;

	while (at > 0 && judging->mistakes[at - 1].confidence < mistake.confidence)
		at--;
	if (at >= most)
		return;
	mistake.text = describe(row, analysis);
	if (!mistake.text)
		return;
	if (judging->mistake_count == most)
		free(judging->mistakes[--judging->mistake_count].text);
	memmove(judging->mistakes + at + 1, judging->mistakes + at,
		(judging->mistake_count - at) * sizeof(mistake));
	judging->mistakes[at] = mistake;
	judging->mistake_count++;
}

static bool is_asked_for(const struct judging *judging, const struct mm_labelled *row)
{
	return judging->options->split == SPLIT_ALL || judging->columns.is_list ||
	       mm_labelled_is_test(row) == (judging->options->split == SPLIT_TEST);
}

static enum mm_status judge_line(struct judging *judging, const char *line, size_t length,
				 struct mm_error *err)
{
	struct mm_labelled row;
	struct mm_analysis analysis;
	bool is_header = false;
	enum mm_status status = MM_OK;

	if (judging->columns.count == 0)
		status = mm_columns_read(line, length, &judging->columns, &is_header, err);
	if (status != MM_OK || is_header)
		return status;
	status = mm_labelled_read(&judging->columns, line, length, &row, judging->arena, err);
	if (status != MM_OK || !is_asked_for(judging, &row))
		return status;
	status = mm_detect(judging->detector, row.text, row.length, NULL, &analysis, judging->arena,
			   err);
	if (status != MM_OK)
		return status;
	figures_add(&judging->figures, &row, &analysis);
	if ((row.has_severity || row.is_toxic_known) &&
	    analysis.harassment.is_harassment != row.is_harassment)
		keep_mistake(judging, &row, &analysis);
	return MM_OK;
}

static enum mm_status judge_lines(struct judging *judging, FILE *file, struct mm_error *err)
{
	enum mm_status status = MM_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	unsigned number = 0;

	while (status == MM_OK && (length = getline(&line, &room, file)) > 0) {
		length -= line[length - 1] == '\n';
		number++;
		status = judge_line(judging, line, (size_t)length, err);
		mm_arena_reset(judging->arena);
	}
	if (status != MM_OK)
		fprintf(stderr, "mamori: eval: %s:%u: %s\n", judging->path, number,
			err->cause[0] ? err->cause : err->message);
	free(line);
	return status;
}

static bool judge_file(struct judging *judging)
{
	struct mm_error err = {.status = MM_OK};
	FILE *file = fopen(judging->path, "re");

	if (!file) {
		fprintf(stderr, "mamori: eval: %s cannot be read\n", judging->path);
		return false;
	}
	const bool is_done = judge_lines(judging, file, &err) == MM_OK && !ferror(file);
	fclose(file);
	return is_done;
}

static void print_json(const struct judging *judging)
{
	struct mm_buffer text;
	struct mm_json_writer writer;

	mm_buffer_init(&text, 4096, REPORT_MAX_BYTES, NULL);
	mm_json_writer_init(&writer, &text);
	report_json(&writer, judging->path, &judging->figures);
	mm_buffer_add_char(&text, '\n');
	fwrite(text.data, 1, text.length, stdout);
	mm_buffer_free(&text);
}

static void print_report(const struct judging *judging)
{
	if (judging->options->is_json) {
		print_json(judging);
		return;
	}
	report_text(stdout, judging->path, &judging->figures);
	for (size_t i = 0; i < judging->mistake_count; i++)
		printf("  worst: %s\n", judging->mistakes[i].text);
}

static bool evaluate(struct mm_detector *detector, const struct options *options, const char *path,
		     struct mm_arena *arena)
{
	struct judging judging = {
	    .detector = detector, .options = options, .path = path, .arena = arena};

	judging.mistakes = calloc(options->worst + 1, sizeof(*judging.mistakes));
	const bool is_done = judging.mistakes && judge_file(&judging);
	if (is_done)
		print_report(&judging);
	for (size_t i = 0; i < judging.mistake_count; i++)
		free(judging.mistakes[i].text);
	free(judging.mistakes);
	return is_done;
}

int command_eval(const struct invocation *invocation)
{
	struct options options = {.split = SPLIT_ALL};
	struct mm_runtime *runtime;
	struct mm_error err = {.status = MM_OK};
	int code = read_options(invocation, &options);

	if (code != EXIT_DONE)
		return code;
	if (mm_runtime_open(invocation->settings, "mamori", MM_NEED_DETECTOR, &runtime, &err) !=
	    MM_OK)
		return command_fail("eval", &err);
	struct mm_arena *arena = mm_arena_new(REQUEST_ARENA_BYTES);
	struct mm_arena *loans = mm_arena_new(0);
	struct mm_detector *detector = NULL;
	if (!loans || mm_judge_borrow(runtime->judge, &detector, loans, &err) != MM_OK)
		code = command_fail("eval", &err);
	for (int i = options.first_file; i < invocation->count && code == EXIT_DONE; i++)
		if (!arena || !evaluate(detector, &options, invocation->arguments[i], arena))
			code = EXIT_FAILED;
	mm_arena_free(arena);
	mm_arena_free(loans);
	mm_runtime_close(runtime);
	return code;
}
