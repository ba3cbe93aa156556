/* rules_parse.c: reads the text of one rule file into a draft. It neither opens files nor knows
 * regular expressions. */
#include "config.h"

#include "detect/rules_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "text/utf8.h"

enum key {
	KEY_KIND,
	KEY_SEVERITY,
	KEY_CATEGORY,
	KEY_SENTIMENT,
	KEY_SIGNAL,
	KEY_INTENT,
	KEY_CONTEXT,
	KEY_SIDE,
	KEY_WITHIN,
	KEY_WEIGHT,
	KEY_REASON,
	KEY_REASON_EN,
	KEY_PATTERN,
	KEY_GUARD,
	KEY_GUARDS,
	KEY_UNLESS,
	KEY_REQUIRES,
	KEY_SQUEEZE,
	KEY__MAX
};

#define KIND(name) (1u << MM_RULE_##name)
#define BIT(name)  (1u << KEY_##name)

enum {
	SUBJECTS = KIND(HARASSMENT) | KIND(SENTIMENT) | KIND(SIGNAL) | KIND(INTENT),
	ALL_KINDS = (1u << MM_RULE__MAX) - 1
};

struct slice {
	const char *text;
	size_t length;
};

struct parser {
	const char *file;
	unsigned line;
	struct mm_draft *draft;
	struct mm_draft_rule *open; /* the stanza being read, NULL before the first */
	size_t open_patterns;       /* patterns before the open stanza */
	bool is_site;
	struct mm_arena *keep, *scratch;
	struct mm_error *err;
};

static const char *const kind_names[MM_RULE__MAX] = {
    [MM_RULE_HARASSMENT] = "harassment",
    [MM_RULE_SENTIMENT] = "sentiment",
    [MM_RULE_SIGNAL] = "signal",
    [MM_RULE_INTENT] = "intent",
    [MM_RULE_CONTEXT] = "context",
    [MM_RULE_GUARD] = "guard",
    [MM_RULE_OFF] = "off",
};

static const char *const side_names[MM_SIDE__MAX] = {
    [MM_SIDE_BEFORE] = "before",
    [MM_SIDE_AFTER] = "after",
    [MM_SIDE_AROUND] = "around",
    [MM_SIDE_ANYWHERE] = "anywhere",
};

static enum mm_status fail_at(struct parser *p, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum mm_status fail_at(struct parser *p, unsigned line, const char *format, ...)
{
	char reason[192];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return mm_error_set(p->err, MM_BAD_INPUT, NULL, NULL, "%s:%u: %s", p->file, line, reason);
}

#define FAIL(p, ...) fail_at((p), (p)->line, __VA_ARGS__)

static enum mm_status out_of_memory(struct parser *p)
{
	mm_error_cause(p->err, MM_NO_MEMORY, "%s: no memory for the rules", p->file);
	return MM_NO_MEMORY;
}

static struct slice trim(struct slice s)
{
	while (s.length > 0 && (s.text[0] == ' ' || s.text[0] == '\t'))
		s.text++, s.length--;
	while (s.length > 0 && strchr(" \t\r", s.text[s.length - 1]))
		s.length--;
	return s;
}

static int find_word(const char *const *words, int max, struct slice s)
{
	for (int i = 0; i < max; i++)
		if (strlen(words[i]) == s.length && memcmp(words[i], s.text, s.length) == 0)
			return i;
	return -1;
}

bool mm_rules_each_name(const char *list, bool (*each)(void *self, const char *name, size_t length),
			void *self)
{
	while (list && *list) {
		size_t length;

		list += strspn(list, " \t,");
		length = strcspn(list, " \t,");
		if (length > 0 && !each(self, list, length))
			return false;
		list += length;
	}
	return true;
}

static enum mm_status read_kind(struct parser *p, struct slice value)
{
	int kind = find_word(kind_names, MM_RULE__MAX, value);

	if (kind < 0)
		return FAIL(p, "kind must be harassment, sentiment, signal, intent, context, guard "
			       "or off");
	p->open->rule.kind = (enum mm_rule_kind)kind;
	return MM_OK;
}

static enum mm_status read_severity(struct parser *p, struct slice value)
{
	if (!mm_severity_parse(value.text, value.length, &p->open->rule.severity))
		return FAIL(p, "severity must be none, low, medium, high or critical");
	return MM_OK;
}

static bool add_category(void *self, const char *name, size_t length)
{
	enum mm_category category;

	if (!mm_category_parse(name, length, &category))
		return false;
	((struct mm_rule *)self)->categories |= 1u << category;
	return true;
}

static enum mm_status read_category(struct parser *p, struct slice value)
{
	char *list = mm_arena_strndup(p->scratch, value.text, value.length);

	if (!list)
		return out_of_memory(p);
	if (!mm_rules_each_name(list, add_category, &p->open->rule))
		return FAIL(p, "unknown category in \"%.80s\"", list);
	return MM_OK;
}

static enum mm_status read_sentiment(struct parser *p, struct slice value)
{
	if (!mm_sentiment_parse(value.text, value.length, &p->open->rule.sentiment))
		return FAIL(p, "sentiment must be positive, neutral, negative or anger");
	return MM_OK;
}

static enum mm_status read_signal(struct parser *p, struct slice value)
{
	if (!mm_signal_parse(value.text, value.length, &p->open->rule.signal))
		return FAIL(p, "unknown signal \"%.*s\"", (int)value.length, value.text);
	return MM_OK;
}

static enum mm_status read_intent(struct parser *p, struct slice value)
{
	if (!mm_intent_parse(value.text, value.length, &p->open->rule.intent))
		return FAIL(p, "unknown intent \"%.*s\"", (int)value.length, value.text);
	return MM_OK;
}

static enum mm_status keep_text(struct parser *p, struct slice value, const char **out)
{
	*out = mm_arena_strndup(p->keep, value.text, value.length);
	return *out ? MM_OK : out_of_memory(p);
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.text[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return s.length > 0 && s.length <= MM_RULE_ID_MAX;
}

static enum mm_status read_context(struct parser *p, struct slice value)
{
	if (!is_name(value))
		return FAIL(p, "a context's name is letters, digits, . _ and -");
	return keep_text(p, value, &p->open->rule.context);
}

static enum mm_status read_side(struct parser *p, struct slice value)
{
	int side = find_word(side_names, MM_SIDE__MAX, value);

	if (side < 0)
		return FAIL(p, "side must be before, after, around or anywhere");
	p->open->rule.side = (enum mm_side)side;
	return MM_OK;
}

static enum mm_status read_within(struct parser *p, struct slice value)
{
	int64_t within;

	if (!mm_number_parse_i64(value.text, value.length, 0, 200, &within))
		return FAIL(p, "within must be a whole number from 0 to 200");
	p->open->rule.within = (unsigned)within;
	return MM_OK;
}

static enum mm_status read_weight(struct parser *p, struct slice value)
{
	double weight;

	if (!mm_number_parse_double(value.text, value.length, 0.1, 10.0, &weight))
		return FAIL(p, "weight must be a number from 0.1 to 10");
	p->open->rule.weight = weight;
	return MM_OK;
}

static enum mm_status read_reason(struct parser *p, struct slice value)
{
	return keep_text(p, value, &p->open->rule.reason);
}

static enum mm_status read_reason_en(struct parser *p, struct slice value)
{
	return keep_text(p, value, &p->open->rule.reason_en);
}

static enum mm_status read_expression(struct parser *p, struct slice value, bool is_guard)
{
	struct mm_draft_pattern *pattern = &p->draft->patterns[p->draft->pattern_count];
	const char *reason = NULL;

	*pattern = (struct mm_draft_pattern){
	    .rule = p->draft->rule_count - 1, .is_guard = is_guard, .line = p->line};
	if (!mm_pattern_split(value.text, value.length, pattern, p->scratch, &reason))
		return reason ? FAIL(p, "%s", reason) : out_of_memory(p);
	p->draft->pattern_count++;
	return MM_OK;
}

static enum mm_status read_pattern(struct parser *p, struct slice value)
{
	return read_expression(p, value, false);
}

static enum mm_status read_guard(struct parser *p, struct slice value)
{
	return read_expression(p, value, true);
}

static enum mm_status read_names(struct parser *p, struct slice value, const char **list)
{
	char *joined =
	    *list ? mm_arena_printf(p->scratch, "%s %.*s", *list, (int)value.length, value.text)
		  : mm_arena_strndup(p->scratch, value.text, value.length);

	if (!joined)
		return out_of_memory(p);
	*list = joined;
	return MM_OK;
}

static enum mm_status read_unless(struct parser *p, struct slice value)
{
	return read_names(p, value, &p->open->unless_names);
}

static enum mm_status read_requires(struct parser *p, struct slice value)
{
	return read_names(p, value, &p->open->requires_names);
}

struct prefix_list {
	struct mm_arena *arena;
	const char **items;
	uint32_t count;
};

static bool add_prefix(void *self, const char *name, size_t length)
{
	struct prefix_list *list = self;

	list->items[list->count] = mm_arena_strndup(list->arena, name, length);
	return list->items[list->count++] != NULL;
}

static enum mm_status read_guards(struct parser *p, struct slice value)
{
	struct prefix_list list = {.arena = p->keep};
	char *text = mm_arena_strndup(p->scratch, value.text, value.length);

	list.items = mm_arena_array(p->keep, value.length / 2 + 1, sizeof(*list.items));
	if (!text || !list.items || !mm_rules_each_name(text, add_prefix, &list))
		return out_of_memory(p);
	p->open->rule.guards = list.items;
	p->open->rule.guard_count = list.count;
	return MM_OK;
}

static enum mm_status read_squeeze(struct parser *p, struct slice value)
{
	static const char *const words[] = {"no", "yes", "hidden"};
	int word = find_word(words, 3, value);

	if (word < 0)
		return FAIL(p, "squeeze must be yes, no or hidden");
	p->open->rule.is_squeezed = word >= 1;
	p->open->rule.is_hidden_only = word == 2;
	return MM_OK;
}

static const struct {
	const char *name;
	enum mm_status (*read)(struct parser *p, struct slice value);
	unsigned kinds;   /* where it is allowed */
	bool is_repeated; /* may stand more than once in a stanza */
} keys[KEY__MAX] = {
    [KEY_KIND] = {"kind", read_kind, ALL_KINDS, false},
    [KEY_SEVERITY] = {"severity", read_severity, KIND(HARASSMENT) | KIND(SENTIMENT), false},
    [KEY_CATEGORY] = {"category", read_category, KIND(HARASSMENT), true},
    [KEY_SENTIMENT] = {"sentiment", read_sentiment, KIND(HARASSMENT) | KIND(SENTIMENT), false},
    [KEY_SIGNAL] = {"signal", read_signal, SUBJECTS, false},
    [KEY_INTENT] = {"intent", read_intent, SUBJECTS, false},
    [KEY_CONTEXT] = {"context", read_context, KIND(CONTEXT), false},
    [KEY_SIDE] = {"side", read_side, KIND(CONTEXT), false},
    [KEY_WITHIN] = {"within", read_within, KIND(CONTEXT), false},
    [KEY_WEIGHT] = {"weight", read_weight, SUBJECTS, false},
    [KEY_REASON] = {"reason", read_reason, ALL_KINDS, false},
    [KEY_REASON_EN] = {"reason_en", read_reason_en, ALL_KINDS, false},
    [KEY_PATTERN] = {"pattern", read_pattern, ALL_KINDS, true},
    [KEY_GUARD] = {"guard", read_guard, SUBJECTS | KIND(CONTEXT), true},
    [KEY_GUARDS] = {"guards", read_guards, KIND(GUARD), false},
    [KEY_UNLESS] = {"unless", read_unless, SUBJECTS, true},
    [KEY_REQUIRES] = {"requires", read_requires, SUBJECTS, true},
    [KEY_SQUEEZE] = {"squeeze", read_squeeze, SUBJECTS | KIND(CONTEXT), false},
};

/* What a stanza of each kind must have. */
static const unsigned required_keys[MM_RULE__MAX] = {
    [MM_RULE_HARASSMENT] = BIT(SEVERITY) | BIT(PATTERN),
    [MM_RULE_SENTIMENT] = BIT(SENTIMENT) | BIT(PATTERN),
    [MM_RULE_SIGNAL] = BIT(SIGNAL) | BIT(PATTERN),
    [MM_RULE_INTENT] = BIT(INTENT) | BIT(PATTERN),
    [MM_RULE_CONTEXT] = BIT(CONTEXT) | BIT(PATTERN),
    [MM_RULE_GUARD] = BIT(GUARDS) | BIT(PATTERN),
    [MM_RULE_OFF] = 0,
};

static enum mm_status check_keys(struct parser *p, const struct mm_draft_rule *open)
{
	enum mm_rule_kind kind = open->rule.kind;
	unsigned line = open->rule.line;

	if (kind == MM_RULE__MAX)
		return fail_at(p, line, "[%s] has no kind", open->rule.id);
	if (open->rule.is_hidden_only && kind != MM_RULE_HARASSMENT)
		return fail_at(p, line, "[%s] of kind %s cannot have squeeze = hidden",
			       open->rule.id, kind_names[kind]);
	for (int key = 0; key < KEY__MAX; key++) {
		bool is_there = open->keys & (1u << key);

		if (is_there && kind != MM_RULE_OFF && !(keys[key].kinds & (1u << kind)))
			return fail_at(p, line, "[%s] of kind %s cannot have %s", open->rule.id,
				       kind_names[kind], keys[key].name);
		if (!is_there && (required_keys[kind] & (1u << key)))
			return fail_at(p, line, "[%s] of kind %s needs %s", open->rule.id,
				       kind_names[kind], keys[key].name);
	}
	return MM_OK;
}

static enum mm_status check_harassment(struct parser *p, const struct mm_rule *rule)
{
	if (rule->severity == MM_SEVERITY_NONE)
		return fail_at(p, rule->line, "[%s] severity must be low or more", rule->id);
	if (rule->severity >= MM_SEVERITY_MEDIUM && rule->categories == 0)
		return fail_at(p, rule->line, "[%s] needs a category", rule->id);
	return MM_OK;
}

static void default_harassment(struct mm_draft_rule *open)
{
	struct mm_rule *rule = &open->rule;
	bool is_medium = rule->severity >= MM_SEVERITY_MEDIUM;

	if (!(open->keys & BIT(SQUEEZE)))
		rule->is_squeezed = rule->severity >= MM_SEVERITY_HIGH;
	if (!(open->keys & BIT(SENTIMENT)) && is_medium &&
	    !(rule->categories & (1u << MM_CATEGORY_SEXUAL)))
		rule->sentiment = MM_SENTIMENT_ANGER;
}

/* Ends the open stanza: checks it as a whole and fills in what depends on several keys. */
static enum mm_status finish_rule(struct parser *p)
{
	struct mm_draft_rule *open = p->open;
	enum mm_status status;

	if (!open)
		return MM_OK;
	p->open = NULL;
	status = check_keys(p, open);
	if (status != MM_OK)
		return status;
	struct mm_rule *rule = &open->rule;
	if (rule->kind == MM_RULE_OFF)
		p->draft->pattern_count = p->open_patterns;
	if (rule->kind == MM_RULE_HARASSMENT) {
		default_harassment(open);
		return check_harassment(p, rule);
	}
	if (rule->kind != MM_RULE_SENTIMENT)
		return MM_OK;
	if (!(open->keys & BIT(SEVERITY)))
		rule->severity =
		    rule->sentiment >= MM_SENTIMENT_NEGATIVE ? MM_SEVERITY_LOW : MM_SEVERITY_NONE;
	if (rule->severity > MM_SEVERITY_LOW)
		return fail_at(p, rule->line, "[%s] of kind sentiment has severity none or low",
			       rule->id);
	return MM_OK;
}

static enum mm_status read_header(struct parser *p, struct slice line)
{
	struct slice id = trim((struct slice){line.text + 1, line.length - 1});
	enum mm_status status = finish_rule(p);

	if (status != MM_OK)
		return status;
	if (id.length < 2 || id.text[id.length - 1] != ']')
		return FAIL(p, "a rule begins with [id]");
	id.length--;
	id = trim(id);
	if (!is_name(id))
		return FAIL(p, "an id is at most %d letters, digits, . _ and -", MM_RULE_ID_MAX);
	p->open = &p->draft->rules[p->draft->rule_count++];
	p->open_patterns = p->draft->pattern_count;
	*p->open = (struct mm_draft_rule){.is_site = p->is_site,
					  .rule = {.is_site = p->is_site,
						   .file = p->file,
						   .line = p->line,
						   .kind = MM_RULE__MAX,
						   .severity = MM_SEVERITY_NONE,
						   .sentiment = MM_SENTIMENT__MAX,
						   .signal = MM_SIGNAL__MAX,
						   .intent = MM_INTENT__MAX,
						   .side = MM_SIDE_AROUND,
						   .within = 8,
						   .weight = 2.0,
						   .reason = "",
						   .reason_en = ""}};
	return keep_text(p, id, &p->open->rule.id);
}

static enum mm_status read_pair(struct parser *p, struct slice line)
{
	const char *equals = memchr(line.text, '=', line.length);

	if (!equals)
		return FAIL(p, "a line is [id], key = value, or a # comment");
	struct slice name = trim((struct slice){line.text, (size_t)(equals - line.text)});
	struct slice value =
	    trim((struct slice){equals + 1, line.length - (size_t)(equals + 1 - line.text)});
	if (!p->open)
		return FAIL(p, "a rule begins with [id]");
	if (value.length == 0)
		return FAIL(p, "%.*s has no value", (int)name.length, name.text);
	for (int key = 0; key < KEY__MAX; key++) {
		if (strlen(keys[key].name) != name.length ||
		    memcmp(keys[key].name, name.text, name.length) != 0)
			continue;
		if ((p->open->keys & (1u << key)) && !keys[key].is_repeated)
			return FAIL(p, "%s is given twice", keys[key].name);
		p->open->keys |= 1u << key;
		return keys[key].read(p, value);
	}
	return FAIL(p, "unknown key \"%.*s\"", (int)name.length, name.text);
}

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

static enum mm_status read_line(struct parser *p, struct slice line)
{
	line = trim(line);
	if (line.length == 0 || line.text[0] == '#')
		return MM_OK;
	return line.text[0] == '[' ? read_header(p, line) : read_pair(p, line);
}

static enum mm_status read_lines(struct parser *p, const char *text, size_t length)
{
	enum mm_status status = MM_OK;
	size_t from = 0;

	while (from < length && status == MM_OK) {
		const char *newline = memchr(text + from, '\n', length - from);
		size_t end = newline ? (size_t)(newline - text) : length;

		p->line++;
		status = read_line(p, (struct slice){text + from, end - from});
		from = end + 1;
	}
	return status == MM_OK ? finish_rule(p) : status;
}

enum mm_status mm_rules_parse(const char *file, const char *text, size_t length, bool is_site,
			      struct mm_draft *out, struct mm_arena *keep, struct mm_arena *scratch,
			      struct mm_error *err)
{
	struct mm_draft draft = {0};
	struct parser parser = {
	    .draft = &draft, .is_site = is_site, .keep = keep, .scratch = scratch, .err = err};
	size_t lines = count_lines(text, length);
	size_t bad_offset;
	enum mm_status status;

	parser.file = mm_arena_strdup(keep, file);
	draft.rules = mm_arena_array(scratch, lines, sizeof(*draft.rules));
	draft.patterns = mm_arena_array(scratch, lines, sizeof(*draft.patterns));
	if (!parser.file || !draft.rules || !draft.patterns)
		return mm_error_cause(err, MM_NO_MEMORY, "%s: no memory for the rules", file);
	if (!mm_utf8_is_valid(text, length, &bad_offset))
		return fail_at(&parser, (unsigned)count_lines(text, bad_offset), "not valid UTF-8");
	if (memchr(text, '\0', length))
		return fail_at(&parser, 1, "holds a NUL byte");
	status = read_lines(&parser, text, length);
	if (status == MM_OK)
		*out = draft;
	return status;
}
