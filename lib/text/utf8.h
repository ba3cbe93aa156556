/*
 * utf8: reading, checking and writing UTF-8, one code point at a time (floor 1).
 *
 * Shape    functions over (pointer, length); nothing needs a terminating NUL
 * Units    lengths and offsets are bytes; counts are code points
 * Own      nothing is allocated
 * Errors   a malformed sequence is reported by a return value, never repaired
 * Threads  pure functions, safe everywhere
 * Source   RFC 3629; The Unicode Standard, table 3-7 (well-formed byte sequences)
 */
#ifndef MM_TEXT_UTF8_H
#define MM_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the code point at the beginning of text and returns how many bytes it takes (1 to 4).
 * Returns 0, leaving *code_point_out alone, when length is 0 or the bytes are not well formed:
 * stray or missing continuation bytes, overlong forms, surrogates, above U+10FFFF.
 * U+0000 is a code point like any other here.
 */
size_t mm_utf8_decode(const char *text, size_t length, uint32_t *code_point_out);

/*
 * Says whether the whole text is well-formed UTF-8; empty text is. bad_offset_out (NULL: not
 * wanted) gets the byte offset of the first bad sequence and is untouched for valid text.
 */
bool mm_utf8_is_valid(const char *text, size_t length, size_t *bad_offset_out);

/* Number of code points in valid text; for invalid text, the number of bytes that are not
 * continuation bytes. */
size_t mm_utf8_count(const char *text, size_t length);

/*
 * Writes one code point and returns the bytes written (1 to 4), or 0 for a surrogate or a
 * value above U+10FFFF. No NUL is added.
 */
size_t mm_utf8_encode(uint32_t code_point, char out[4]);

/*
 * Byte offset at which the code point number code_points (from 0) begins in valid text; length
 * when the text has no more than that many.
 */
size_t mm_utf8_offset(const char *text, size_t length, size_t code_points);

#endif
