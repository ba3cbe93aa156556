/* rules.c: reading access to a loaded rule set, and its end. */
#include "config.h"

#include "detect/rules_internal.h"

#include <stdlib.h>
#include <string.h>

void mm_rules_free(struct mm_rules *rules)
{
	if (!rules)
		return;
	for (int view = 0; view < MM_VIEWS; view++) {
		for (int kind = 0; kind < MM_NEEDLE_KINDS; kind++)
			hs_free_database(rules->views[view].databases[kind]);
		mm_code_free(&rules->views[view].code);
	}
	mm_rewrites_free(rules->rewrites);
	mm_arena_free(rules->arena);
	free(rules);
}

size_t mm_rules_count(const struct mm_rules *rules)
{
	return rules->rule_count;
}

const struct mm_rule *mm_rules_at(const struct mm_rules *rules, size_t index)
{
	return &rules->rules[index];
}

const char *mm_rules_context_name(const struct mm_rules *rules, uint32_t number)
{
	return number < rules->context_count ? rules->contexts[number] : "";
}

uint32_t mm_rules_context_find(const struct mm_rules *rules, const char *name)
{
	for (uint32_t i = 0; i < rules->context_count; i++)
		if (strcmp(rules->contexts[i], name) == 0)
			return i;
	return UINT32_MAX;
}

struct mm_rules_size mm_rules_size(const struct mm_rules *rules)
{
	size_t program_bytes = 0;

	for (int view = 0; view < MM_VIEWS; view++)
		program_bytes += rules->views[view].code.count * sizeof(struct mm_instruction) +
				 rules->views[view].branch_count * sizeof(struct mm_branch);
	return (struct mm_rules_size){.rules = rules->rule_count,
				      .patterns = rules->views[0].pattern_count,
				      .parts = rules->views[0].part_count,
				      .squeezed_parts = rules->views[1].part_count,
				      .needles = rules->views[0].needle_count,
				      .squeezed_needles = rules->views[1].needle_count,
				      .program_bytes = program_bytes,
				      .database_bytes = rules->database_bytes,
				      .is_from_cache = rules->is_from_cache};
}
