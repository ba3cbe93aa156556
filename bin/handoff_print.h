/*
 * handoff_print: the documents of service/desk.h as a person reads them.
 *
 * Shape    JSON in, text on standard output
 * Errors   a document that cannot be read is MM_BUG or MM_NO_MEMORY; a member that is missing is left
 *          out
 *
 * What customers write goes to a terminal here: control characters and those that turn the direction
 * of text around are shown as U+FFFD, so that nobody can write over what a person reads.
 */
#ifndef MM_BIN_HANDOFF_PRINT_H
#define MM_BIN_HANDOFF_PRINT_H

#include "base/buffer.h"
#include "base/status.h"

typedef enum mm_status (*handoff_printer)(const struct mm_buffer *json, struct mm_arena *arena,
					  struct mm_error *err);

/* Two lines a handoff: its columns, then its summary. */
enum mm_status handoff_print_list(const struct mm_buffer *json, struct mm_arena *arena,
				  struct mm_error *err);

/* A handoff with its context, messages, events and actions. */
enum mm_status handoff_print_show(const struct mm_buffer *json, struct mm_arena *arena,
				  struct mm_error *err);

/* One line that says what was done. */
enum mm_status handoff_print_action(const struct mm_buffer *json, struct mm_arena *arena,
				    struct mm_error *err);

#endif
