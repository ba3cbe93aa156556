/*
 * json_writer: appends JSON text to a buffer (floor 1).
 *
 * Shape    struct mm_json_writer is a plain value over a struct mm_buffer; it puts the commas.
 *          Inside an object a key comes before every value
 * Units    lengths are bytes
 * Own      the buffer is borrowed; strings are copied into it at once
 * Errors   no function returns one: a failed buffer stays failed (has_failed), look once at the
 *          end. Unbalanced begin and end, or a depth over 64, are our own mistakes: assert()
 * Threads  a writer belongs to one thread
 * Source   RFC 8259; U+2028 and U+2029 are escaped too, so that the text is also JavaScript
 *
 * Strings must be valid UTF-8; other bytes pass through unchecked. Numbers are printed in the C
 * locale: the programs never call setlocale().
 */
#ifndef MM_TEXT_JSON_WRITER_H
#define MM_TEXT_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct mm_json_writer {
	struct mm_buffer *out;
	uint64_t has_item; /* bit d: the container at depth d has an item */
	unsigned depth;    /* containers open */
	bool has_key;      /* a key waits for its value */
};

/* Prepares a writer that appends to buffer, whatever is in it already. */
void mm_json_writer_init(struct mm_json_writer *writer, struct mm_buffer *buffer);

void mm_json_object_begin(struct mm_json_writer *writer); /* { */
void mm_json_object_end(struct mm_json_writer *writer);   /* } */
void mm_json_array_begin(struct mm_json_writer *writer);  /* [ */
void mm_json_array_end(struct mm_json_writer *writer);    /* ] */

/* A member's name, escaped like any string; the next call writes its value. */
void mm_json_key(struct mm_json_writer *writer, const char *key);

/* A NUL-terminated string; NULL writes null. */
void mm_json_write_text(struct mm_json_writer *writer, const char *text);
/* A string of so many bytes; NULL with length 0 writes "". */
void mm_json_write_bytes(struct mm_json_writer *writer, const char *text, size_t length);
void mm_json_write_i64(struct mm_json_writer *writer, int64_t value);
/* A number rounded to 0 to 17 decimals, without trailing zeros; NaN and infinities write null. */
void mm_json_write_double(struct mm_json_writer *writer, double value, int decimals);
void mm_json_write_bool(struct mm_json_writer *writer, bool value);
void mm_json_write_null(struct mm_json_writer *writer);
/* A value that is JSON text already; it is not checked. */
void mm_json_write_raw(struct mm_json_writer *writer, const char *json, size_t length);

/* A member: the key and its value in one call. */
void mm_json_pair_text(struct mm_json_writer *writer, const char *key, const char *text);
void mm_json_pair_bytes(struct mm_json_writer *writer, const char *key, const char *text,
			size_t length);
void mm_json_pair_i64(struct mm_json_writer *writer, const char *key, int64_t value);
void mm_json_pair_double(struct mm_json_writer *writer, const char *key, double value,
			 int decimals);
void mm_json_pair_bool(struct mm_json_writer *writer, const char *key, bool value);
void mm_json_pair_null(struct mm_json_writer *writer, const char *key);
void mm_json_pair_raw(struct mm_json_writer *writer, const char *key, const char *json,
		      size_t length);

#endif
