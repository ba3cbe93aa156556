/* fuzz_pii: libFuzzer over masking. Unmasking what was masked must give the text again, unless the
 * text itself has something like a placeholder in it. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/pii_mask.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_spans(const struct mm_pii_masked *masked, size_t size)
{
	size_t before = 0;

	for (size_t i = 0; i < masked->count; i++) {
		require(before <= masked->spans[i].start);
		require(masked->spans[i].start < masked->spans[i].end);
		require(masked->spans[i].end <= size);
		before = masked->spans[i].end;
	}
	require(mm_utf8_is_valid(masked->text, masked->length, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mm_arena *arena;
	const char *text = (const char *)data, *back;
	struct mm_pii_masked masked, again;
	size_t length;

	if (arena == NULL)
		arena = mm_arena_new(0);
	mm_arena_reset(arena);
	struct mm_pii_mask *mask = mm_pii_mask_new(arena);
	require(mask != NULL);
	bool is_valid = mm_utf8_is_valid(text, size, NULL);
	enum mm_status status = mm_pii_mask_text(mask, text, size, &masked, NULL);
	require((status == MM_OK) == is_valid);
	if (status != MM_OK)
		return 0;
	check_spans(&masked, size);
	require(mm_pii_unmask(mask, masked.text, masked.length, &back, &length, NULL, NULL) ==
		MM_OK);
	if (memchr(text, '_', size) == NULL)
		require(length == size && memcmp(back, text, size) == 0);
	require(mm_pii_mask_text(mask, text, size, &again, NULL) == MM_OK);
	require(again.length == masked.length &&
		memcmp(again.text, masked.text, again.length) == 0);
	return 0;
}

#include "replay.h"
