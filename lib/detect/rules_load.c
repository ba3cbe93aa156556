/* rules_load.c: from folders of rule files to a rule set in memory. The only file of this folder
 * that reads files, but for the cache in rules_compile.c. */
#include "config.h"

#include "detect/rules_internal.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILE_MAX_BYTES = 8 * 1024 * 1024, FILES_MAX = 1024, ARENA_MAX_BYTES = 512 * 1024 * 1024 };

struct loader {
	struct mm_draft drafts[2 * FILES_MAX]; /* one a file */
	size_t draft_count;
	struct mm_rewrites *rewrites;
	struct mm_arena *keep, *scratch;
	struct mm_error *err;
};

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return length > end_length && strcmp(name + length - end_length, end) == 0;
}

static bool is_table(const char *name)
{
	return ends_with(name, ".disguise");
}

static int is_rule_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_with(entry->d_name, ".rules") || is_table(entry->d_name));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum mm_status load_file(struct loader *loader, const char *dir, const char *name,
				bool is_site)
{
	char *path = mm_arena_printf(loader->scratch, "%s/%s", dir, name);
	struct mm_error cause = {.status = MM_OK};
	char *text;
	size_t length;
	enum mm_status status;

	if (!path)
		return mm_error_cause(loader->err, MM_NO_MEMORY, "no memory for the rules");
	status = mm_file_read(path, FILE_MAX_BYTES, &text, &length, loader->scratch, &cause);
	if (status == MM_NO_MEMORY)
		return mm_error_cause(loader->err, status, "%s: no memory", path);
	if (status != MM_OK)
		return mm_error_set(loader->err, MM_BAD_INPUT, NULL, NULL,
				    "%s: cannot be read (%s)", path,
				    cause.cause[0] ? cause.cause : mm_status_message(status));
	if (is_table(name))
		return mm_rewrites_parse(loader->rewrites, name, text, length, loader->err);
	status = mm_rules_parse(name, text, length, is_site, &loader->drafts[loader->draft_count],
				loader->keep, loader->scratch, loader->err);
	if (status == MM_OK)
		loader->draft_count++;
	return status;
}

static enum mm_status load_names(struct loader *loader, const char *dir, bool is_site,
				 struct dirent **names, int count)
{
	enum mm_status status = MM_OK;

	if (count > FILES_MAX)
		return mm_error_set(loader->err, MM_BAD_INPUT, NULL, NULL,
				    "%s: more than %d rule files", dir, FILES_MAX);
	for (int i = 0; i < count && status == MM_OK; i++)
		status = load_file(loader, dir, names[i]->d_name, is_site);
	return status;
}

static enum mm_status load_dir(struct loader *loader, const char *dir, bool is_site)
{
	struct dirent **names;
	int count = scandir(dir, &names, is_rule_file, by_name);
	enum mm_status status;

	if (count < 0 && is_site && errno == ENOENT)
		return MM_OK;
	if (count < 0)
		return mm_error_set(loader->err, MM_BAD_INPUT, NULL, NULL,
				    "%s: cannot be read (%s)", dir, strerror(errno));
	status = load_names(loader, dir, is_site, names, count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return status;
}

/* One draft of all files, with the patterns pointing at the right rules. */
static enum mm_status join_drafts(struct loader *loader, struct mm_draft *out)
{
	struct mm_draft all = {0};

	for (size_t i = 0; i < loader->draft_count; i++) {
		all.rule_count += loader->drafts[i].rule_count;
		all.pattern_count += loader->drafts[i].pattern_count;
	}
	if (all.rule_count > MM_RULES_MAX)
		return mm_error_set(loader->err, MM_BAD_INPUT, NULL, NULL, "more than %d rules",
				    MM_RULES_MAX);
	all.rules = mm_arena_array(loader->scratch, all.rule_count + 1, sizeof(*all.rules));
	all.patterns =
	    mm_arena_array(loader->scratch, all.pattern_count + 1, sizeof(*all.patterns));
	if (!all.rules || !all.patterns)
		return mm_error_cause(loader->err, MM_NO_MEMORY, "no memory for the rules");
	size_t rules = 0, patterns = 0;
	for (size_t i = 0; i < loader->draft_count; i++) {
		const struct mm_draft *draft = &loader->drafts[i];

		for (size_t j = 0; j < draft->pattern_count; j++) {
			all.patterns[patterns] = draft->patterns[j];
			all.patterns[patterns++].rule += rules;
		}
		for (size_t j = 0; j < draft->rule_count; j++)
			all.rules[rules++] = draft->rules[j];
	}
	*out = all;
	return MM_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct mm_draft_rule *x = *(struct mm_draft_rule *const *)a;
	const struct mm_draft_rule *y = *(struct mm_draft_rule *const *)b;
	int order = strcmp(x->rule.id, y->rule.id);

	if (order == 0)
		order = (int)x->is_site - (int)y->is_site;
	return order ? order : (x > y) - (x < y);
}

/* Drops the rules that are off or that the site replaces; the same id twice is an error. */
static enum mm_status settle_ids(struct mm_draft *draft, struct mm_arena *scratch,
				 struct mm_error *err)
{
	struct mm_draft_rule **sorted =
	    mm_arena_array(scratch, draft->rule_count + 1, sizeof(struct mm_draft_rule *));

	if (!sorted)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the rules");
	for (size_t i = 0; i < draft->rule_count; i++) {
		sorted[i] = &draft->rules[i];
		draft->rules[i].is_dropped = draft->rules[i].rule.kind == MM_RULE_OFF;
	}
	qsort(sorted, draft->rule_count, sizeof(*sorted), by_id);
	for (size_t i = 1; i < draft->rule_count; i++) {
		const struct mm_rule *first = &sorted[i - 1]->rule, *second = &sorted[i]->rule;

		if (strcmp(first->id, second->id) != 0)
			continue;
		if (sorted[i - 1]->is_site == sorted[i]->is_site)
			return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
					    "%s:%u: [%s] is already at %s:%u", second->file,
					    second->line, second->id, first->file, first->line);
		sorted[i - 1]->is_dropped = true;
	}
	return MM_OK;
}

static enum mm_status read_draft(struct loader *loader, const char *dir, const char *site_dir,
				 struct mm_draft *out)
{
	enum mm_status status = load_dir(loader, dir, false);

	if (status == MM_OK && loader->draft_count == 0)
		status = mm_error_set(loader->err, MM_BAD_INPUT, NULL, NULL,
				      "%s: holds no *.rules file", dir);
	if (status == MM_OK && site_dir)
		status = load_dir(loader, site_dir, true);
	if (status == MM_OK)
		status = join_drafts(loader, out);
	if (status == MM_OK)
		status = settle_ids(out, loader->scratch, loader->err);
	return status;
}

static enum mm_status load_into(struct mm_rules *rules, const char *dir, const char *site_dir,
				const char *cache_dir, bool must_store, struct mm_arena *scratch,
				struct mm_error *err)
{
	struct loader *loader = mm_arena_zalloc(scratch, sizeof(*loader));
	struct mm_view_source sources[MM_VIEWS] = {{.needles = NULL}};
	struct mm_draft draft = {.rule_count = 0};
	enum mm_status status;

	if (!loader)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the rules");
	*loader = (struct loader){.keep = rules->arena, .scratch = scratch, .err = err};
	status = mm_rewrites_new(&rules->rewrites, err);
	loader->rewrites = rules->rewrites;
	if (status == MM_OK)
		status = read_draft(loader, dir, site_dir, &draft);
	if (status == MM_OK)
		status = mm_rewrites_finish(rules->rewrites, err);
	if (status == MM_OK)
		status = mm_rules_build(&draft, rules, sources, scratch, err);
	if (status == MM_OK)
		status = mm_rules_database(rules, sources, cache_dir, must_store, err);
	for (int view = 0; view < MM_VIEWS; view++)
		mm_intern_free(&sources[view].parts);
	return status;
}

static enum mm_status load(const char *dir, const char *site_dir, const char *cache_dir,
			   bool must_store, struct mm_rules **out, struct mm_error *err)
{
	struct mm_rules *rules = calloc(1, sizeof(*rules));
	struct mm_arena *scratch = mm_arena_new(ARENA_MAX_BYTES);
	enum mm_status status;

	if (rules)
		rules->arena = mm_arena_new(ARENA_MAX_BYTES);
	if (!rules || !scratch || !rules->arena)
		status = mm_error_cause(err, MM_NO_MEMORY, "no memory for the rules");
	else
		status = load_into(rules, dir, site_dir, cache_dir, must_store, scratch, err);
	mm_arena_free(scratch);
	/* Parsing and compiling leave tens of megabytes of free heap behind. */
	malloc_trim(0);
	if (status == MM_OK)
		*out = rules;
	else
		mm_rules_free(rules);
	return status;
}

enum mm_status mm_rules_load(const char *dir, const char *site_dir, const char *cache_dir,
			     struct mm_rules **out, struct mm_error *err)
{
	return load(dir, site_dir, cache_dir, false, out, err);
}

enum mm_status mm_rules_compile(const char *dir, const char *site_dir, const char *cache_dir,
				struct mm_error *err)
{
	struct mm_rules *rules;
	enum mm_status status = load(dir, site_dir, cache_dir, true, &rules, err);

	if (status == MM_OK)
		mm_rules_free(rules);
	return status;
}
