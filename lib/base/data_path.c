/* data_path: looks beside the executable; reads nothing. */
#include "config.h"

#include "base/data_path.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char *const beside[] = {"../share/mamori", "../../share/mamori"};

/* The folder of the running executable, without a trailing slash; NULL if it can't be told. */
static const char *executable_folder(char path[PATH_MAX])
{
	const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return path;
}

const char *mm_data_path(const char *path, struct mm_arena *arena)
{
	char folder_text[PATH_MAX];
	const size_t prefix = strlen(MM_DATA_DIR);
	if (strncmp(path, MM_DATA_DIR, prefix) != 0 || access(path, F_OK) == 0)
		return path;
	const char *folder = executable_folder(folder_text);
	for (size_t i = 0; folder && i < sizeof beside / sizeof beside[0]; i++) {
		const char *candidate =
		    mm_arena_printf(arena, "%s/%s%s", folder, beside[i], path + prefix);
		if (!candidate)
			return NULL;
		if (access(candidate, F_OK) == 0)
			return candidate;
	}
	return path;
}
