/*
 * fail_malloc: an LD_PRELOAD library that makes one allocation of a running worker fail. Not a part of
 * Mamori: the memory tests compile it.
 *
 * MAMORI_FAIL_MALLOC names a folder. A process called NAME.fcgi maps the file NAME of it, a struct plan,
 * which the test writes while the process runs; all others are left alone. The plan is armed by setting
 * `left` to n: the n-th allocation from then on, of those that fit, returns NULL, once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { START_NAME = 64 };

struct plan {
	_Atomic long long left;   /* allocations until the one that fails; 0 and less: none */
	_Atomic long long failed; /* how many have failed */
	long long least, most;    /* sizes that fit */
	char thread[START_NAME];  /* function that the thread started with; "": any thread */
};

struct start {
	void *(*function)(void *);
	void *argument;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct plan *plan;
static __thread char thread_name[START_NAME];

__attribute__((constructor)) static void map_plan(void)
{
	const char *folder = getenv("MAMORI_FAIL_MALLOC");
	const char *program = program_invocation_short_name;
	char path[4096];

	if (strncmp(program, "lt-", 3) == 0)
		program += 3;
	const char *dot = strstr(program, ".fcgi");
	if (!folder || !dot)
		return;
	snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(dot - program), program);
	int file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return;
	void *mapped = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (mapped != MAP_FAILED)
		plan = mapped;
}

static int is_to_fail(size_t size)
{
	if (!plan || atomic_load(&plan->left) <= 0)
		return 0;
	if ((long long)size < plan->least || (long long)size > plan->most)
		return 0;
	if (plan->thread[0] && strcmp(plan->thread, thread_name) != 0)
		return 0;
	if (atomic_fetch_sub(&plan->left, 1) != 1)
		return 0;
	atomic_fetch_add(&plan->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return is_to_fail(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_to_fail(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return is_to_fail(size) ? NULL : __libc_realloc(old, size);
}

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;
	Dl_info found;

	free(argument);
	if (dladdr((void *)start.function, &found) && found.dli_sname)
		snprintf(thread_name, sizeof(thread_name), "%s", found.dli_sname);
	return start.function(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
		   void *argument)
{
	static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	struct start *start = __libc_malloc(sizeof(*start));

	if (!create)
		*(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
	if (!start || !create)
		return EAGAIN;
	*start = (struct start){function, argument};
	int result = create(thread, attributes, run, start);
	if (result != 0)
		free(start);
	return result;
}
