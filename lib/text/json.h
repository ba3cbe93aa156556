/*
 * json: a strict reader of JSON from outside, over json-c (floor 1).
 *
 * Shape    a document is json-c's struct json_object, used as it is; mm_json_*() read one member
 * Units    lengths and offsets are bytes; a depth of 1 is an array or object without another in it
 * Own      the document, and every string read from it, live until the arena is reset or freed.
 *          Do not json_object_put() it
 * Errors   MM_BAD_INPUT with code "invalid_json" and the byte offset for a bad document, with code
 *          "invalid_field" and the field's name for a bad member; MM_TOO_LARGE for a document over
 *          max_bytes; MM_NO_MEMORY. Messages name place and reason and never quote the document.
 *          Outputs are untouched unless MM_OK; err may be NULL
 * Threads  a document belongs to one thread at a time
 * Source   RFC 8259; stricter where it leaves a choice: no byte order mark, no duplicate keys
 *          (compared after unescaping), no U+0000, no lone surrogates, no number beyond a double
 */
#ifndef MM_TEXT_JSON_H
#define MM_TEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/status.h"

enum { MM_JSON_DEPTH_LIMIT = 64 };

struct mm_json_limits {
	size_t max_bytes; /* 0: no limit */
	int max_depth;    /* 1 to MM_JSON_DEPTH_LIMIT; 0: MM_JSON_DEPTH_LIMIT */
};

/*
 * Reads a whole document: one value of any type with white space around it. Time is n log n at
 * worst (objects with very many members). *out is NULL for the document `null`, as json-c has it.
 * limits may be NULL (none but MM_JSON_DEPTH_LIMIT).
 */
enum mm_status mm_json_parse(const char *text, size_t length, const struct mm_json_limits *limits,
			     struct json_object **out, struct mm_arena *arena,
			     struct mm_error *err);

/*
 * The readers take the object (which may be NULL or no object: MM_BAD_INPUT "the body must be an
 * object") and a key. A member that is absent or null counts as absent: MM_BAD_INPUT "… is
 * required" when is_required, else the documented value for "absent" and MM_OK. A member of
 * another type is MM_BAD_INPUT, "… must be a string".
 */

/* A string. Absent: *text_out NULL, *length_out 0. length_out may be NULL. */
enum mm_status mm_json_text(struct json_object *object, const char *key, bool is_required,
			    const char **text_out, size_t *length_out, struct mm_error *err);

/* true or false. Absent: fallback. */
enum mm_status mm_json_bool(struct json_object *object, const char *key, bool fallback, bool *out,
			    struct mm_error *err);

/* A whole number within [min, max]; 1.0 is not one. Absent and not required: fallback. */
enum mm_status mm_json_i64(struct json_object *object, const char *key, bool is_required,
			   int64_t min, int64_t max, int64_t fallback, int64_t *out,
			   struct mm_error *err);

/* A finite number, whole or not. Absent and not required: fallback. */
enum mm_status mm_json_double(struct json_object *object, const char *key, bool is_required,
			      double fallback, double *out, struct mm_error *err);

/* An array. Absent: NULL. */
enum mm_status mm_json_array(struct json_object *object, const char *key, bool is_required,
			     struct json_object **out, struct mm_error *err);

/* An object. Absent: NULL. */
enum mm_status mm_json_object(struct json_object *object, const char *key, bool is_required,
			      struct json_object **out, struct mm_error *err);

#endif
