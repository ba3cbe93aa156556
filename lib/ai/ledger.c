/* ledger: maps the file of accounts; what the numbers mean is breaker.c's and budget.c's. */
#include "config.h"

#include "ai/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { PATH_BYTES = 4096 };

static const char magic[16] = "mamori-ai-1\n";

/* The file, whole. */
struct page {
	char magic[sizeof magic];
	struct mm_account accounts[MM_LEDGER_ACCOUNTS];
};

struct mm_ledger {
	struct page *page;
	bool is_mapped;
};

static const char *const vendors[MM_VENDOR__MAX] = {
    [MM_VENDOR_ANTHROPIC] = "anthropic",
    [MM_VENDOR_GEMINI] = "gemini",
    [MM_VENDOR_OPENAI] = "openai",
};

const char *mm_vendor_name(enum mm_ai_vendor vendor)
{
	return vendors[vendor];
}

bool mm_vendor_parse(const char *name, size_t length, enum mm_ai_vendor *out)
{
	for (int vendor = 0; vendor < MM_VENDOR__MAX; vendor++) {
		if (strlen(vendors[vendor]) == length &&
		    memcmp(vendors[vendor], name, length) == 0) {
			*out = (enum mm_ai_vendor)vendor;
			return true;
		}
	}
	return false;
}

static void make_path(char path[PATH_BYTES], const char *dir, const char *app)
{
	snprintf(path, PATH_BYTES, "%s/%s.ai", dir, app);
}

/* The blocks are allocated first: a store into a hole on a full disk would kill the process. */
static struct page *map(int fd)
{
	const int error = posix_fallocate(fd, 0, sizeof(struct page));
	if (error != 0) {
		errno = error;
		return NULL;
	}
	struct page *page =
	    mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

/* A file of zeros is a fresh one, and another layout's numbers would be nonsense. */
static void prepare(struct page *page)
{
	if (memcmp(page->magic, magic, sizeof magic) == 0)
		return;
	memset(page->accounts, 0, sizeof page->accounts);
	memcpy(page->magic, magic, sizeof magic);
}

static struct page *open_page(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return NULL;
	struct page *page = map(fd);
	const int error = errno;
	close(fd);
	errno = error;
	if (page)
		prepare(page);
	return page;
}

enum mm_status mm_ledger_open(const char *dir, const char *app, struct mm_ledger **out,
			      struct mm_error *err)
{
	char path[PATH_BYTES];
	struct mm_ledger *ledger = calloc(1, sizeof *ledger);
	if (!ledger)
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the accounts");
	make_path(path, dir, app);
	ledger->page = open_page(path);
	ledger->is_mapped = ledger->page != NULL;
	if (!ledger->is_mapped) {
		mm_log(MM_LOG_WARNING, NULL,
		       "ai: %s: %s; this process counts failures and tokens for itself", path,
		       strerror(errno));
		ledger->page = calloc(1, sizeof *ledger->page);
	}
	if (!ledger->page) {
		free(ledger);
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the accounts");
	}
	*out = ledger;
	return MM_OK;
}

void mm_ledger_close(struct mm_ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->is_mapped)
		munmap(ledger->page, sizeof *ledger->page);
	else
		free(ledger->page);
	free(ledger);
}

struct mm_account *mm_ledger_account(struct mm_ledger *ledger, enum mm_ai_vendor vendor)
{
	return &ledger->page->accounts[vendor];
}

enum mm_status mm_ledger_read(const char *dir, const char *app,
			      struct mm_account accounts_out[MM_LEDGER_ACCOUNTS],
			      struct mm_arena *arena, struct mm_error *err)
{
	char path[PATH_BYTES];
	char *bytes;
	size_t length;
	make_path(path, dir, app);
	const enum mm_status status =
	    mm_file_read(path, sizeof(struct page), &bytes, &length, arena, err);
	if (status != MM_OK)
		return status;
	if (length != sizeof(struct page) || memcmp(bytes, magic, sizeof magic) != 0)
		return mm_error_cause(err, MM_UPSTREAM, "%s: not a file of this version", path);
	memcpy(accounts_out, bytes + offsetof(struct page, accounts),
	       sizeof(struct mm_account) * MM_LEDGER_ACCOUNTS);
	return MM_OK;
}
