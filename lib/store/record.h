/*
 * record: one durable write of one request (floor 3).
 *
 * Shape    struct mm_record is a plain value. Its JSON document is one of the two shapes that
 *          sql/ applies: an analysis or a turn. The document carries its own UUIDv7s, so applying
 *          it twice is the same as applying it once.
 * Units    length is bytes of UTF-8 JSON without a terminating NUL being needed.
 * Own      json is borrowed from whoever made the record.
 */
#ifndef MM_STORE_RECORD_H
#define MM_STORE_RECORD_H

#include <stddef.h>

#include "base/id.h"

enum mm_record_kind {
	MM_RECORD_ANALYSIS, /* mamori.apply_analyses */
	MM_RECORD_TURN,     /* mamori.keep_turns */
	MM_RECORD__MAX
};

struct mm_record {
	enum mm_record_kind kind;
	struct mm_id id;
	const char *json; /* one JSON object, or several with commas between: they stay together */
	size_t length;
};

#endif
