/* fuzz_rules.c: any bytes as a rule file, and as a table of disguises: it is refused with a reason, or it becomes a detector that
 * works. Whether a refusal is right is for tests/unit/test_rules. */
#include "config.h"

#include <string.h>

#include "detect/detector.h"
#include "detect/rules_internal.h"
#include "replay.h"

enum { LINE_MAX_BYTES = 400, MEMORY_MAX = 64 << 20 };

static const char message[] =
    "お前を殺すぞ！バ・カ。ORD-12345 が届きません、abc \n死ねと言われました?";

/* Huge lines only make vectorscan slow. */
static int has_long_line(const uint8_t *data, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		length = data[i] == '\n' ? 0 : length + 1;
		if (length > LINE_MAX_BYTES)
			return 1;
	}
	return 0;
}

/* The same bytes as a table. What a refused one has brought in until then is used too. */
static enum mm_status read_table(struct mm_rules *rules, const uint8_t *data, size_t size,
				 struct mm_error *err)
{
	enum mm_status status = mm_rewrites_new(&rules->rewrites, err);

	if (status != MM_OK)
		return status;
	status = mm_rewrites_parse(rules->rewrites, "fuzz.disguise", (const char *)data, size, err);
	if (status == MM_BAD_INPUT && err->message[0] == '\0')
		abort();
	*err = (struct mm_error){.status = MM_OK};
	return mm_rewrites_finish(rules->rewrites, err);
}

static void detect_once(struct mm_rules *rules)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_detector *detector;
	struct mm_analysis analysis;

	if (mm_detector_new(rules, &detector, NULL) != MM_OK)
		abort();
	if (mm_detect(detector, message, strlen(message), NULL, &analysis, arena, NULL) != MM_OK)
		abort();
	mm_detector_free(detector);
	mm_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *scratch = mm_arena_new(MEMORY_MAX);
	struct mm_rules *rules = calloc(1, sizeof(*rules));
	struct mm_view_source sources[MM_VIEWS] = {{.needles = NULL}};
	struct mm_error err = {.status = MM_OK};
	struct mm_draft draft;
	enum mm_status status;

	if (!scratch || !rules || has_long_line(data, size)) {
		mm_arena_free(scratch);
		free(rules);
		return 0;
	}
	rules->arena = mm_arena_new(MEMORY_MAX);
	status = read_table(rules, data, size, &err);
	if (status == MM_OK)
		status = mm_rules_parse("fuzz.rules", (const char *)data, size, false, &draft,
					rules->arena, scratch, &err);
	if (status == MM_OK)
		status = mm_rules_build(&draft, rules, sources, scratch, &err);
	if (status == MM_OK)
		status = mm_rules_database(rules, sources, NULL, false, &err);
	if (status == MM_BAD_INPUT && err.message[0] == '\0')
		abort();
	for (int view = 0; view < MM_VIEWS; view++)
		mm_intern_free(&sources[view].parts);
	mm_arena_free(scratch);
	if (status == MM_OK)
		detect_once(rules);
	else
		mm_rules_free(rules);
	return 0;
}
