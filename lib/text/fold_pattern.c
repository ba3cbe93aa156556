/* fold_pattern: folds the literals of a regular expression so that a rule written naturally matches
 * folded text. Not a checker of regular expressions: their compiler is. Runs when rules are loaded,
 * so it favours clarity over speed. */
#include "config.h"

#include "text/fold.h"

#include <string.h>

#include "base/buffer.h"
#include "text/fold_table.h"
#include "text/utf8.h"

struct pattern {
	const char *text;
	size_t length;
	size_t at;
	enum mm_fold_view view;
	struct mm_buffer out;
	struct mm_arena *arena;
	struct mm_error *err;
};

static enum mm_status bad_pattern(struct pattern *pattern, size_t at, const char *reason)
{
	return mm_error_set(pattern->err, MM_BAD_INPUT, NULL, NULL, "pattern at byte %zu: %s", at,
			    reason);
}

static bool is_one_of(char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

/* Bytes of the character at an offset; the pattern was checked to be UTF-8. */
static size_t character_size(const struct pattern *pattern, size_t at)
{
	uint32_t code_point;

	return mm_utf8_decode(pattern->text + at, pattern->length - at, &code_point);
}

/* Length of {m}, {m,} or {m,n} at an offset; 0 when the brace is a literal. */
static size_t counted_size(const struct pattern *pattern, size_t at)
{
	size_t end = at + 1;
	size_t digits = 0;

	if (at >= pattern->length || pattern->text[at] != '{')
		return 0;
	while (end < pattern->length && is_one_of(pattern->text[end], "0123456789,")) {
		digits += pattern->text[end] != ',';
		end++;
	}
	return digits > 0 && end < pattern->length && pattern->text[end] == '}' ? end + 1 - at : 0;
}

/* Length of the quantifier at an offset, with its ? or +; 0 when there is none. */
static size_t quantifier_size(const struct pattern *pattern, size_t at)
{
	size_t size = counted_size(pattern, at);

	if (size == 0 && at < pattern->length && is_one_of(pattern->text[at], "*+?"))
		size = 1;
	if (size > 0 && at + size < pattern->length && is_one_of(pattern->text[at + size], "?+"))
		size++;
	return size;
}

static void copy_bytes(struct pattern *pattern, size_t size)
{
	mm_buffer_add(&pattern->out, pattern->text + pattern->at, size);
	pattern->at += size;
}

/* Appends folded text as literals: what reads as syntax gets a backslash. */
static void add_literals(struct pattern *pattern, const char *text, size_t length,
			 const char *syntax)
{
	for (size_t i = 0; i < length; i++) {
		if (is_one_of(text[i], syntax))
			mm_buffer_add_char(&pattern->out, '\\');
		mm_buffer_add_char(&pattern->out, text[i]);
	}
}

static const char literal_syntax[] = "\\^$.|?*+()[]{}";
static const char class_syntax[] = "\\^-[]";

static enum mm_status fold_slice(struct pattern *pattern, size_t from, size_t to,
				 struct mm_folded *out)
{
	return mm_fold(pattern->text + from, to - from, pattern->view, out, pattern->arena,
		       pattern->err);
}

/* Appends the folded last literal of a run with its quantifier of size bytes. */
static void add_quantified(struct pattern *pattern, const char *text, size_t length, size_t size)
{
	bool is_group = mm_utf8_count(text, length) > 1;

	if (length == 0) {
		pattern->at += size;
		return;
	}
	mm_buffer_add_text(&pattern->out, is_group ? "(?:" : "");
	add_literals(pattern, text, length, literal_syntax);
	mm_buffer_add_text(&pattern->out, is_group ? ")" : "");
	copy_bytes(pattern, size);
}

static bool is_literal(const struct pattern *pattern, size_t at)
{
	return at < pattern->length && !is_one_of(pattern->text[at], "\\^$.|?*+()[") &&
	       counted_size(pattern, at) == 0;
}

/* Whether a mark stands at an offset: it belongs to the literal before it (ﾊﾞ? is one kana). */
static bool is_mark(const struct pattern *pattern, size_t at)
{
	uint32_t code_point = 0;

	mm_utf8_decode(pattern->text + at, pattern->length - at, &code_point);
	uint16_t cell = mm_fold_cell(code_point);
	return cell == MM_FOLD_MARK || cell == MM_FOLD_VOICED || cell == MM_FOLD_SEMI_VOICED;
}

/* Folds a run of literals; the last one alone when it is quantified. */
static enum mm_status fold_literals(struct pattern *pattern)
{
	struct mm_folded whole, head, tail;
	size_t from = pattern->at, last = from;

	while (is_literal(pattern, pattern->at)) {
		if (!is_mark(pattern, pattern->at))
			last = pattern->at;
		pattern->at += character_size(pattern, pattern->at);
	}
	size_t size = quantifier_size(pattern, pattern->at);
	enum mm_status status = fold_slice(pattern, from, pattern->at, &whole);
	if (status != MM_OK)
		return status;
	if (size == 0) {
		add_literals(pattern, whole.text, whole.length, literal_syntax);
		return MM_OK;
	}
	status = fold_slice(pattern, from, last, &head);
	if (status == MM_OK)
		status = fold_slice(pattern, last, pattern->at, &tail);
	if (status != MM_OK)
		return status;
	add_literals(pattern, head.text, head.length, literal_syntax);
	/* 〜 after kana is a ー: see the last literal with what is before it where that is whole. */
	if (whole.length >= head.length && memcmp(whole.text, head.text, head.length) == 0)
		add_quantified(pattern, whole.text + head.length, whole.length - head.length, size);
	else
		add_quantified(pattern, tail.text, tail.length, size);
	return MM_OK;
}

/* A backslash with what belongs to it: \d, \x{3042}, \p{Han}. */
static enum mm_status copy_escape(struct pattern *pattern)
{
	size_t at = pattern->at;

	if (at + 1 >= pattern->length)
		return bad_pattern(pattern, at, "backslash at the end");
	bool has_braces = is_one_of(pattern->text[at + 1], "xpPo") && at + 2 < pattern->length &&
			  pattern->text[at + 2] == '{';
	size_t size = 1 + character_size(pattern, at + 1);
	if (has_braces) {
		const char *end = memchr(pattern->text + at, '}', pattern->length - at);
		if (end == NULL)
			return bad_pattern(pattern, at, "escape without its }");
		size = (size_t)(end + 1 - (pattern->text + at));
	}
	copy_bytes(pattern, size);
	return MM_OK;
}

/* ( and the kind of group after it: (?: (?i) (?i: (?= (?! (?<= */
static void copy_group_start(struct pattern *pattern)
{
	size_t end = pattern->at + 1;

	if (end < pattern->length && pattern->text[end] == '?') {
		while (end < pattern->length && !is_one_of(pattern->text[end], ":=!>)"))
			end++;
		end += end < pattern->length && pattern->text[end] != ')';
	}
	copy_bytes(pattern, end - pattern->at);
}

/* One member of a class: an escape, [:name:], a - of a range, or a literal. */
static enum mm_status fold_class_member(struct pattern *pattern)
{
	struct mm_folded folded;
	char byte = pattern->text[pattern->at];
	bool is_named = byte == '[' && pattern->at + 1 < pattern->length &&
			pattern->text[pattern->at + 1] == ':';

	if (byte == '\\')
		return copy_escape(pattern);
	if (byte == '-') {
		copy_bytes(pattern, 1);
		return MM_OK;
	}
	if (is_named) {
		const char *end =
		    memchr(pattern->text + pattern->at, ']', pattern->length - pattern->at);
		if (end == NULL)
			return bad_pattern(pattern, pattern->at, "class without its ]");
		copy_bytes(pattern, (size_t)(end + 1 - (pattern->text + pattern->at)));
		return MM_OK;
	}
	size_t size = character_size(pattern, pattern->at);
	enum mm_status status = fold_slice(pattern, pattern->at, pattern->at + size, &folded);
	if (status == MM_OK)
		add_literals(pattern, folded.text, folded.length, class_syntax);
	pattern->at += size;
	return status;
}

/* What a class of which nothing is left becomes: . for [^…], nothing at all for […]. */
static void end_empty_class(struct pattern *pattern, size_t out_start, bool is_negated)
{
	pattern->out.length = out_start;
	if (is_negated)
		mm_buffer_add_char(&pattern->out, '.');
	else
		pattern->at += quantifier_size(pattern, pattern->at);
}

static enum mm_status fold_class(struct pattern *pattern)
{
	size_t start = pattern->at, out_start = pattern->out.length;
	bool is_negated = start + 1 < pattern->length && pattern->text[start + 1] == '^';

	copy_bytes(pattern, is_negated ? 2 : 1);
	size_t out_members = pattern->out.length, members = pattern->at;
	while (pattern->at < pattern->length &&
	       (pattern->text[pattern->at] != ']' || pattern->at == members)) {
		enum mm_status status = fold_class_member(pattern);
		if (status != MM_OK)
			return status;
	}
	if (pattern->at == pattern->length)
		return bad_pattern(pattern, start, "class without its ]");
	bool is_empty = pattern->out.length == out_members;
	copy_bytes(pattern, 1);
	if (is_empty)
		end_empty_class(pattern, out_start, is_negated);
	return MM_OK;
}

static enum mm_status fold_part(struct pattern *pattern)
{
	switch (pattern->text[pattern->at]) {
	case '\\':
		return copy_escape(pattern);
	case '[':
		return fold_class(pattern);
	case '(':
		copy_group_start(pattern);
		return MM_OK;
	default:
		break;
	}
	if (is_literal(pattern, pattern->at))
		return fold_literals(pattern);
	size_t size = quantifier_size(pattern, pattern->at);
	copy_bytes(pattern, size > 0 ? size : 1);
	return MM_OK;
}

enum mm_status mm_fold_pattern(const char *text, size_t length, enum mm_fold_view view, char **out,
			       struct mm_arena *arena, struct mm_error *err)
{
	struct pattern pattern = {
	    .text = text, .length = length, .view = view, .arena = arena, .err = err};
	size_t bad_offset;

	if (!mm_utf8_is_valid(text, length, &bad_offset))
		return bad_pattern(&pattern, bad_offset, "invalid UTF-8");
	mm_buffer_init(&pattern.out, length + 16, 0, arena);
	while (pattern.at < length) {
		enum mm_status status = fold_part(&pattern);
		if (status != MM_OK)
			return status;
	}
	char *copy = mm_arena_strndup(arena, mm_buffer_text(&pattern.out), pattern.out.length);
	if (pattern.out.has_failed || copy == NULL)
		return mm_error_cause(err, MM_NO_MEMORY, "folding a pattern");
	*out = copy;
	return MM_OK;
}
