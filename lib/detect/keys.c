/* keys.c: from UTF-8 to code points, offsets and keys in one pass. */
#include "config.h"

#include "detect/keys.h"

enum {
	KANA_FIRST = 0x3041,
	KANA_COUNT = 0x56,
	KANA_KEY = 0x80,
	OTHER_KEYS = 255 - KANA_COUNT /* 0 would end a literal for vectorscan */
};

unsigned char mm_key_of(uint32_t code_point)
{
	uint32_t key;

	if (code_point - KANA_FIRST < KANA_COUNT)
		return (unsigned char)(KANA_KEY + (code_point - KANA_FIRST));
	if (code_point < KANA_KEY)
		return (unsigned char)code_point;
	key = 1 + (uint32_t)(((uint64_t)(code_point * 0x9e3779b1u) * OTHER_KEYS) >> 32);
	return (unsigned char)(key < KANA_KEY ? key : key + KANA_COUNT);
}

bool mm_key_is_own(uint32_t code_point)
{
	return code_point - KANA_FIRST < KANA_COUNT;
}

/* The text is well formed: folding has seen to that. */
static uint32_t decode(const unsigned char *text, size_t *at)
{
	const unsigned char *c = text + *at;

	if (c[0] < 0x80) {
		*at += 1;
		return c[0];
	}
	if (c[0] < 0xe0) {
		*at += 2;
		return (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
	}
	if (c[0] < 0xf0) {
		*at += 3;
		return (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
	}
	*at += 4;
	return (c[0] & 0x07u) << 18 | (c[1] & 0x3fu) << 12 | (c[2] & 0x3fu) << 6 | (c[3] & 0x3fu);
}

enum mm_status mm_keyed_make(const struct mm_folded *folded, struct mm_keyed *out,
			     struct mm_arena *arena, struct mm_error *err)
{
	const unsigned char *text = (const unsigned char *)folded->text;
	/* Room for one character a byte: not touching what is too much is faster than counting. */
	size_t room = folded->length;
	uint32_t *code_points = mm_arena_alloc(arena, room * sizeof(*code_points));
	uint32_t *offsets = mm_arena_alloc(arena, (room + 1) * sizeof(*offsets));
	unsigned char *keys = mm_arena_alloc(arena, room);
	uint32_t count = 0;

	if (!code_points || !offsets || !keys)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory to scan a message");
	for (size_t at = 0; at < folded->length; count++) {
		offsets[count] = (uint32_t)at;
		code_points[count] = decode(text, &at);
		keys[count] = mm_key_of(code_points[count]);
	}
	offsets[count] = (uint32_t)folded->length;
	*out = (struct mm_keyed){code_points, offsets, keys, count};
	return MM_OK;
}

uint32_t mm_keyed_index(const struct mm_keyed *keyed, uint32_t offset)
{
	uint32_t low = 0, high = keyed->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (keyed->offsets[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
