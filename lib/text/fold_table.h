/*
 * fold_table: what one code point becomes when text is folded (floor 1, private to lib/text).
 *
 * Shape    a two-level table: mm_fold_cells[mm_fold_blocks[code point >> 7] * 128 + (code point &
 *          127)] is a cell. A cell below MM_FOLD_CLASS__MAX says that the code point stays, with
 *          that class, or, from MM_FOLD_SPACE on, what is done with it. Any other cell is an
 *          index (minus MM_FOLD_CLASS__MAX) into mm_fold_mappings
 * Units    offsets and lengths are bytes in mm_fold_bytes
 * Own      const data, generated at build time by tools/foldgen.c as fold_table.c
 * Errors   none: mm_fold_cell() takes any value
 * Threads  const
 * Source   Unicode, through the ICU of the building machine
 */
#ifndef MM_TEXT_FOLD_TABLE_H
#define MM_TEXT_FOLD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum mm_fold_class {
	/* stays as it is, and is a */
	MM_FOLD_SYMBOL,       /* sign, emoji, comma, bracket, unassigned … */
	MM_FOLD_JOINER,       /* sign that people put inside a word to hide it: ・ * _ - / . */
	MM_FOLD_DASH,         /* sign that is a ー after kana: ~ 〜 ― */
	MM_FOLD_SENTENCE_END, /* 。 ! ? */
	MM_FOLD_KANA,         /* hiragana */
	MM_FOLD_LONG_VOWEL,   /* ー */
	MM_FOLD_HAN,          /* kanji, 々 〆 */
	MM_FOLD_LATIN,        /* Latin letter or digit */
	MM_FOLD_LETTER,       /* letter of any other script */
	/* does not stay */
	MM_FOLD_SPACE,       /* becomes part of a run of white space */
	MM_FOLD_NEWLINE,     /* likewise, with a line end */
	MM_FOLD_DROP,        /* vanishes */
	MM_FOLD_MARK,        /* vanishes into the character before it */
	MM_FOLD_VOICED,      /* ゛ */
	MM_FOLD_SEMI_VOICED, /* ゜ */
	MM_FOLD_CLASS__MAX
};

enum {
	MM_FOLD_BLOCK = 128,   /* code points in a block */
	MM_FOLD_EXPANSION = 6, /* a code point grows to so many times its bytes at most */
	MM_FOLD_LONGEST = 18,  /* bytes of the longest mapping */
};

struct mm_fold_mapping {
	uint16_t offset;    /* in mm_fold_bytes */
	uint8_t length;     /* bytes, 1 to MM_FOLD_LONGEST */
	uint8_t last_class; /* enum mm_fold_class of its last character; MM_FOLD_SPACE may be */
	bool is_dash;       /* becomes ー after kana */
};

extern const uint16_t mm_fold_blocks[0x110000 / MM_FOLD_BLOCK];
extern const uint16_t mm_fold_cells[];
extern const struct mm_fold_mapping mm_fold_mappings[];
extern const char mm_fold_bytes[];

/* The cell of a code point; U+110000 and above are signs. */
static inline uint16_t mm_fold_cell(uint32_t code_point)
{
	if (code_point >= 0x110000)
		return MM_FOLD_SYMBOL;
	return mm_fold_cells[mm_fold_blocks[code_point / MM_FOLD_BLOCK] * MM_FOLD_BLOCK +
			     code_point % MM_FOLD_BLOCK];
}

#endif
