/*
 * data_path: where the files that come with the program are (floor 0).
 *
 * A program that was installed with DESTDIR, moved, or not installed at all finds its rules, SQL
 * and texts beside itself: in ../share/mamori or ../../share/mamori of its executable.
 *
 * Own      the path is returned in the arena, or is the one that was given
 * Errors   NULL when out of memory
 * Threads  any
 */
#ifndef MM_BASE_DATA_PATH_H
#define MM_BASE_DATA_PATH_H

#include "base/arena.h"

/*
 * `path` itself, unless it lies in the folder that was configured when the program was built
 * (MM_DATA_DIR) and does not exist: then the same file beside the executable, where that exists.
 */
const char *mm_data_path(const char *path, struct mm_arena *arena);

#endif
