/*
 * routes: the look-up in an executable's table of routes. It calls no handler.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "http/routes.h"

/* Whether a path is what a row's says; and what stands where the row has {id}, if it has. */
static bool is_match(const char *pattern, const char *path, struct mm_route_match *match)
{
	static const char mark[] = "{id}";
	const char *at = strstr(pattern, mark);

	if (!at)
		return strcmp(pattern, path) == 0;
	size_t before = (size_t)(at - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	size_t length = strcspn(path + before, "/");
	if (length == 0 || strcmp(at + sizeof(mark) - 1, path + before + length) != 0)
		return false;
	match->id = path + before;
	match->id_length = length;
	return true;
}

static bool is_in_allow(const char *allow, const char *method)
{
	size_t length = strlen(method);

	for (const char *at = strstr(allow, method); at; at = strstr(at + 1, method)) {
		bool begins = at == allow || at[-1] == ' ';
		bool ends = at[length] == '\0' || at[length] == ',';
		if (begins && ends)
			return true;
	}
	return false;
}

static void add_to_allow(char allow[MM_ALLOW_TEXT], const char *method)
{
	size_t length = strlen(allow);

	if (!is_in_allow(allow, method))
		snprintf(allow + length, MM_ALLOW_TEXT - length, "%s%s", length ? ", " : "",
			 method);
}

/* GET implies HEAD; OPTIONS, allowed for every path, comes last. */
static void list_methods(const struct mm_route *routes, size_t count, const char *path,
			 struct mm_route_match *match)
{
	char *allow = match->allow;

	for (size_t i = 0; i < count; i++) {
		if (!is_match(routes[i].path, path, match))
			continue;
		add_to_allow(allow, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			add_to_allow(allow, "HEAD");
	}
	if (allow[0])
		add_to_allow(allow, "OPTIONS");
}

static const struct mm_route *find_row(const struct mm_route *routes, size_t count,
				       const char *method, const char *path,
				       struct mm_route_match *match)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(routes[i].method, method) == 0 && is_match(routes[i].path, path, match))
			return &routes[i];
	return NULL;
}

enum mm_status mm_route_find(const struct mm_route *routes, size_t count, const char *method,
			     const char *path, struct mm_route_match *match_out)
{
	struct mm_route_match match = {.is_head = strcmp(method, "HEAD") == 0};
	enum mm_status status = MM_OK;

	match.route = find_row(routes, count, method, path, &match);
	if (!match.route && match.is_head)
		match.route = find_row(routes, count, "GET", path, &match);
	if (!match.route) {
		list_methods(routes, count, path, &match);
		match.is_options = match.allow[0] && strcmp(method, "OPTIONS") == 0;
		if (!match.is_options)
			status = match.allow[0] ? MM_BAD_METHOD : MM_NOT_FOUND;
	}
	*match_out = match;
	return status;
}
