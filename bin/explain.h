/*
 * explain: how the detector came to its verdict, for mamori analyze --explain.
 */
#ifndef MM_BIN_EXPLAIN_H
#define MM_BIN_EXPLAIN_H

#include "base/buffer.h"
#include "detect/detector.h"

/*
 * Judges one message as mm_detect does and adds to `out`, line by line: the folded views, every
 * candidate of the rules and why it stood or fell, and what the fusion's odds of harassment are
 * made of. What it adds ends with a newline.
 */
enum mm_status explain(struct mm_buffer *out, struct mm_detector *detector, const char *utf8,
		       size_t length, struct mm_analysis *analysis, struct mm_arena *arena,
		       struct mm_error *err);

#endif
