/*
 * Tests of lib/base/secret.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"

static char folder[] = "/tmp/mamori-secret-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/secret", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *bytes, size_t length, mode_t mode)
{
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static const struct {
	const char *name;
	const char *bytes;
	size_t length;
	mode_t mode;
	size_t min_bytes;
	enum mm_status status;
	size_t want; /* length, of MM_OK */
} rows[] = {
    {"plain", "0123456789abcdef", 16, 0600, 16, MM_OK, 16},
    {"newline is cut", "0123456789abcdef\n", 17, 0600, 16, MM_OK, 16},
    {"CR LF is cut", "0123456789abcdef\r\n", 18, 0600, 16, MM_OK, 16},
    {"one newline only", "abc\n\n", 5, 0600, 0, MM_OK, 4},
    {"spaces stay", " abc ", 5, 0600, 0, MM_OK, 5},
    {"NUL stays", "a\0b", 3, 0600, 0, MM_OK, 3},
    {"group may read", "abc", 3, 0640, 0, MM_OK, 3},
    {"others may read", "abc", 3, 0644, 0, MM_BAD_INPUT, 0},
    {"others may write", "abc", 3, 0602, 0, MM_BAD_INPUT, 0},
    {"empty", "", 0, 0600, 0, MM_BAD_INPUT, 0},
    {"newline alone", "\n", 1, 0600, 0, MM_BAD_INPUT, 0},
    {"too short", "0123456789abcde\n", 16, 0600, 16, MM_BAD_INPUT, 0},
};

static void load__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_secret *secret = NULL;
		struct mm_error err = {.message = ""};

		write_file(rows[i].bytes, rows[i].length, rows[i].mode);
		enum mm_status status = mm_secret_load(path, rows[i].min_bytes, &secret, &err);
		if (status != rows[i].status)
			fail_msg("%s: status %d, %s", rows[i].name, status, err.message);
		if (status != MM_OK) {
			assert_null(secret);
			assert_non_null(strstr(err.message, path));
			continue;
		}
		if (mm_secret_length(secret) != rows[i].want)
			fail_msg("%s: length %zu", rows[i].name, mm_secret_length(secret));
		assert_memory_equal(mm_secret_bytes(secret), rows[i].bytes, rows[i].want);
		mm_secret_free(secret);
	}
}

static void load__up_to_the_maximum__fits_and_one_more_is_refused(void **state)
{
	static char bytes[MM_SECRET_MAX + 1];
	struct mm_secret *secret = NULL;

	(void)state;
	memset(bytes, 'k', sizeof(bytes));
	write_file(bytes, MM_SECRET_MAX, 0400);
	assert_int_equal(mm_secret_load(path, 1, &secret, NULL), MM_OK);
	assert_int_equal(mm_secret_length(secret), MM_SECRET_MAX);
	mm_secret_free(secret);
	write_file(bytes, MM_SECRET_MAX + 1, 0400);
	assert_int_equal(mm_secret_load(path, 1, &secret, NULL), MM_BAD_INPUT);
}

static void load__no_regular_file__is_refused(void **state)
{
	struct mm_secret *secret = NULL;

	(void)state;
	unlink(path);
	assert_int_equal(mm_secret_load(path, 1, &secret, NULL), MM_NOT_FOUND);
	assert_int_equal(mm_secret_load(folder, 1, &secret, NULL), MM_BAD_INPUT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(mm_secret_load(path, 1, &secret, NULL), MM_BAD_INPUT);
	assert_null(secret);
}

static void copy__bytes__are_kept_apart(void **state)
{
	char bytes[] = "key";
	struct mm_secret *secret = NULL;

	(void)state;
	assert_int_equal(mm_secret_copy(bytes, 3, &secret, NULL), MM_OK);
	bytes[0] = 'x';
	assert_int_equal(mm_secret_length(secret), 3);
	assert_memory_equal(mm_secret_bytes(secret), "key", 3);
	mm_secret_free(secret);
	secret = NULL;
	assert_int_equal(mm_secret_copy(bytes, 0, &secret, NULL), MM_BAD_INPUT);
	assert_int_equal(mm_secret_copy(bytes, MM_SECRET_MAX + 1, &secret, NULL), MM_BAD_INPUT);
	assert_null(secret);
	mm_secret_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(load__table),
	    cmocka_unit_test(load__up_to_the_maximum__fits_and_one_more_is_refused),
	    cmocka_unit_test(load__no_regular_file__is_refused),
	    cmocka_unit_test(copy__bytes__are_kept_apart),
	};

	return cmocka_run_group_tests_name("secret", tests, make_folder, remove_folder);
}
