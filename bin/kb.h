/*
 * kb: what the parts of mamori kb share.
 *
 * Errors   as command.h
 */
#ifndef MM_BIN_KB_H
#define MM_BIN_KB_H

#include "command.h"
#include "store/db.h"

enum { KB_TIMEOUT_MS = 60 * 1000 };

/* Stores the articles of a file, whose name ends in .md or .csv; all or nothing. */
int kb_import(const struct invocation *invocation, struct mm_db *db);

/* Prints text of others on one line: what is no printable character becomes a space or U+FFFD. */
void kb_print_text(const char *text);

#endif
