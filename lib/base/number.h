/*
 * number: numbers from text, one spelling each (floor 0).
 *
 * Shape    plain functions
 * Units    `length` is bytes; the text need not be NUL-terminated
 * Errors   false, and the output untouched, for anything that is not exactly one number in range
 * Threads  any; the process keeps the C locale's decimal point (no setlocale of LC_NUMERIC)
 * Source   RFC 8259, section 6, for the grammar
 *
 * Stricter than strtol: no spaces, no plus sign, no leading zeros, no hexadecimal, no "-0" for an
 * integer, no infinity.
 */
#ifndef MM_BASE_NUMBER_H
#define MM_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a decimal integer between `min` and `max`, both included. */
bool mm_number_parse_i64(const char *text, size_t length, int64_t min, int64_t max,
			 int64_t *value_out);

/*
 * Reads a decimal number with an optional fraction and exponent, between `min` and `max`, both
 * included; at most 63 bytes long.
 */
bool mm_number_parse_double(const char *text, size_t length, double min, double max,
			    double *value_out);

#endif
