/*
 * likeness: whether two messages say the same (floor 2, private to this folder).
 *
 * Shape    struct mm_likeness is a plain value of about 4 KiB: what is compared of one message
 * Units    lengths are bytes
 * Own      reading uses the arena for the folding only
 * Errors   enum mm_status
 * Threads  plain values
 * Source   L. R. Dice, Measures of the amount of ecologic association, Ecology 26, 1945
 *
 * Compared are the pairs of neighbouring characters of the squeezed view, without blanks and
 * punctuation, as a bag. Of a long message only the head and the tail are looked at, so that the
 * cost of a comparison does not grow with the messages; then their lengths have to agree too.
 * A number that the earlier message did not have (an order, an error code) is new information: the
 * later message does not say the same, however alike the rest is.
 */
#ifndef MM_DETECT_LIKENESS_H
#define MM_DETECT_LIKENESS_H

#include "base/arena.h"
#include "base/status.h"

enum {
	MM_LIKENESS_END_BYTES = 512, /* of the head and of the tail that are compared */
	MM_LIKENESS_PAIRS_MAX = 1024,
	MM_LIKENESS_NUMBERS_MAX = 16,
	MM_LIKENESS_DIGITS_MIN = 3 /* shorter numbers count days and tries */
};

struct mm_likeness {
	size_t length;                         /* of the whole message */
	size_t characters;                     /* that are compared */
	uint32_t pairs[MM_LIKENESS_PAIRS_MAX]; /* sorted */
	size_t pair_count;
	uint32_t numbers[MM_LIKENESS_NUMBERS_MAX];
	size_t number_count;
};

/* Reads what is compared of a message of valid UTF-8. MM_BAD_INPUT, MM_NO_MEMORY. */
enum mm_status mm_likeness_read(const char *utf8, size_t length, struct mm_likeness *out,
				struct mm_arena *arena, struct mm_error *err);

/* Whether messages of these lengths can say the same at all: spares reading the other. */
bool mm_likeness_is_possible(const struct mm_likeness *message, size_t earlier_length);

/* Whether `message` says the same as `earlier`, and nothing new. */
bool mm_likeness_is_same(const struct mm_likeness *message, const struct mm_likeness *earlier);

#endif
