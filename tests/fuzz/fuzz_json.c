/* fuzz_json: libFuzzer over the JSON reader and writer. What is read and written again must be read
 * again, and equal. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/json.h"
#include "text/json_writer.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a document that json-c printed once more. Infinity in it would be refused. */
static void check_again(struct json_object *document, struct mm_arena *arena)
{
	const char *printed = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
	struct json_object *again;

	if (mm_json_parse(printed, strlen(printed), NULL, &again, arena, NULL) != MM_OK ||
	    !json_object_equal(document, again))
		abort();
}

/* Writes any valid text as a string, which must come back. */
static void check_string(const char *text, size_t size, struct mm_arena *arena)
{
	struct mm_buffer buffer;
	struct mm_json_writer writer;
	struct json_object *back;

	if (!mm_utf8_is_valid(text, size, NULL) || memchr(text, '\0', size) != NULL)
		return;
	mm_buffer_init(&buffer, 0, 0, arena);
	mm_json_writer_init(&writer, &buffer);
	mm_json_write_bytes(&writer, text, size);
	if (mm_json_parse(buffer.data, buffer.length, NULL, &back, arena, NULL) != MM_OK ||
	    (size_t)json_object_get_string_len(back) != size ||
	    memcmp(json_object_get_string(back), text, size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mm_arena *arena;
	const struct mm_json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32};
	const char *text = (const char *)data;
	struct json_object *document;
	struct mm_error error;

	if (arena == NULL)
		arena = mm_arena_new(0);
	mm_arena_reset(arena);
	if (mm_json_parse(text, size, &limits, &document, arena, &error) == MM_OK)
		check_again(document, arena);
	else if (!mm_utf8_is_valid(error.message, strlen(error.message), NULL))
		abort();
	if (size > 0)
		check_string(text, size, arena);
	return 0;
}
