/*
 * rewrite_table: the tables of rewrite.h in memory (floor 2, private to rewrite*.c).
 *
 * Units    code points
 * Own      texts live in the table's arena; arrays are by malloc
 */
#ifndef MM_DETECT_REWRITE_TABLE_H
#define MM_DETECT_REWRITE_TABLE_H

#include "detect/rewrite.h"

enum {
	MM_SPELLING_MAX = 64, /* characters of a spelling or a word */
	MM_PAIR_WORDS = 1024, /* of 64 bits, for two keys */
	MM_SIGN_WORDS = 256,
	MM_KANA_WORDS = 2,
	MM_KANA_FIRST = 0x3041,
	MM_KANA_LAST = 0x3096,
	MM_SLOTS = 4096 /* of the hash table of words */
};

/* One spelling and what it stands for. */
struct mm_spelling {
	const uint32_t *from;
	uint32_t length;
	uint32_t to_length; /* bytes */
	const char *to;     /* NUL-terminated */
	const char *kana;   /* of a syllable, squeezed */
	enum mm_doubtfulness doubt;
	bool is_follower; /* counts only right after another foreign one */
	bool is_reading;  /* kana for a word in kanji, or an abbreviation: hides nothing */
	bool is_kept;     /* only looks like a disguise: stays as it is */
	bool is_foreign;  /* Latin letters for a word of another script */
};

struct mm_letter {
	uint32_t from, to; /* to 0: a mask */
};

/* A growing array of spellings. */
struct mm_spellings {
	struct mm_spelling *items;
	uint32_t count, capacity;
};

struct mm_rewrites {
	struct mm_arena *arena;
	struct mm_spellings words;    /* sorted by their first two characters, the longest first */
	uint32_t slots[MM_SLOTS];     /* first word of every such pair, plus one; 0: empty */
	struct mm_spellings masked;   /* sorted by length, the longest first */
	struct mm_spellings readings; /* spelled out by mm_rewrites_finish */
	struct mm_spellings romaji;   /* from: kana; to: Latin letters */
	struct mm_letter *letters;    /* sorted */
	uint32_t letter_count, letter_capacity;
	uint64_t after[MM_KANA_WORDS]; /* a bit for every kana that may follow a doubtful word */
	/* A bit for the first two keys of every word, and some others. */
	uint64_t pairs[MM_PAIR_WORDS];
	/* A bit for the first three characters of every word of more, for the first two of the
	 * others and of foreign ones, and some others. */
	uint64_t starts[MM_PAIR_WORDS];
	/* A bit for every letter and every word of one character, and some others. */
	uint64_t signs[MM_SIGN_WORDS];
};

/* Where the pair of characters that a word begins with is looked for first. */
static inline uint32_t mm_slot_of(uint32_t first, uint32_t second)
{
	return ((first * 0x9e3779b1u) ^ (second * 0x85ebca6bu)) >> 20;
}

static inline uint32_t mm_second_of(const struct mm_spelling *spelling)
{
	return spelling->length > 1 ? spelling->from[1] : 0;
}

static inline bool mm_pair_is_there(const struct mm_rewrites *rewrites, unsigned char first,
				    unsigned char second)
{
	return rewrites->pairs[first << 2 | second >> 6] >> (second & 63) & 1;
}

static inline uint32_t mm_start_bit(uint32_t first, uint32_t second, uint32_t third)
{
	return ((first * 0x9e3779b1u) ^ (second * 0x85ebca6bu) ^ (third * 0xc2b2ae35u)) >> 16;
}

static inline bool mm_start_is_there(const struct mm_rewrites *rewrites, uint32_t bit)
{
	return rewrites->starts[bit / 64] >> (bit % 64) & 1;
}

static inline uint32_t mm_sign_bit(uint32_t c)
{
	return (c * 0x9e3779b1u) >> 18;
}

static inline bool mm_sign_is_there(const struct mm_rewrites *rewrites, uint32_t c)
{
	return rewrites->signs[mm_sign_bit(c) / 64] >> (mm_sign_bit(c) % 64) & 1;
}

static inline bool mm_is_latin(uint32_t c)
{
	return c - 'a' < 26;
}

static inline bool mm_is_digit(uint32_t c)
{
	return c - '0' < 10;
}

static inline bool mm_is_kana(uint32_t c)
{
	return c >= MM_KANA_FIRST && c <= MM_KANA_LAST;
}

/* True for kana that no doubtful word ends before. */
static inline bool mm_continues_word(const struct mm_rewrites *rewrites, uint32_t c)
{
	uint32_t bit = c - MM_KANA_FIRST;

	return mm_is_kana(c) && !(rewrites->after[bit / 64] >> (bit % 64) & 1);
}

/* Appends a copy of `spelling`. False: no memory. */
bool mm_spellings_add(struct mm_spellings *list, const struct mm_spelling *spelling);

/* Spells a reading in Latin letters in all ways, and adds them to the words. */
bool mm_reading_spell(struct mm_rewrites *rewrites, const struct mm_spelling *reading);

#endif
