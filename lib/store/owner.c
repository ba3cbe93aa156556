/* owner: the names of owners. */
#include "config.h"

#include "store/owner.h"

#include <string.h>

static const char *const names[MM_OWNER__MAX] = {"bot", "human", "closed"};

const char *mm_owner_name(enum mm_owner owner)
{
	return (unsigned)owner < MM_OWNER__MAX ? names[owner] : "unknown";
}

enum mm_owner mm_owner_parse(const char *name)
{
	for (int i = 0; i < MM_OWNER__MAX; i++)
		if (strcmp(names[i], name) == 0)
			return (enum mm_owner)i;
	return MM_OWNER_HUMAN;
}
