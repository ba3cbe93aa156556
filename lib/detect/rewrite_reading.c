/* rewrite_reading.c: how a word in kana is spelled in Latin letters. The syllables are data. */
#include "config.h"

#include "detect/rewrite_table.h"

enum { WAYS_MAX = 24 /* of one reading */, LATIN_MAX = 3 * MM_SPELLING_MAX };

/* A reading half spelled. */
struct speller {
	struct mm_rewrites *rewrites;
	const struct mm_spelling *reading;
	uint32_t latin[LATIN_MAX];
	uint32_t ways;
	bool has_failed;
};

static void spell_from(struct speller *speller, uint32_t at, uint32_t length, bool is_doubled);

static void add_way(struct speller *speller, uint32_t length)
{
	struct mm_spelling way = *speller->reading;
	uint32_t *from = mm_arena_array(speller->rewrites->arena, length, sizeof(*from));

	if (!from || speller->ways++ == WAYS_MAX) {
		speller->has_failed = speller->has_failed || !from;
		return;
	}
	memcpy(from, speller->latin, length * sizeof(*from));
	way.from = from;
	way.length = length;
	way.is_foreign = true;
	if (!mm_spellings_add(&speller->rewrites->words, &way))
		speller->has_failed = true;
}

/* Goes on after one syllable; っ doubles its first letter. */
static void spell_syllable(struct speller *speller, const struct mm_spelling *syllable, uint32_t at,
			   uint32_t length, bool is_doubled)
{
	if (length + syllable->to_length + 1 > LATIN_MAX)
		return;
	if (is_doubled)
		speller->latin[length++] = (unsigned char)syllable->to[0];
	for (uint32_t i = 0; i < syllable->to_length; i++)
		speller->latin[length++] = (unsigned char)syllable->to[i];
	spell_from(speller, at + syllable->length, length, false);
}

static bool begins_with(const struct mm_spelling *reading, uint32_t at,
			const struct mm_spelling *syllable)
{
	return at + syllable->length <= reading->length &&
	       memcmp(reading->from + at, syllable->from,
		      syllable->length * sizeof(*syllable->from)) == 0;
}

/* The longest syllable at `at`, in characters. */
static uint32_t syllable_length(const struct speller *speller, uint32_t at)
{
	const struct mm_spellings *romaji = &speller->rewrites->romaji;
	uint32_t longest = 0;

	for (uint32_t i = 0; i < romaji->count; i++)
		if (romaji->items[i].length > longest &&
		    begins_with(speller->reading, at, &romaji->items[i]))
			longest = romaji->items[i].length;
	return longest;
}

static void spell_from(struct speller *speller, uint32_t at, uint32_t length, bool is_doubled)
{
	const struct mm_spelling *reading = speller->reading;
	const struct mm_spellings *romaji = &speller->rewrites->romaji;
	uint32_t longest;

	if (at == reading->length) {
		add_way(speller, length);
		return;
	}
	if (reading->from[at] == ' ' && length + 1 < LATIN_MAX) {
		speller->latin[length] = ' ';
		spell_from(speller, at + 1, length + 1, false);
		return;
	}
	if (reading->from[at] == U'っ' && at + 1 < reading->length) {
		spell_from(speller, at + 1, length, true);
		return;
	}
	/* おう is often written o. */
	if (reading->from[at] == U'う' && length > 0 && speller->latin[length - 1] == 'o')
		spell_from(speller, at + 1, length, false);
	longest = syllable_length(speller, at);
	for (uint32_t i = 0; i < romaji->count && longest > 0; i++)
		if (romaji->items[i].length == longest &&
		    begins_with(reading, at, &romaji->items[i]))
			spell_syllable(speller, &romaji->items[i], at, length, is_doubled);
}

bool mm_reading_spell(struct mm_rewrites *rewrites, const struct mm_spelling *reading)
{
	struct speller speller = {.rewrites = rewrites, .reading = reading};

	spell_from(&speller, 0, 0, false);
	return !speller.has_failed;
}
