/* file: one bounded read or write of a whole file; no mapping, no watching. */
#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until `size` bytes or the end; returns the count, or -1 with errno set. */
static ssize_t read_all(int fd, char *into, size_t size)
{
	size_t done = 0;
	while (done < size) {
		const ssize_t got = read(fd, into + done, size - done);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0)
			done += (size_t)got;
	}
	return (ssize_t)done;
}

static enum mm_status read_open_file(int fd, const char *path, size_t max_bytes, char **text_out,
				     size_t *length_out, struct mm_arena *arena,
				     struct mm_error *err)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return mm_error_cause(err, MM_UPSTREAM, "%s: %s", path, strerror(errno));
	if (status.st_size < 0 || (size_t)status.st_size > max_bytes)
		return mm_error_cause(err, MM_TOO_LARGE, "%s: larger than %zu bytes", path,
				      max_bytes);
	const size_t size = (size_t)status.st_size;
	char *text = mm_arena_alloc(arena, size + 1);
	if (!text)
		return mm_error_cause(err, MM_NO_MEMORY, "%s: no memory", path);
	const ssize_t length = read_all(fd, text, size);
	if (length < 0)
		return mm_error_cause(err, MM_UPSTREAM, "%s: %s", path, strerror(errno));
	text[length] = '\0';
	*text_out = text;
	*length_out = (size_t)length;
	return MM_OK;
}

enum mm_status mm_file_read(const char *path, size_t max_bytes, char **text_out, size_t *length_out,
			    struct mm_arena *arena, struct mm_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mm_error_cause(err, errno == ENOENT ? MM_NOT_FOUND : MM_UPSTREAM, "%s: %s",
				      path, strerror(errno));
	const enum mm_status status =
	    read_open_file(fd, path, max_bytes, text_out, length_out, arena, err);
	close(fd);
	return status;
}

/* Opens with the flags beside those for writing, writes all and closes. */
static bool write_whole(const char *path, int flags, const void *bytes, size_t length)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		return false;
	const bool is_whole =
	    write(fd, bytes, length) == (ssize_t)length && ftruncate(fd, (off_t)length) == 0;
	const int reason = errno;
	close(fd);
	errno = reason;
	return is_whole;
}

enum mm_status mm_file_replace(const char *path, const void *bytes, size_t length,
			       struct mm_error *err)
{
	char draft[PATH_MAX];
	errno = ENOSPC; /* what a write that came out short means */
	snprintf(draft, sizeof draft, "%s.draft", path);
	if (write_whole(draft, O_CREAT | O_TRUNC, bytes, length) && rename(draft, path) == 0)
		return MM_OK;
	const int reason = errno;
	unlink(draft);
	if (write_whole(path, 0, bytes, length))
		return MM_OK;
	return mm_error_cause(err, MM_UPSTREAM, "%s: %s", path, strerror(reason));
}
