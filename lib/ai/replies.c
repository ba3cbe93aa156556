/* replies: reads replies.conf (inih) into a table; knows no intent and chooses nothing. */
#include "config.h"

#include "ai/replies.h"

#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "text/utf8.h"

enum {
	FILE_MAX_BYTES = 256 * 1024,
	TEXT_MAX_BYTES = 8192,
	LINE_MAX_BYTES = 198, /* inih's buffer holds 200 bytes with the newline and the NUL */
};

struct mm_replies {
	struct mm_arena *arena;
	const char *texts[MM_LANGUAGE__MAX][MM_REPLY__MAX];
};

static const struct {
	const char *section;
	const char *joint; /* what stands between continued lines */
} languages[MM_LANGUAGE__MAX] = {
    [MM_LANGUAGE_JA] = {"ja", ""},
    [MM_LANGUAGE_EN] = {"en", " "},
};

static const char *const keys[MM_REPLY__MAX] = {
    [MM_REPLY_GREETING] = "greeting",
    [MM_REPLY_THANKS] = "thanks",
    [MM_REPLY_SHIPPING] = "shipping",
    [MM_REPLY_SHIPPING_ASK] = "shipping_ask",
    [MM_REPLY_RETURNS] = "returns",
    [MM_REPLY_RETURNS_ASK] = "returns_ask",
    [MM_REPLY_DEFECT] = "defect",
    [MM_REPLY_DEFECT_ASK] = "defect_ask",
    [MM_REPLY_ACCOUNT] = "account",
    [MM_REPLY_BILLING] = "billing",
    [MM_REPLY_COMPLAINT_ASK] = "complaint_ask",
    [MM_REPLY_FALLBACK] = "fallback",
    [MM_REPLY_APOLOGY] = "apology",
    [MM_REPLY_HANDOFF_SEVERITY] = "handoff_severity",
    [MM_REPLY_HANDOFF_HUMAN_REQUESTED] = "handoff_human_requested",
    [MM_REPLY_HANDOFF_ANGER] = "handoff_anger",
    [MM_REPLY_HANDOFF_FALLBACK] = "handoff_fallback",
    [MM_REPLY_HANDOFF_SELF_HARM] = "handoff_self_harm",
};

static int find_language(const char *section)
{
	for (int i = 0; i < MM_LANGUAGE__MAX; i++)
		if (strcmp(languages[i].section, section) == 0)
			return i;
	return -1;
}

static int find_key(const char *name)
{
	for (int i = 0; i < MM_REPLY__MAX; i++)
		if (strcmp(keys[i], name) == 0)
			return i;
	return -1;
}

/* inih's handler: 1 to go on, 0 to report the line as wrong. */
static int take_line(void *self, const char *section, const char *name, const char *value)
{
	struct mm_replies *replies = self;
	const int language = find_language(section);
	const int key = find_key(name);
	if (language < 0 || key < 0)
		return 0;
	const char **text = &replies->texts[language][key];
	*text = *text ? mm_arena_printf(replies->arena, "%s%s%s", *text, languages[language].joint,
					value)
		      : mm_arena_strdup(replies->arena, value);
	return *text != NULL;
}

/* The number of the first line that inih would cut in two, or 0. */
static int find_long_line(const char *text)
{
	int number = 1;
	for (const char *line = text; *line; number++) {
		const size_t length = strcspn(line, "\n");
		if (length > LINE_MAX_BYTES)
			return number;
		line += length + (line[length] == '\n');
	}
	return 0;
}

static enum mm_status check_complete(const struct mm_replies *replies, const char *path,
				     struct mm_error *err)
{
	for (int language = 0; language < MM_LANGUAGE__MAX; language++)
		for (int key = 0; key < MM_REPLY__MAX; key++)
			if (!replies->texts[language][key])
				return mm_error_cause(err, MM_BAD_INPUT, "%s: [%s] has no %s", path,
						      languages[language].section, keys[key]);
	return MM_OK;
}

static enum mm_status read_replies(struct mm_replies *replies, const char *path,
				   struct mm_error *err)
{
	char *text;
	size_t length;
	const enum mm_status status =
	    mm_file_read(path, FILE_MAX_BYTES, &text, &length, replies->arena, err);
	if (status != MM_OK)
		return status;
	if (strlen(text) != length || !mm_utf8_is_valid(text, length, NULL))
		return mm_error_cause(err, MM_BAD_INPUT, "%s: not UTF-8 text", path);
	int line = find_long_line(text);
	if (line > 0)
		return mm_error_cause(err, MM_BAD_INPUT,
				      "%s:%d: longer than %d bytes; continue it on the next line",
				      path, line, LINE_MAX_BYTES);
	line = ini_parse_string(text, take_line, replies);
	if (line != 0)
		return mm_error_cause(err, MM_BAD_INPUT, "%s:%d: unknown language or key", path,
				      line);
	return check_complete(replies, path, err);
}

enum mm_status mm_replies_load(const char *path, struct mm_replies **out, struct mm_error *err)
{
	struct mm_replies *replies = calloc(1, sizeof *replies);
	if (!replies)
		return mm_error_cause(err, MM_NO_MEMORY, "replies: no memory");
	replies->arena = mm_arena_new(4 * FILE_MAX_BYTES);
	enum mm_status status = replies->arena
				    ? read_replies(replies, path, err)
				    : mm_error_cause(err, MM_NO_MEMORY, "replies: no memory");
	if (status != MM_OK) {
		mm_replies_free(replies);
		return status;
	}
	*out = replies;
	return MM_OK;
}

void mm_replies_free(struct mm_replies *replies)
{
	if (!replies)
		return;
	mm_arena_free(replies->arena);
	free(replies);
}

const char *mm_replies_text(const struct mm_replies *replies, enum mm_language language,
			    enum mm_reply_key key)
{
	return replies->texts[language][key];
}

bool mm_replies_is_no_answer(const struct mm_replies *replies, const char *text, size_t length)
{
	static const enum mm_reply_key no_answers[] = {
	    MM_REPLY_FALLBACK,          MM_REPLY_APOLOGY,
	    MM_REPLY_HANDOFF_SEVERITY,  MM_REPLY_HANDOFF_HUMAN_REQUESTED,
	    MM_REPLY_HANDOFF_ANGER,     MM_REPLY_HANDOFF_FALLBACK,
	    MM_REPLY_HANDOFF_SELF_HARM,
	};
	for (int language = 0; language < MM_LANGUAGE__MAX; language++) {
		for (size_t i = 0; i < sizeof no_answers / sizeof no_answers[0]; i++) {
			const char *reply = replies->texts[language][no_answers[i]];
			if (strlen(reply) == length && memcmp(reply, text, length) == 0)
				return true;
		}
	}
	return false;
}

/* Adds the value of the placeholder at `at`; returns its length, or 0 where there is none. */
static size_t add_placeholder(struct mm_buffer *out, const char *at,
			      const struct mm_reply_values *values)
{
	const struct {
		const char *mark;
		const char *value;
	} rows[] = {{"{order}", values->order}, {"{name}", values->name}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const size_t length = strlen(rows[i].mark);
		if (strncmp(at, rows[i].mark, length) == 0) {
			mm_buffer_add_text(out, rows[i].value ? rows[i].value : "");
			return length;
		}
	}
	return 0;
}

const char *mm_replies_fill(const struct mm_replies *replies, enum mm_language language,
			    enum mm_reply_key key, const struct mm_reply_values *values,
			    struct mm_arena *arena)
{
	const char *text = mm_replies_text(replies, language, key);
	struct mm_buffer out;
	mm_buffer_init(&out, strlen(text) + 64, TEXT_MAX_BYTES, arena);
	while (*text) {
		const size_t plain = strcspn(text, "{");
		mm_buffer_add(&out, text, plain);
		text += plain;
		if (!*text)
			break;
		const size_t mark = add_placeholder(&out, text, values);
		if (mark == 0)
			mm_buffer_add_char(&out, *text);
		text += mark ? mark : 1;
	}
	return out.has_failed ? NULL : mm_buffer_text(&out);
}

/* Kana, the ideographs of the basic plane with extension A, half-width kana, extension B and on. */
static bool is_japanese(uint32_t code_point)
{
	return (code_point >= 0x3041 && code_point <= 0x30FF) ||
	       (code_point >= 0x3400 && code_point <= 0x9FFF) ||
	       (code_point >= 0xFF66 && code_point <= 0xFF9F) ||
	       (code_point >= 0x20000 && code_point <= 0x3FFFF);
}

enum mm_language mm_language_of(const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t code_point;
		const size_t step = mm_utf8_decode(text + at, length - at, &code_point);
		if (step == 0)
			break;
		if (is_japanese(code_point))
			return MM_LANGUAGE_JA;
		at += step;
	}
	return MM_LANGUAGE_EN;
}
