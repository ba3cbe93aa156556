/* regex_parse.c: reads an expression into a tree. The dialect is described in rules.h. */
#include "config.h"

#include "detect/regex.h"

#include <string.h>

#include "text/utf8.h"

struct reader {
	const char *at, *end;
	struct mm_arena *arena;
	const char *reason; /* NULL while all is well, or when the arena is full */
	bool has_failed;
	unsigned depth;
};

static const struct mm_code_range digit_ranges[] = {{'0', '9'}};
static const struct mm_code_range word_ranges[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct mm_code_range space_ranges[] = {{'\t', '\r'}, {' ', ' '}};
static const struct mm_code_range newline_ranges[] = {{'\n', '\n'}};

static const struct {
	char letter;
	struct mm_char_class class;
} class_escapes[] = {
    {'d', {false, 1, digit_ranges, 0}}, {'D', {true, 1, digit_ranges, 0}},
    {'w', {false, 4, word_ranges, 0}},  {'W', {true, 4, word_ranges, 0}},
    {'s', {false, 2, space_ranges, 0}}, {'S', {true, 2, space_ranges, 0}},
};

static const struct mm_char_class any_class = {true, 1, newline_ranges, 0};

static struct mm_node *parse_alternatives(struct reader *r);

static void *fail(struct reader *r, const char *reason)
{
	if (!r->has_failed)
		r->reason = reason;
	r->has_failed = true;
	return NULL;
}

static struct mm_node *make(struct reader *r, enum mm_node_kind kind)
{
	struct mm_node *node = mm_arena_zalloc(r->arena, sizeof(*node));

	if (!node)
		return fail(r, NULL);
	node->kind = kind;
	return node;
}

static struct mm_node *make_class(struct reader *r, const struct mm_char_class *class)
{
	struct mm_node *node = make(r, MM_NODE_CLASS);
	struct mm_char_class *own = mm_arena_alloc(r->arena, sizeof(*own));

	if (!node || !own)
		return fail(r, NULL);
	*own = *class;
	node->class = own;
	return node;
}

static struct mm_node *make_char(struct reader *r, uint32_t code_point)
{
	struct mm_node *node = make(r, MM_NODE_CHAR);

	if (node)
		node->code_point = code_point;
	return node;
}

static struct mm_node *make_assert(struct reader *r, enum mm_assertion assertion)
{
	struct mm_node *node = make(r, MM_NODE_ASSERT);

	if (node)
		node->assertion = assertion;
	return node;
}

bool mm_class_has(const struct mm_char_class *class, uint32_t code_point)
{
	for (uint32_t i = 0; i < class->range_count; i++)
		if (code_point >= class->ranges[i].from && code_point <= class->ranges[i].to)
			return !class->is_negated;
	return class->is_negated;
}

static uint32_t take_char(struct reader *r)
{
	uint32_t code_point = 0;
	size_t length = mm_utf8_decode(r->at, (size_t)(r->end - r->at), &code_point);

	if (length == 0) {
		fail(r, "not valid UTF-8");
		r->at = r->end;
		return 0;
	}
	r->at += length;
	return code_point;
}

static bool is_next(const struct reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

/* The character that an escape stands for, or 0 when it is none. */
static uint32_t escaped_char(uint32_t letter)
{
	switch (letter) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		break;
	}
	bool is_alphanumeric = (letter >= '0' && letter <= '9') ||
			       (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
	return is_alphanumeric ? 0 : letter;
}

static const struct mm_char_class *escaped_class(uint32_t letter)
{
	for (size_t i = 0; i < sizeof(class_escapes) / sizeof(class_escapes[0]); i++)
		if ((uint32_t)class_escapes[i].letter == letter)
			return &class_escapes[i].class;
	return NULL;
}

static struct mm_node *parse_escape(struct reader *r)
{
	uint32_t letter = r->at < r->end ? take_char(r) : 0;
	const struct mm_char_class *class = escaped_class(letter);

	if (class)
		return make_class(r, class);
	if (letter == 'b')
		return make_assert(r, MM_ASSERT_WORD);
	if (letter == 'B')
		return make_assert(r, MM_ASSERT_NOT_WORD);
	letter = escaped_char(letter);
	return letter ? make_char(r, letter) : fail(r, "unknown escape");
}

/* One end of a range inside brackets; class escapes add their ranges and give false. */
static bool take_member(struct reader *r, struct mm_code_range *ranges, uint32_t *count,
			uint32_t *out)
{
	*out = take_char(r);
	if (*out != '\\')
		return true;
	uint32_t letter = r->at < r->end ? take_char(r) : 0;
	const struct mm_char_class *class = escaped_class(letter);

	if (!class) {
		*out = letter == 'b' ? '\b' : escaped_char(letter);
		if (*out == 0)
			fail(r, "unknown escape in [...]");
		return true;
	}
	if (class->is_negated)
		fail(r, "\\D, \\W and \\S cannot stand in [...]");
	memcpy(ranges + *count, class->ranges, class->range_count * sizeof(*ranges));
	*count += class->range_count;
	return false;
}

static struct mm_node *parse_brackets(struct reader *r)
{
	struct mm_char_class *class = mm_arena_zalloc(r->arena, sizeof(*class));
	/* A member of one byte makes at most four ranges (\w has two bytes). */
	struct mm_code_range *ranges =
	    mm_arena_array(r->arena, (size_t)(r->end - r->at) * 2 + 4, sizeof(*ranges));
	uint32_t count = 0;

	if (!class || !ranges)
		return fail(r, NULL);
	if (is_next(r, '^')) {
		class->is_negated = true;
		r->at++;
	}
	for (bool is_first = true; r->at < r->end && (is_first || *r->at != ']');
	     is_first = false) {
		uint32_t from, to;

		if (!take_member(r, ranges, &count, &from))
			continue;
		to = from;
		if (r->at + 1 < r->end && *r->at == '-' && r->at[1] != ']') {
			r->at++;
			if (!take_member(r, ranges, &count, &to))
				return fail(r, "a range needs two characters");
		}
		if (to < from)
			return fail(r, "a range in [...] runs backwards");
		ranges[count++] = (struct mm_code_range){from, to};
	}
	if (r->at == r->end)
		return fail(r, "[ without ]");
	r->at++;
	class->ranges = ranges;
	class->range_count = count;
	return make_class(r, class);
}

/* (?= (?! (?<= (?<! : a single character or class, then the closing bracket. */
static struct mm_node *parse_look(struct reader *r, enum mm_assertion assertion, size_t skip)
{
	struct mm_node *body, *node;

	r->at += skip;
	body = parse_alternatives(r);
	if (!body || !is_next(r, ')'))
		return fail(r, "( without )");
	r->at++;
	if (body->kind == MM_NODE_CHAR) {
		struct mm_char_class *class = mm_arena_zalloc(r->arena, sizeof(*class));
		struct mm_code_range *range = mm_arena_alloc(r->arena, sizeof(*range));

		if (!class || !range)
			return fail(r, NULL);
		*range = (struct mm_code_range){body->code_point, body->code_point};
		*class = (struct mm_char_class){false, 1, range, 0};
		body->class = class;
	} else if (body->kind != MM_NODE_CLASS) {
		return fail(r, "looking around takes one character or one [...]");
	}
	node = make_assert(r, assertion);
	if (node)
		node->class = body->class;
	return node;
}

static struct mm_node *parse_group(struct reader *r)
{
	static const struct {
		const char *text;
		enum mm_assertion assertion;
	} looks[] = {{"?=", MM_ASSERT_AHEAD},
		     {"?!", MM_ASSERT_NOT_AHEAD},
		     {"?<=", MM_ASSERT_BEHIND},
		     {"?<!", MM_ASSERT_NOT_BEHIND}};
	struct mm_node *node;

	if (++r->depth > MM_REGEX_DEPTH_MAX)
		return fail(r, "too many ( inside each other");
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (strncmp(r->at, looks[i].text, strlen(looks[i].text)) != 0)
			continue;
		node = parse_look(r, looks[i].assertion, strlen(looks[i].text));
		r->depth--;
		return node;
	}
	if (strncmp(r->at, "?:", 2) == 0)
		r->at += 2;
	else if (is_next(r, '?'))
		return fail(r, "unknown kind of group");
	node = parse_alternatives(r);
	if (!r->has_failed && !is_next(r, ')'))
		return fail(r, "( without )");
	r->at++;
	r->depth--;
	return node;
}

static struct mm_node *parse_atom(struct reader *r)
{
	uint32_t c = take_char(r);

	switch (c) {
	case '(':
		return parse_group(r);
	case '[':
		return parse_brackets(r);
	case '\\':
		return parse_escape(r);
	case '.':
		return make_class(r, &any_class);
	case '^':
		return make_assert(r, MM_ASSERT_BEGIN);
	case '$':
		return make_assert(r, MM_ASSERT_END);
	case '*':
	case '+':
	case '?':
		return fail(r, "nothing to repeat");
	default:
		return make_char(r, c);
	}
}

static bool take_number(struct reader *r, uint32_t *out)
{
	uint32_t value = 0;
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && value < 100000)
		value = value * 10 + (uint32_t)(*r->at++ - '0');
	*out = value;
	return r->at > start;
}

/* {m} {m,} {,n} {m,n} after the opening brace; false: it is a literal brace. */
static bool take_braces(struct reader *r, uint32_t *min, uint32_t *max)
{
	const char *start = r->at;
	bool has_min = take_number(r, min), has_comma = is_next(r, ',');
	bool has_max = false;

	*max = *min;
	if (has_comma) {
		r->at++;
		has_max = take_number(r, max);
		if (!has_max)
			*max = MM_UNBOUNDED;
	}
	if (!is_next(r, '}') || (!has_min && !has_max)) {
		r->at = start;
		return false;
	}
	r->at++;
	return true;
}

static bool take_quantifier(struct reader *r, uint32_t *min, uint32_t *max)
{
	*min = 0;
	*max = MM_UNBOUNDED;
	if (r->at == r->end)
		return false;
	switch (*r->at++) {
	case '*':
		return true;
	case '+':
		*min = 1;
		return true;
	case '?':
		*max = 1;
		return true;
	case '{':
		if (take_braces(r, min, max))
			return true;
		break;
	default:
		break;
	}
	r->at--;
	return false;
}

static struct mm_node *repeat(struct reader *r, struct mm_node *node, uint32_t min, uint32_t max)
{
	struct mm_node *repeated = make(r, MM_NODE_REPEAT);

	if (!repeated)
		return NULL;
	if (min > MM_REPEAT_MAX || (max != MM_UNBOUNDED && (max > MM_REPEAT_MAX || max < min)))
		return fail(r, "a bad count in {}");
	if (node->kind == MM_NODE_ASSERT)
		return fail(r, "an assertion cannot be repeated");
	repeated->min = min;
	repeated->max = max;
	repeated->child = node;
	return repeated;
}

static struct mm_node *parse_repeats(struct reader *r)
{
	struct mm_node *node = parse_atom(r);
	uint32_t min, max;

	while (node && take_quantifier(r, &min, &max)) {
		node = repeat(r, node, min, max);
		/* A ? after a quantifier asks for the shortest match; spans are the longest. */
		if (is_next(r, '?'))
			r->at++;
	}
	return node;
}

static struct mm_node *parse_sequence(struct reader *r)
{
	struct mm_node *cat = make(r, MM_NODE_CAT), *last = NULL;

	while (cat && r->at < r->end && *r->at != '|' && *r->at != ')') {
		struct mm_node *node = parse_repeats(r);

		if (!node)
			return NULL;
		if (last)
			last->next = node;
		else
			cat->child = node;
		last = node;
	}
	if (cat && cat->child && !cat->child->next)
		return cat->child;
	return cat;
}

static struct mm_node *parse_alternatives(struct reader *r)
{
	struct mm_node *first = parse_sequence(r), *alt, *last = first;

	if (!first || !is_next(r, '|'))
		return first;
	alt = make(r, MM_NODE_ALT);
	if (!alt)
		return NULL;
	alt->child = first;
	while (is_next(r, '|')) {
		r->at++;
		last->next = parse_sequence(r);
		if (!last->next)
			return NULL;
		last = last->next;
	}
	return alt;
}

bool mm_regex_is_nullable(const struct mm_node *node)
{
	switch (node->kind) {
	case MM_NODE_CHAR:
	case MM_NODE_CLASS:
		return false;
	case MM_NODE_ASSERT:
		return true;
	case MM_NODE_REPEAT:
		return node->min == 0 || mm_regex_is_nullable(node->child);
	case MM_NODE_CAT:
		for (const struct mm_node *child = node->child; child; child = child->next)
			if (!mm_regex_is_nullable(child))
				return false;
		return true;
	case MM_NODE_ALT:
		break;
	}
	for (const struct mm_node *child = node->child; child; child = child->next)
		if (mm_regex_is_nullable(child))
			return true;
	return false;
}

bool mm_regex_parse(const char *expression, struct mm_node **out, struct mm_arena *arena,
		    const char **reason_out)
{
	struct reader reader = {
	    .at = expression, .end = expression + strlen(expression), .arena = arena};
	struct mm_node *tree = parse_alternatives(&reader);

	if (tree && reader.at < reader.end)
		fail(&reader, ") without (");
	if (!reader.has_failed && tree && mm_regex_is_nullable(tree))
		fail(&reader, "it matches the empty text");
	if (!tree || reader.has_failed) {
		*reason_out = reader.reason;
		return false;
	}
	*out = tree;
	return true;
}
