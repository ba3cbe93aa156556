/* rules_pattern.c: cuts the pattern of a rule file at its joints, ` ~ ` and ` ~~ `. What the parts mean
 * is for regex_parse.c. */
#include "config.h"

#include "detect/rules_internal.h"

#include <string.h>

struct part {
	const char *text;
	size_t length;
};

static struct part trim(struct part part)
{
	while (part.length > 0 && strchr(" \t", part.text[0])) {
		part.text++;
		part.length--;
	}
	while (part.length > 0 && strchr(" \t", part.text[part.length - 1]))
		part.length--;
	return part;
}

/* Finds the next joint at or after `from`; gives its offset, or the length. */
static size_t find_joint(struct part s, size_t from, size_t *length_out, unsigned *gap_out)
{
	for (size_t i = from; i + 3 <= s.length; i++) {
		if (s.text[i] != ' ' || s.text[i + 1] != '~')
			continue;
		size_t tildes = s.text[i + 2] == '~' ? 2 : 1;
		if (i + tildes + 1 < s.length && s.text[i + tildes + 1] == ' ') {
			*length_out = tildes + 2;
			*gap_out = tildes == 2 ? MM_GAP_FAR : MM_GAP_NEAR;
			return i;
		}
	}
	*length_out = 0;
	return s.length;
}

/* `あ ~ ~ い`, `~ い` and `あ ~` leave a part with a joint at its edge. */
static bool has_loose_joint(struct part part)
{
	size_t begin = 0, end = part.length;

	while (begin < part.length && part.text[begin] == '~')
		begin++;
	while (end > 0 && part.text[end - 1] == '~')
		end--;
	return begin == part.length || (begin > 0 && part.text[begin] == ' ') ||
	       (end < part.length && part.text[end - 1] == ' ');
}

/* What is wrong with adding one more part, or NULL. */
static const char *check_part(const struct mm_draft_pattern *pattern, struct part part)
{
	if (has_loose_joint(part))
		return "a part of the pattern is empty";
	if (pattern->part_count == MM_PATTERN_PARTS_MAX)
		return "a pattern has at most 4 parts";
	if (part.length > MM_PART_MAX)
		return "a part of the pattern is longer than 16384 bytes";
	return NULL;
}

bool mm_pattern_split(const char *text, size_t length, struct mm_draft_pattern *out,
		      struct mm_arena *arena, const char **reason_out)
{
	const struct part whole = {text, length};
	unsigned gap = 0;
	size_t joint_length;

	_Static_assert(MM_PATTERN_PARTS_MAX == 4 && MM_PART_MAX == 16384, "named in messages");
	for (size_t from = 0;; from += joint_length) {
		unsigned gap_before = gap;
		size_t joint = find_joint(whole, from, &joint_length, &gap);
		struct part part = trim((struct part){text + from, joint - from});

		*reason_out = check_part(out, part);
		if (*reason_out)
			return false;
		out->gaps[out->part_count] = gap_before;
		out->parts[out->part_count] = mm_arena_strndup(arena, part.text, part.length);
		if (!out->parts[out->part_count++])
			return false;
		if (joint_length == 0)
			return true;
		from = joint;
	}
}
