/* guard: the checks one by one. Their words are guard_phrases.c; the search for passages of the
 * prompt is guard_leak.c. */
#include "config.h"

#include "ai/guard.h"

#include <string.h>

#include "ai/guard_leak.h"
#include "ai/guard_phrases.h"
#include "text/fold.h"
#include "text/utf8.h"

enum { HAN_WITHOUT_KANA = 12, SENTENCE_MAX = 1024 };

const char *mm_guard_code_name(enum mm_guard_code code)
{
	static const char *const names[MM_GUARD__MAX] = {
	    [MM_GUARD_EMPTY] = "reply_empty",
	    [MM_GUARD_TOO_LONG] = "reply_too_long",
	    [MM_GUARD_LANGUAGE] = "wrong_language",
	    [MM_GUARD_ABUSE] = "abuse",
	    [MM_GUARD_REFUND] = "promise_of_refund",
	    [MM_GUARD_COMPENSATION] = "promise_of_compensation",
	    [MM_GUARD_LEGAL] = "legal_statement",
	    [MM_GUARD_CANARY] = "prompt_canary",
	    [MM_GUARD_PROMPT] = "prompt_passage",
	    [MM_GUARD_PLACEHOLDER] = "unknown_placeholder",
	};

	return (unsigned)code < MM_GUARD__MAX ? names[code] : "unknown";
}

struct check {
	const struct mm_guard_facts *facts;
	struct mm_folded reply, *sources;
	struct mm_guard_finding places[MM_GUARD__MAX];
	unsigned set;
};

/* The first place of a code stays. */
static void add(struct check *check, enum mm_guard_code code, uint32_t start, uint32_t end)
{
	if (check->set & 1u << code)
		return;
	check->set |= 1u << code;
	check->places[code] = (struct mm_guard_finding){code, start, end};
}

static void add_whole(struct check *check, enum mm_guard_code code)
{
	add(check, code, 0, (uint32_t)check->reply.source_code_points);
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* Where `word` stands in [at, end), at the beginning of a word where it is Latin; else NULL. */
static const char *find_word(const char *begin, const char *at, const char *end, const char *word,
			     size_t length)
{
	while (at < end) {
		const char *found = memmem(at, (size_t)(end - at), word, length);
		if (!found || !is_letter(word[0]) || found == begin || !is_letter(found[-1]))
			return found;
		at = found + 1;
	}
	return NULL;
}

/* The first of the words in [at, end); its length in *length_out. */
static const char *find_any(const char *begin, const char *at, const char *end, const char *words,
			    size_t *length_out)
{
	const char *best = NULL;

	for (; words && *words; words += *words == '|') {
		size_t length = strcspn(words, "|");
		const char *found = find_word(begin, at, best ? best + length : end, words, length);
		if (found && (!best || found < best)) {
			best = found;
			*length_out = length;
		}
		words += length;
	}
	return best;
}

/* Whether a source says the same in the same words. */
static bool is_in_source(const struct check *check, const char *at, size_t length)
{
	for (size_t i = 0; i < check->facts->source_count; i++)
		if (memmem(check->sources[i].text, check->sources[i].length, at, length))
			return true;
	return false;
}

static void check_phrase(struct check *check, const struct mm_guard_phrase *phrase,
			 const char *begin, const char *end)
{
	const char *text = check->reply.text;
	size_t length, second_length;

	if (find_any(begin, begin, end, phrase->unless, &length))
		return;
	for (const char *at = begin;
	     (at = find_any(begin, at, end, phrase->first, &length)) != NULL; at += length) {
		const char *stop = at + length;
		if (phrase->second) {
			const char *limit =
			    (size_t)(end - stop) > phrase->gap ? stop + phrase->gap : end;
			const char *second =
			    find_any(begin, stop, limit, phrase->second, &second_length);
			if (!second ||
			    find_any(begin, stop, second, phrase->between, &second_length))
				continue;
			find_any(begin, stop, limit, phrase->second, &second_length);
			stop = second + second_length;
		}
		if (is_in_source(check, at, (size_t)(stop - at)))
			continue;
		add(check, phrase->code, check->reply.start[at - text],
		    check->reply.end[stop - 1 - text]);
	}
}

/* Where the sentence that begins at `at` ends. One without an end is cut, which keeps the search
 * linear. */
static const char *sentence_end(const char *at, const char *end)
{
	const char *limit = end - at > SENTENCE_MAX ? at + SENTENCE_MAX : end;

	for (; at < end; at++) {
		if (at >= limit && (*at & 0xC0) != 0x80)
			return at;
		if (*at == '\n' || *at == '!' || *at == '?')
			return at + 1;
		if (*at == '.' && (at + 1 == end || at[1] == ' '))
			return at + 1;
		if (end - at >= 3 && memcmp(at, "。", 3) == 0)
			return at + 3;
	}
	return end;
}

static void check_phrases(struct check *check)
{
	const char *end = check->reply.text + check->reply.length;

	for (const char *at = check->reply.text; at < end;) {
		const char *stop = sentence_end(at, end);
		for (size_t i = 0; i < mm_guard_phrase_count; i++)
			check_phrase(check, &mm_guard_phrases[i], at, stop);
		at = stop;
	}
}

/* What a text is written in: kana and kanji by the character, Latin by the word. */
struct script {
	size_t kana, han, hangul, latin_words;
};

static struct script count_script(const char *text, size_t length)
{
	struct script script = {0};
	bool is_in_word = false;
	uint32_t point;

	for (size_t at = 0, size; at < length; at += size) {
		size = mm_utf8_decode(text + at, length - at, &point);
		if (size == 0)
			break;
		bool is_latin = (point | 0x20) >= 'a' && (point | 0x20) <= 'z';
		script.latin_words += is_latin && !is_in_word;
		/* The address of a page is one word. */
		is_in_word = is_latin || (is_in_word && point > 0x20 && point < 0x7F);
		script.kana += point >= 0x3041 && point <= 0x30FA;
		script.han += point >= 0x4E00 && point <= 0x9FFF;
		script.hangul += point >= 0xAC00 && point <= 0xD7A3;
	}
	return script;
}

static void check_language(struct check *check)
{
	const struct mm_guard_text *reply = &check->facts->reply;
	const struct script script = count_script(reply->text, reply->length);
	size_t japanese = script.kana + script.han;
	bool is_wrong = script.hangul > japanese;

	if (check->facts->language == MM_LANGUAGE_JA)
		is_wrong |= script.latin_words > japanese ||
			    (script.kana == 0 && script.han >= HAN_WITHOUT_KANA);
	else
		is_wrong |= japanese > script.latin_words;
	if (is_wrong)
		add_whole(check, MM_GUARD_LANGUAGE);
}

static void check_size(struct check *check)
{
	bool is_empty = true;

	for (size_t i = 0; i < check->reply.length && is_empty; i++)
		is_empty = check->reply.text[i] == ' ' || check->reply.text[i] == '\n';
	if (is_empty)
		add_whole(check, MM_GUARD_EMPTY);
	if (check->facts->max_code_points &&
	    check->reply.source_code_points > check->facts->max_code_points)
		add_whole(check, MM_GUARD_TOO_LONG);
}

static enum mm_status check_leaks(struct check *check, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_guard_leak leak = {0};
	enum mm_status status = mm_guard_leak_find(&check->reply, &check->facts->prompt,
						   check->facts->canary, &leak, arena, err);

	if (status != MM_OK)
		return status;
	if (leak.has_canary)
		add_whole(check, MM_GUARD_CANARY);
	if (leak.has_passage)
		add(check, MM_GUARD_PROMPT, leak.start, leak.end);
	return MM_OK;
}

static enum mm_status fold_texts(struct check *check, struct mm_arena *arena, struct mm_error *err)
{
	const struct mm_guard_facts *facts = check->facts;
	enum mm_status status = mm_fold(facts->reply.text, facts->reply.length, MM_FOLD_PLAIN,
					&check->reply, arena, err);

	check->sources = mm_arena_array(arena, facts->source_count, sizeof(*check->sources));
	if (!check->sources)
		return mm_error_cause(err, MM_NO_MEMORY, "guard: no memory");
	for (size_t i = 0; i < facts->source_count && status == MM_OK; i++)
		status = mm_fold(facts->sources[i].text, facts->sources[i].length, MM_FOLD_PLAIN,
				 &check->sources[i], arena, err);
	return status;
}

enum mm_status mm_guard_check(const struct mm_guard_facts *facts, struct mm_guard_verdict *out,
			      struct mm_arena *arena, struct mm_error *err)
{
	struct check check = {.facts = facts};
	enum mm_status status = fold_texts(&check, arena, err);

	if (status == MM_OK)
		status = check_leaks(&check, arena, err);
	if (status != MM_OK)
		return status;
	check_size(&check);
	if (!(check.set & 1u << MM_GUARD_EMPTY))
		check_language(&check);
	check_phrases(&check);
	if (facts->severity >= MM_SEVERITY_MEDIUM)
		add_whole(&check, MM_GUARD_ABUSE);
	if (facts->unknown_placeholders > 0)
		add_whole(&check, MM_GUARD_PLACEHOLDER);
	*out = (struct mm_guard_verdict){.set = check.set};
	for (unsigned code = 0; code < MM_GUARD__MAX; code++)
		if (check.set & 1u << code)
			out->findings[out->count++] = check.places[code];
	return MM_OK;
}
