/*
 * order_number: finds order numbers in a message (floor 2), for the context of a handoff.
 *
 * Shape    plain values
 * Units    start and end are bytes of the text, end excluded
 * Own      the returned array and values live in the arena passed in
 * Errors   enum mm_status; outputs are untouched unless MM_OK
 * Threads  no state
 *
 * Recognised, in half or full width:
 *   - two to six letters, a hyphen, three or more digits, more groups allowed: ORD-12345,
 *     AB-2026-0001
 *   - after 注文番号, 受注番号, オーダー番号, 注文ID, 注文No, order number, order no, order id,
 *     order #: four or more letters, digits or hyphens with three digits among them
 *   - # and four to twelve digits
 *   - 3-7-7 digits (249-1234567-1234567)
 * Telephone numbers, postal codes and dates are not order numbers unless one of the words
 * above precedes them. It reads one number twice at most once: equal values are reported once.
 */
#ifndef MM_DETECT_ORDER_NUMBER_H
#define MM_DETECT_ORDER_NUMBER_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

enum { MM_ORDER_NUMBERS_MAX = 16 };

struct mm_order_number {
	size_t start, end;
	const char *value; /* half width, upper case, without the word before it or # */
};

/* Finds up to MM_ORDER_NUMBERS_MAX order numbers in `length` bytes of UTF-8, in order of
 * appearance. *count_out may be 0. MM_NO_MEMORY when the arena is full. Linear. */
enum mm_status mm_order_number_find(const char *text, size_t length, struct mm_order_number **out,
				    size_t *count_out, struct mm_arena *arena,
				    struct mm_error *err);

#endif
