/*
 * window: how much of the past a model gets to read (floor 4).
 *
 * Units    tokens, as an estimate that needs no vendor's vocabulary: a character outside ASCII (so a
 *          Japanese one) is one token, four ASCII characters are one. Vendors count up to a third
 *          more or less.
 * Threads  none is shared
 */
#ifndef MM_SERVICE_WINDOW_H
#define MM_SERVICE_WINDOW_H

#include "detect/detector.h"

/* The tokens of a text of UTF-8. */
int64_t mm_window_tokens(const char *text, size_t length);

/*
 * The index of the oldest message to be sent: the newest ones that have `tokens_max` tokens together,
 * whole messages only; past->count when not even the newest fits.
 */
size_t mm_window_start(const struct mm_past *past, int64_t tokens_max);

#endif
