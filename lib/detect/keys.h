/*
 * keys: a text as vectorscan and the automata read it (floor 2, private to this folder).
 *
 * Japanese in UTF-8 says little in its last two bytes, which is what a literal matcher looks at
 * first. So vectorscan is given one byte a character, its key: kana have one each, other
 * characters share what is left. Of a literal's characters vectorscan compares the keys, and the
 * scan then compares the characters. It is three times as fast as UTF-8, measured with 4,000
 * literals.
 *
 * Units    indexes and counts are characters of the folded view; offsets are bytes of it
 * Own      arrays live in the arena passed in
 */
#ifndef MM_DETECT_KEYS_H
#define MM_DETECT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "text/fold.h"

struct mm_keyed {
	const uint32_t *code_points;
	const uint32_t *offsets; /* one more than there are characters: the last is the length */
	const unsigned char *keys;
	uint32_t count;
};

unsigned char mm_key_of(uint32_t code_point);

/* True when no other character has the same key. */
bool mm_key_is_own(uint32_t code_point);

/* Reads a folded view into arrays. MM_NO_MEMORY. */
enum mm_status mm_keyed_make(const struct mm_folded *folded, struct mm_keyed *out,
			     struct mm_arena *arena, struct mm_error *err);

/* The character at byte `offset`, or the first after it. */
uint32_t mm_keyed_index(const struct mm_keyed *keyed, uint32_t offset);

#endif
