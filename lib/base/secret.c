/*
 * secret: loading and keeping keys. Not a vault: the file's owner and mode are the protection.
 */
#include "config.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mm_secret {
	size_t length;
	unsigned char *bytes; /* sodium_malloc'ed, read-only once filled */
};

/* A secret with room for MM_SECRET_MAX bytes and one more, to tell when there are more. */
static struct mm_secret *new_secret(void)
{
	struct mm_secret *secret = sodium_init() < 0 ? NULL : calloc(1, sizeof(*secret));

	if (!secret)
		return NULL;
	secret->bytes = sodium_malloc(MM_SECRET_MAX + 1);
	if (!secret->bytes) {
		free(secret);
		return NULL;
	}
	return secret;
}

void mm_secret_free(struct mm_secret *secret)
{
	if (!secret)
		return;
	sodium_free(secret->bytes);
	free(secret);
}

const unsigned char *mm_secret_bytes(const struct mm_secret *secret)
{
	return secret->bytes;
}

size_t mm_secret_length(const struct mm_secret *secret)
{
	return secret->length;
}

static enum mm_status refuse(struct mm_error *err, const char *path, const char *reason)
{
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s: %s", path, reason);
}

static enum mm_status check_file(int fd, const char *path, struct mm_error *err)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return refuse(err, path, strerror(errno));
	if (!S_ISREG(file.st_mode))
		return refuse(err, path, "a secret must be a regular file");
	if (file.st_mode & (S_IROTH | S_IWOTH))
		return refuse(err, path, "others may read or write this secret (chmod o-rwx)");
	return MM_OK;
}

static enum mm_status read_all(int fd, struct mm_secret *secret, const char *path,
			       struct mm_error *err)
{
	while (secret->length <= MM_SECRET_MAX) {
		ssize_t count =
		    read(fd, secret->bytes + secret->length, MM_SECRET_MAX + 1 - secret->length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return refuse(err, path, strerror(errno));
		if (count == 0)
			return MM_OK;
		secret->length += (size_t)count;
	}
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s: longer than %d bytes", path,
			    MM_SECRET_MAX);
}

static void cut_newline(struct mm_secret *secret)
{
	if (secret->length && secret->bytes[secret->length - 1] == '\n') {
		secret->length--;
		if (secret->length && secret->bytes[secret->length - 1] == '\r')
			secret->length--;
	}
}

static enum mm_status fill(int fd, struct mm_secret *secret, size_t min_bytes, const char *path,
			   struct mm_error *err)
{
	enum mm_status status = check_file(fd, path, err);

	if (status == MM_OK)
		status = read_all(fd, secret, path, err);
	if (status != MM_OK)
		return status;
	cut_newline(secret);
	if (secret->length == 0)
		return refuse(err, path, "the secret is empty");
	if (secret->length < min_bytes)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s: shorter than %zu bytes",
				    path, min_bytes);
	sodium_mprotect_readonly(secret->bytes);
	return MM_OK;
}

enum mm_status mm_secret_load(const char *path, size_t min_bytes, struct mm_secret **secret_out,
			      struct mm_error *err)
{
	/* O_NONBLOCK: a fifo at this path must not stop the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return mm_error_set(err, errno == ENOENT ? MM_NOT_FOUND : MM_BAD_INPUT, NULL, NULL,
				    "%s: %s", path, strerror(errno));
	struct mm_secret *secret = new_secret();
	enum mm_status status = secret ? fill(fd, secret, min_bytes, path, err)
				       : mm_error_cause(err, MM_NO_MEMORY, "%s: no memory", path);
	close(fd);
	if (status == MM_OK)
		*secret_out = secret;
	else
		mm_secret_free(secret);
	return status;
}

enum mm_status mm_secret_copy(const void *bytes, size_t length, struct mm_secret **secret_out,
			      struct mm_error *err)
{
	if (length == 0 || length > MM_SECRET_MAX)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "a secret has 1 to %d bytes, not %zu", MM_SECRET_MAX, length);
	struct mm_secret *secret = new_secret();
	if (!secret)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a secret");
	memcpy(secret->bytes, bytes, length);
	secret->length = length;
	sodium_mprotect_readonly(secret->bytes);
	*secret_out = secret;
	return MM_OK;
}
