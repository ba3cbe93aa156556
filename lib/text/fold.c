/* fold: the PLAIN view and what both views share. The SQUEEZED view is fold_squeeze.c, patterns are
 * fold_pattern.c, and what each code point becomes is in the generated fold_table.c. */
#include "config.h"

#include "text/fold.h"

#include <string.h>

#include "text/fold_output.h"
#include "text/utf8.h"

enum { KANA_SIZE = 3, HIRAGANA_FIRST = 0x3041, HIRAGANA_LAST = 0x309F };

static const char long_vowel[] = "ー";

struct plain {
	struct mm_fold_output output;
	size_t group;            /* offset of the last character, or group of them, written */
	enum mm_fold_class last; /* class of the last character written */
	uint32_t source;         /* code points read */
	bool has_odd_letters;
	struct mm_arena *arena;
};

bool mm_fold_output_open(struct mm_fold_output *output, size_t capacity, struct mm_arena *arena)
{
	size_t size = capacity + MM_FOLD_LONGEST;
	size_t places = size * sizeof(uint32_t);
	char *memory = mm_arena_alloc(arena, 2 * places + size + 1);

	if (memory == NULL)
		return false;
	output->start = (uint32_t *)(void *)memory;
	output->end = (uint32_t *)(void *)(memory + places);
	output->text = memory + 2 * places;
	output->length = 0;
	output->capacity = capacity;
	return true;
}

void mm_fold_output_close(struct mm_fold_output *output, struct mm_folded *out)
{
	output->text[output->length] = '\0';
	out->text = output->text;
	out->length = output->length;
	out->start = output->start;
	out->end = output->end;
}

/* Moves to memory that is enough for the rest at its greatest growth; happens once at most. */
static bool grow(struct plain *plain, size_t rest)
{
	struct mm_fold_output old = plain->output;

	if (!mm_fold_output_open(&plain->output, old.length + rest * MM_FOLD_EXPANSION,
				 plain->arena))
		return false;
	memcpy(plain->output.text, old.text, old.length);
	memcpy(plain->output.start, old.start, old.length * sizeof(old.start[0]));
	memcpy(plain->output.end, old.end, old.length * sizeof(old.end[0]));
	plain->output.length = old.length;
	return true;
}

/* Writes one character that the code point being read became. */
static inline void add_character(struct plain *plain, const char *bytes, size_t size,
				 enum mm_fold_class class)
{
	plain->group = plain->output.length;
	plain->last = class;
	mm_fold_output_add(&plain->output, bytes, size, plain->source, plain->source + 1);
}

/* The character before reaches up to and with the code point being read. */
static void extend_group(struct plain *plain)
{
	for (size_t i = plain->group; i < plain->output.length; i++)
		plain->output.end[i] = plain->source + 1;
}

static void add_white_space(struct plain *plain, enum mm_fold_class class)
{
	if (plain->last != MM_FOLD_SPACE && plain->last != MM_FOLD_NEWLINE) {
		add_character(plain, class == MM_FOLD_NEWLINE ? "\n" : " ", 1, class);
		return;
	}
	if (class == MM_FOLD_NEWLINE) {
		plain->output.text[plain->group] = '\n';
		plain->last = class;
	}
	extend_group(plain);
}

/* How much must be added to a hiragana to give it the mark; 0 when it cannot take it. */
static uint32_t voiced_step(uint32_t kana, enum mm_fold_class mark)
{
	/* Rows か to と, of which every second one, with っ between ぢ and つ, can be voiced. */
	bool is_ha_row = kana >= 0x306F && kana <= 0x307D && kana % 3 == 0;

	if (mark == MM_FOLD_SEMI_VOICED)
		return is_ha_row ? 2 : 0;
	if (is_ha_row)
		return 1;
	if ((kana >= 0x304B && kana <= 0x3061 && kana % 2 == 1) ||
	    (kana >= 0x3064 && kana <= 0x3068 && kana % 2 == 0) || kana == 0x309D)
		return 1;
	return kana == 0x3046 ? 0x3094 - 0x3046 : 0;
}

/* Voices the kana before; a mark that it cannot take is a mark like any other. */
static void add_voiced_mark(struct plain *plain, enum mm_fold_class mark)
{
	struct mm_fold_output *output = &plain->output;

	if (output->length == 0)
		return;
	if (plain->last == MM_FOLD_KANA) {
		char *kana = output->text + output->length - KANA_SIZE;
		uint32_t code_point = 0;
		mm_utf8_decode(kana, KANA_SIZE, &code_point);
		if (code_point >= HIRAGANA_FIRST && code_point <= HIRAGANA_LAST)
			mm_utf8_encode(code_point + voiced_step(code_point, mark), kana);
	}
	extend_group(plain);
}

/* Writes what a mapping gives, all of it from the one code point being read. */
static void add_mapping(struct plain *plain, const struct mm_fold_mapping *mapping)
{
	struct mm_fold_output *output = &plain->output;
	size_t at = output->length;

	memcpy(output->text + at, mm_fold_bytes + mapping->offset, MM_FOLD_LONGEST);
	for (size_t i = 0; i < mapping->length; i++) {
		output->start[at + i] = plain->source;
		output->end[at + i] = plain->source + 1;
	}
	plain->group = at;
	plain->last = (enum mm_fold_class)mapping->last_class;
	output->length = at + mapping->length;
}

static bool is_after_kana(const struct plain *plain)
{
	return plain->last == MM_FOLD_KANA || plain->last == MM_FOLD_LONG_VOWEL;
}

/* Everything that is neither a character that stays nor a mapping. */
static void add_special(struct plain *plain, enum mm_fold_class class)
{
	switch (class) {
	case MM_FOLD_SPACE:
	case MM_FOLD_NEWLINE:
		add_white_space(plain, class);
		break;
	case MM_FOLD_MARK:
		extend_group(plain);
		break;
	case MM_FOLD_VOICED:
	case MM_FOLD_SEMI_VOICED:
		add_voiced_mark(plain, class);
		break;
	default:
		break;
	}
}

static inline void add_cell(struct plain *plain, uint16_t cell, const char *bytes, size_t size)
{
	const struct mm_fold_mapping *mapping = NULL;

	if (cell >= MM_FOLD_CLASS__MAX)
		mapping = &mm_fold_mappings[cell - MM_FOLD_CLASS__MAX];
	if ((cell == MM_FOLD_DASH || (mapping != NULL && mapping->is_dash)) && is_after_kana(plain))
		add_character(plain, long_vowel, KANA_SIZE, MM_FOLD_LONG_VOWEL);
	else if (mapping != NULL)
		add_mapping(plain, mapping);
	else if (cell < MM_FOLD_SPACE)
		add_character(plain, bytes, size, (enum mm_fold_class)cell);
	else
		add_special(plain, (enum mm_fold_class)cell);
}

/* True when a code point that does not stay makes a letter look other than it is. */
static bool is_odd(const struct plain *plain, uint32_t code_point, uint16_t cell)
{
	if (code_point < 0x80)
		return false;
	if (cell >= MM_FOLD_CLASS__MAX)
		return mm_fold_mappings[cell - MM_FOLD_CLASS__MAX].last_class == MM_FOLD_LATIN;
	return (cell == MM_FOLD_MARK || cell == MM_FOLD_DROP) && plain->last != MM_FOLD_SYMBOL;
}

/* ASCII, kana and kanji are nearly everything: they need no search for how long they are. */
static inline size_t read_code_point(const char *text, size_t length, uint32_t *code_point)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (byte[0] < 0x80) {
		*code_point = byte[0];
		return 1;
	}
	if (length >= 3 && byte[0] >= 0xE1 && byte[0] <= 0xEF && byte[0] != 0xED &&
	    (byte[1] & 0xC0) == 0x80 && (byte[2] & 0xC0) == 0x80) {
		*code_point = (byte[0] & 0x0FU) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU);
		return 3;
	}
	return mm_utf8_decode(text, length, code_point);
}

/* Copies characters that stay as long as they come, which is nearly always, and returns where it
 * stopped. Its state is in local variables: a byte written could be any field of a struct. */
static size_t copy_characters(struct plain *plain, const char *utf8, size_t at, size_t length)
{
	struct mm_fold_output output = plain->output;
	size_t group = plain->group;
	uint32_t source = plain->source, code_point;
	uint16_t last = (uint16_t)plain->last;

	while (at < length && output.length <= output.capacity) {
		size_t size = read_code_point(utf8 + at, length - at, &code_point);
		if (size == 0)
			break;
		uint16_t cell = mm_fold_cell(code_point);
		if (cell >= MM_FOLD_SPACE || cell == MM_FOLD_DASH)
			break;
		group = output.length;
		last = cell;
		mm_fold_output_add(&output, utf8 + at, size, source, source + 1);
		source++;
		at += size;
	}
	plain->output.length = output.length;
	plain->group = group;
	plain->last = (enum mm_fold_class)last;
	plain->source = source;
	return at;
}

static enum mm_status fold_all(struct plain *plain, const char *utf8, size_t length,
			       struct mm_error *err)
{
	for (size_t at = 0; (at = copy_characters(plain, utf8, at, length)) < length;) {
		uint32_t code_point;
		size_t size = read_code_point(utf8 + at, length - at, &code_point);
		if (size == 0)
			return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
					    "text is not valid UTF-8 at byte %zu", at);
		if (plain->output.length > plain->output.capacity && !grow(plain, length - at))
			return mm_error_cause(err, MM_NO_MEMORY, "folding %zu bytes", length);
		uint16_t cell = mm_fold_cell(code_point);
		plain->has_odd_letters |= is_odd(plain, code_point, cell);
		add_cell(plain, cell, utf8 + at, size);
		plain->source++;
		at += size;
	}
	return MM_OK;
}

static enum mm_status fold_plain(const char *utf8, size_t length, struct mm_folded *out,
				 struct mm_arena *arena, struct mm_error *err)
{
	struct plain plain = {.last = MM_FOLD_SYMBOL, .arena = arena};

	if (length >= UINT32_MAX)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "text is too long");
	if (!mm_fold_output_open(&plain.output, length, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "folding %zu bytes", length);
	enum mm_status status = fold_all(&plain, utf8, length, err);
	if (status != MM_OK)
		return status;
	mm_fold_output_close(&plain.output, out);
	out->source_code_points = plain.source;
	out->is_changed = false;
	out->has_odd_letters = plain.has_odd_letters;
	return MM_OK;
}

enum mm_status mm_fold(const char *utf8, size_t length, enum mm_fold_view view,
		       struct mm_folded *out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_folded plain;

	if (view == MM_FOLD_PLAIN)
		return fold_plain(utf8, length, out, arena, err);
	enum mm_status status = fold_plain(utf8, length, &plain, arena, err);
	return status == MM_OK ? mm_fold_squeeze(&plain, out, arena, err) : status;
}

/* The first index whose place is at least (is_after: beyond) the one wanted. */
static size_t find_place(const struct mm_folded *folded, uint32_t place, bool is_after)
{
	size_t low = 0, high = folded->length;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		bool is_before =
		    is_after ? folded->start[middle] <= place : folded->start[middle] < place;
		if (is_before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool mm_fold_span_is_changed(const struct mm_folded *plain, const struct mm_folded *squeezed,
			     size_t start, size_t end)
{
	if (start >= end)
		return false;
	size_t from = find_place(plain, squeezed->start[start], false);
	size_t to = find_place(plain, squeezed->start[end - 1], true);
	return to - from != end - start ||
	       memcmp(plain->text + from, squeezed->text + start, end - start) != 0;
}
