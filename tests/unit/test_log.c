/*
 * Tests of lib/base/log.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static int ends[2]; /* a socket pair that keeps each write apart */

static int set_up(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	mm_log_open("mamori-test", MM_LOG_INFO, ends[0]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Reads one write; "" when there is none. */
static const char *read_line(void)
{
	static char line[2 * MM_LOG_LINE];
	ssize_t length = recv(ends[1], line, sizeof(line) - 1, MSG_DONTWAIT);

	line[length > 0 ? length : 0] = '\0';
	return line;
}

static void line__has_all_parts_in_one_write(void **state)
{
	char want[128];

	(void)state;
	errno = ENOSPC;
	mm_log(MM_LOG_WARNING, "4bf92f35", "disk %d: %m", 1);
	assert_int_equal(errno, ENOSPC);
	const char *line = read_line();
	snprintf(want, sizeof(want),
		 "mamori-test[%ld] warning req=4bf92f35 disk 1: No space left on device\n",
		 (long)getpid());
	assert_memory_equal(line, "<4>20", 5);
	assert_int_equal(line[26], 'Z');
	assert_string_equal(line + 28, want);
	assert_string_equal(read_line(), "");
}

static void line__each_level__has_its_priority(void **state)
{
	static const char *const want[] = {"<3>", "<4>", "<5>", "<6>", "<7>"};

	(void)state;
	mm_log_open("mamori-test", MM_LOG_DEBUG, ends[0]);
	for (int level = 0; level < MM_LOG__MAX; level++) {
		char name[32];

		mm_log((enum mm_log_level)level, NULL, "x");
		const char *line = read_line();
		assert_memory_equal(line, want[level], 3);
		snprintf(name, sizeof(name), "] %s req=- x\n", mm_log_level_names[level]);
		assert_non_null(strstr(line, name));
	}
}

static void line__less_severe__is_not_written(void **state)
{
	(void)state;
	mm_log(MM_LOG_DEBUG, NULL, "x");
	mm_log(MM_LOG__MAX, NULL, "x");
	assert_string_equal(read_line(), "");
	assert_false(mm_log_is_enabled(MM_LOG_DEBUG));
	assert_true(mm_log_is_enabled(MM_LOG_INFO));
	mm_log(MM_LOG_INFO, NULL, "x");
	assert_string_not_equal(read_line(), "");
}

static const struct {
	const char *text, *want;
} escapes[] = {
    {"plain text", "plain text"},
    {"a\nb\r\tc", "a\\nb\\r\\tc"},
    {"back\\slash", "back\\\\slash"},
    {"\x1b[31m", "\\x1B[31m"},
    {"\x01\x7f", "\\x01\\x7F"},
    {"守り 😡 é", "守り 😡 é"},
    {"\xC2\x9B", "\\xC2\\x9B"},          /* C1: CSI */
    {"\xC2\xA0", "\xC2\xA0"},            /* no-break space */
    {"\x9B", "\\x9B"},                   /* a byte that begins nothing */
    {"\xE5\xAE", "\\xE5\\xAE"},          /* a character cut off */
    {"\xE5\xAEx", "\\xE5\\xAEx"},        /* the same, inside */
    {"\xED\xA0\x80", "\\xED\\xA0\\x80"}, /* a surrogate */
    {"\xC0\xAF", "\\xC0\\xAF"},          /* overlong */
    {"\xF5\x80\x80\x80", "\\xF5\\x80\\x80\\x80"},
};

static void message__control_bytes__are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		char want[64];

		mm_log(MM_LOG_INFO, NULL, "%s", escapes[i].text);
		const char *line = read_line();
		snprintf(want, sizeof(want), " req=- %s\n", escapes[i].want);
		if (!strstr(line, want))
			fail_msg("row %zu: got %s want %s", i, line, want);
	}
	mm_log(MM_LOG_INFO, "a\nb", "x");
	assert_non_null(strstr(read_line(), " req=a\\nb x\n"));
}

static void message__too_long__is_cut_with_an_ellipsis(void **state)
{
	static char text[3 * MM_LOG_LINE];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "守", 3);
		mm_log(MM_LOG_INFO, NULL, "%s", text);
		const char *line = read_line();
		size_t length = strlen(line);
		assert_in_range(length, MM_LOG_LINE - 3, MM_LOG_LINE);
		assert_string_equal(line + length - 7, "守…\n");
	}
	memset(text, 'a', sizeof(text) - 1);
	mm_log(MM_LOG_INFO, text, "x");
	assert_int_equal(strlen(read_line()), MM_LOG_LINE);
}

static void reader__stuck__lines_are_dropped_and_counted(void **state)
{
	int written = 0;

	(void)state;
	/* Until the socket is full: then one wait, and none after it. */
	for (; written < 100000; written++) {
		if (send(ends[0], "x", 1, MSG_DONTWAIT) < 0)
			break;
	}
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 100; i++)
		mm_log(MM_LOG_ERROR, NULL, "lost");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 2);
	for (int i = 0; i < written; i++)
		assert_string_equal(read_line(), "x");
	mm_log(MM_LOG_ERROR, NULL, "kept");
	assert_non_null(strstr(read_line(), "warning req=- log: 100 lines lost before this one\n"));
	assert_non_null(strstr(read_line(), "req=- kept\n"));
	mm_log(MM_LOG_ERROR, NULL, "next");
	assert_non_null(strstr(read_line(), "req=- next\n"));
}

static void reader__gone__does_no_harm(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	close(ends[1]);
	errno = 0;
	mm_log(MM_LOG_ERROR, NULL, "x");
	assert_int_equal(errno, 0);
	mm_log_open("mamori-test", MM_LOG_INFO, -1);
	mm_log(MM_LOG_ERROR, NULL, "x");
	ends[1] = dup(ends[0]);
	signal(SIGPIPE, SIG_DFL);
}

static void *log_many(void *argument)
{
	for (int i = 0; i < 200; i++)
		mm_log(MM_LOG_INFO, NULL, "%s", (const char *)argument);
	return NULL;
}

static void threads__lines_stay_whole(void **state)
{
	char folder[] = "/tmp/mamori-log-XXXXXX", path[64], line[256];
	static const char *const texts[] = {"first writer\n", "second writer\n"};
	pthread_t threads[2];
	int count = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	mm_log_open("mamori-test", MM_LOG_INFO, fd);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, log_many, (void *)texts[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	FILE *file = fopen(path, "r");
	for (; fgets(line, sizeof(line), file); count++) {
		assert_memory_equal(line, "<6>", 3);
		assert_true(strstr(line, " first writer\\n\n") ||
			    strstr(line, " second writer\\n\n"));
	}
	assert_int_equal(count, 400);
	fclose(file);
	close(fd);
	unlink(path);
	rmdir(folder);
}

static void level__names__are_parsed_exactly(void **state)
{
	static const char *const wrong[] = {"", "Notice", "notice ", "warn", "4"};
	enum mm_log_level level = MM_LOG__MAX;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(mm_log_level_parse(wrong[i], &level));
	assert_int_equal(level, MM_LOG__MAX);
	for (int i = 0; i < MM_LOG__MAX; i++) {
		assert_true(mm_log_level_parse(mm_log_level_names[i], &level));
		assert_int_equal(level, i);
	}
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_PAIR(line__has_all_parts_in_one_write),
	    WITH_PAIR(line__each_level__has_its_priority),
	    WITH_PAIR(line__less_severe__is_not_written),
	    WITH_PAIR(message__control_bytes__are_escaped),
	    WITH_PAIR(message__too_long__is_cut_with_an_ellipsis),
	    WITH_PAIR(reader__stuck__lines_are_dropped_and_counted),
	    WITH_PAIR(reader__gone__does_no_harm),
	    cmocka_unit_test(threads__lines_stay_whole),
	    cmocka_unit_test(level__names__are_parsed_exactly),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
