/* rules: mamori rules checks rule files, and compiles them ahead of a start. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/data_path.h"
#include "command.h"
#include "detect/rules.h"

static int fail_usage(void)
{
	fprintf(stderr, "mamori: rules takes \"check [DIR]\" or \"compile\"\n");
	return EXIT_USAGE;
}

/* Loads everything as a worker would, but never from the cache: what is on the disk is judged. */
static int check(const char *rules_dir, const char *site_dir)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;

	if (mm_rules_load(rules_dir, site_dir, NULL, &rules, &err) != MM_OK)
		return command_fail("rules check", &err);
	const struct mm_rules_size size = mm_rules_size(rules);
	size_t site = 0;

	for (size_t i = 0; i < mm_rules_count(rules); i++)
		site += mm_rules_at(rules, i)->is_site;
	printf("%zu rules, %zu of them from %s; %zu patterns, found by %zu literals\n", size.rules,
	       site, site_dir[0] ? site_dir : "no folder of the site", size.patterns,
	       size.needles + size.squeezed_needles);
	mm_rules_free(rules);
	return EXIT_DONE;
}

static int compile(const struct invocation *invocation, const char *rules_dir)
{
	struct mm_error err = {.status = MM_OK};
	const char *cache_dir = invocation->settings->detect.cache_dir;

	if (cache_dir[0] == '\0') {
		fprintf(stderr, "mamori: rules compile: detect.cache_dir is empty\n");
		return EXIT_FAILED;
	}
	if (mm_rules_compile(rules_dir, invocation->settings->detect.site_rules_dir, cache_dir,
			     &err) != MM_OK)
		return command_fail("rules compile", &err);
	printf("compiled into %s\n", cache_dir);
	return EXIT_DONE;
}

int command_rules(const struct invocation *invocation)
{
	const char *verb = invocation->count > 0 ? invocation->arguments[0] : "";
	const char *rules_dir =
	    mm_data_path(invocation->settings->detect.rules_dir, invocation->arena);

	if (strcmp(verb, "check") == 0 && invocation->count <= 2)
		return check(rules_dir, invocation->count == 2
					    ? invocation->arguments[1]
					    : invocation->settings->detect.site_rules_dir);
	if (strcmp(verb, "compile") == 0 && invocation->count == 1)
		return compile(invocation, rules_dir);
	return fail_usage();
}
