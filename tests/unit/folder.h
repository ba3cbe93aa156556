/*
 * folder: a temporary folder for one test program.
 *
 * Own      paths are returned in static buffers that the next call overwrites, four calls later
 * Errors   any failure ends the test program: there is nothing to test without a folder
 */
#ifndef MM_TEST_FOLDER_H
#define MM_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char test_folder[64];

static inline int test_folder_remove_one(const char *path, const struct stat *status, int kind,
					 struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

/* Makes the folder. */
static inline void test_folder_make(void)
{
	snprintf(test_folder, sizeof test_folder, "/tmp/mamori-test-XXXXXX");
	if (!mkdtemp(test_folder)) {
		perror(test_folder);
		exit(99);
	}
}

/* The path of `name` in the folder. */
static inline const char *test_folder_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
	return path;
}

/* Writes a file in the folder and returns its path. */
static inline const char *test_folder_write(const char *name, const char *text)
{
	const char *path = test_folder_path(name);
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(99);
	}
	return path;
}

/* Removes the folder and what is in it. */
static inline void test_folder_remove(void)
{
	nftw(test_folder, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
