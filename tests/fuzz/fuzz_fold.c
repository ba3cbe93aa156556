/* fuzz_fold: libFuzzer over folding, patterns and personal data. A broken invariant is a crash. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "text/fold.h"
#include "text/pii.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_places(const struct mm_folded *folded)
{
	require(mm_utf8_is_valid(folded->text, folded->length, NULL));
	for (size_t i = 0; i < folded->length; i++) {
		require(folded->start[i] < folded->end[i]);
		require(folded->end[i] <= folded->source_code_points);
		require(i == 0 || (folded->start[i - 1] <= folded->start[i] &&
				   folded->end[i - 1] <= folded->end[i]));
	}
}

static void check_spans(const char *text, size_t size, struct mm_arena *arena)
{
	struct mm_pii_span *spans;
	size_t count, before = 0;

	require(mm_pii_find(text, size, &spans, &count, arena, NULL) == MM_OK);
	for (size_t i = 0; i < count; i++) {
		require(before <= spans[i].start && spans[i].start < spans[i].end &&
			spans[i].end <= size);
		before = spans[i].end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mm_arena *arena;
	const char *text = (const char *)data;
	struct mm_folded plain, squeezed;
	char *pattern;

	if (arena == NULL)
		arena = mm_arena_new(0);
	mm_arena_reset(arena);
	mm_fold_pattern(text, size, MM_FOLD_PLAIN, &pattern, arena, NULL);
	mm_fold_pattern(text, size, MM_FOLD_SQUEEZED, &pattern, arena, NULL);
	bool is_valid = mm_utf8_is_valid(text, size, NULL);
	enum mm_status status = mm_fold(text, size, MM_FOLD_PLAIN, &plain, arena, NULL);
	require((status == MM_OK) == is_valid);
	if (status != MM_OK)
		return 0;
	require(mm_fold_squeeze(&plain, &squeezed, arena, NULL) == MM_OK);
	check_places(&plain);
	check_places(&squeezed);
	mm_fold_span_is_changed(&plain, &squeezed, 0, squeezed.length);
	check_spans(text, size, arena);
	return 0;
}
