/* pii_mask: numbers the values and rewrites texts; what personal data is, pii decides. */
#include "config.h"

#include "text/pii_mask.h"

#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "text/utf8.h"

enum { SLOTS_FIRST = 32, NUMBER_MAX = 999999 };

struct value {
	const char *text;
	size_t length;
	uint32_t hash;
	enum mm_pii_kind kind;
	unsigned number; /* from 1, per kind */
};

struct mm_pii_mask {
	struct mm_arena *arena;
	struct value **slots; /* open addressing, at most half full */
	size_t slot_count, count;
	unsigned numbers[MM_PII__MAX];
	struct value **by_number[MM_PII__MAX]; /* grows by doubling */
};

struct mm_pii_mask *mm_pii_mask_new(struct mm_arena *arena)
{
	struct mm_pii_mask *mask = mm_arena_zalloc(arena, sizeof(*mask));

	if (mask == NULL)
		return NULL;
	mask->arena = arena;
	mask->slot_count = SLOTS_FIRST;
	mask->slots = mm_arena_array(arena, SLOTS_FIRST, sizeof(*mask->slots));
	return mask->slots == NULL ? NULL : mask;
}

/* FNV-1a, begun with the kind. */
static uint32_t hash_of(enum mm_pii_kind kind, const char *text, size_t length)
{
	uint32_t hash = 2166136261u ^ (uint32_t)kind;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

/* The slot of a value, or the empty one where it belongs. */
static struct value **slot_of(struct value **slots, size_t count, uint32_t hash,
			      enum mm_pii_kind kind, const char *text, size_t length)
{
	size_t at = hash & (count - 1);

	for (; slots[at] != NULL; at = (at + 1) & (count - 1))
		if (slots[at]->hash == hash && slots[at]->kind == kind &&
		    slots[at]->length == length && memcmp(slots[at]->text, text, length) == 0)
			break;
	return &slots[at];
}

static bool grow_slots(struct mm_pii_mask *mask)
{
	size_t count = mask->slot_count * 2;
	struct value **slots;

	if ((mask->count + 1) * 2 <= mask->slot_count)
		return true;
	slots = mm_arena_array(mask->arena, count, sizeof(struct value *));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < mask->slot_count; i++) {
		struct value *value = mask->slots[i];
		if (value != NULL)
			*slot_of(slots, count, value->hash, value->kind, value->text,
				 value->length) = value;
	}
	mask->slots = slots;
	mask->slot_count = count;
	return true;
}

/* Makes room for one more number of a kind: the array doubles whenever it holds a power of two. */
static bool grow_numbers(struct mm_pii_mask *mask, enum mm_pii_kind kind)
{
	size_t count = mask->numbers[kind];
	struct value **larger;

	if ((count & (count - 1)) != 0)
		return true;
	larger = mm_arena_array(mask->arena, count == 0 ? 1 : count * 2, sizeof(struct value *));
	if (larger == NULL)
		return false;
	if (count > 0)
		memcpy(larger, mask->by_number[kind], count * sizeof(*larger));
	mask->by_number[kind] = larger;
	return true;
}

/* The value of a span, numbered when it is seen first; NULL when out of memory. */
static const struct value *take_value(struct mm_pii_mask *mask, enum mm_pii_kind kind,
				      const char *text, size_t length)
{
	uint32_t hash = hash_of(kind, text, length);

	if (!grow_slots(mask))
		return NULL;
	struct value **slot = slot_of(mask->slots, mask->slot_count, hash, kind, text, length);
	if (*slot != NULL)
		return *slot;
	struct value *value = mm_arena_zalloc(mask->arena, sizeof(*value));
	const char *copy = mm_arena_strndup(mask->arena, text, length);
	if (value == NULL || copy == NULL || !grow_numbers(mask, kind))
		return NULL;
	mask->by_number[kind][mask->numbers[kind]] = value;
	*value = (struct value){.text = copy,
				.length = length,
				.hash = hash,
				.kind = kind,
				.number = ++mask->numbers[kind]};
	mask->count++;
	*slot = value;
	return value;
}

static void add_placeholder(struct mm_buffer *buffer, const struct value *value)
{
	mm_buffer_add_char(buffer, '[');
	for (const char *name = mm_pii_kind_name(value->kind); *name != '\0'; name++)
		mm_buffer_add_char(
		    buffer, *name >= 'a' && *name <= 'z' ? (char)(*name - ('a' - 'A')) : *name);
	mm_buffer_printf(buffer, "_%u]", value->number);
}

enum mm_status mm_pii_mask_text(struct mm_pii_mask *mask, const char *text, size_t length,
				struct mm_pii_masked *out, struct mm_error *err)
{
	struct mm_pii_span *spans;
	struct mm_buffer buffer;
	size_t count, at = 0;
	enum mm_status status = mm_pii_find(text, length, &spans, &count, mask->arena, err);

	if (status != MM_OK)
		return status;
	mm_buffer_init(&buffer, length + 32, 0, mask->arena);
	for (size_t i = 0; i < count && !buffer.has_failed; i++) {
		const struct value *value = take_value(mask, spans[i].kind, text + spans[i].start,
						       spans[i].end - spans[i].start);
		mm_buffer_add(&buffer, text + at, spans[i].start - at);
		if (value == NULL)
			buffer.has_failed = true;
		else
			add_placeholder(&buffer, value);
		at = spans[i].end;
	}
	mm_buffer_add(&buffer, text + at, length - at);
	if (buffer.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "masking personal data");
	*out = (struct mm_pii_masked){mm_buffer_text(&buffer), buffer.length, spans, count};
	return MM_OK;
}

/* Length of an opening or closing bracket at a place, else 0. */
static size_t bracket_at(const char *text, size_t length, bool is_opening)
{
	static const char *const brackets[2][3] = {{"]", "］", "】"}, {"[", "［", "【"}};

	for (size_t i = 0; i < 3; i++) {
		size_t size = strlen(brackets[is_opening][i]);
		if (size <= length && memcmp(text, brackets[is_opening][i], size) == 0)
			return size;
	}
	return 0;
}

/* Length of the kind's name and its _ at a place, without case; else 0. */
static size_t name_at(const char *text, size_t length, enum mm_pii_kind kind)
{
	const char *name = mm_pii_kind_name(kind);
	size_t size = strlen(name);

	if (length <= size || text[size] != '_')
		return 0;
	for (size_t i = 0; i < size; i++)
		if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]) != name[i])
			return 0;
	return size + 1;
}

/* A placeholder as read from a text; number is 0 when it is none. */
struct reading {
	size_t length;
	enum mm_pii_kind kind;
	unsigned number;
};

static struct reading read_placeholder(const char *text, size_t length)
{
	struct reading reading = {0};
	size_t at = bracket_at(text, length, true), name = 0;
	unsigned number = 0;

	for (unsigned kind = 0; at > 0 && kind < MM_PII__MAX && name == 0; kind++) {
		name = name_at(text + at, length - at, (enum mm_pii_kind)kind);
		reading.kind = (enum mm_pii_kind)kind;
	}
	if (name == 0)
		return reading;
	for (at += name; at < length && text[at] >= '0' && text[at] <= '9' && number <= NUMBER_MAX;
	     at++)
		number = number * 10 + (unsigned)(text[at] - '0');
	size_t closing = bracket_at(text + at, length - at, false);
	if (closing > 0) {
		reading.length = at + closing;
		reading.number = number;
	}
	return reading;
}

enum mm_status mm_pii_unmask(const struct mm_pii_mask *mask, const char *text, size_t length,
			     const char **out, size_t *length_out, size_t *unknown_out,
			     struct mm_error *err)
{
	struct mm_buffer buffer;
	size_t unknown = 0;

	if (!mm_utf8_is_valid(text, length, NULL))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "text is not valid UTF-8");
	mm_buffer_init(&buffer, length + 32, 0, mask->arena);
	for (size_t at = 0; at < length;) {
		const struct reading found = read_placeholder(text + at, length - at);
		if (found.number == 0 || found.number > mask->numbers[found.kind]) {
			unknown += found.number != 0;
			mm_buffer_add_char(&buffer, text[at++]);
			continue;
		}
		const struct value *value = mask->by_number[found.kind][found.number - 1];
		mm_buffer_add(&buffer, value->text, value->length);
		at += found.length;
	}
	if (buffer.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "putting personal data back");
	*out = mm_buffer_text(&buffer);
	*length_out = buffer.length;
	if (unknown_out != NULL)
		*unknown_out = unknown;
	return MM_OK;
}
