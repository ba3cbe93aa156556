/* search_terms: cuts folded text into terms. */
#include "config.h"

#include "text/search_terms.h"

#include <string.h>

#include "text/fold_table.h"
#include "text/utf8.h"

enum { STEM_MIN = 3, WORD_MAX = 32 };

/* What a question says beside its matter, as folding makes it; the longer before the shorter. */
static const char *const phrases[] = {
    "どうすればいいですか",
    "どうすればよいですか",
    "どうやればいいですか",
    "どうしたらいいですか",
    "どうすれば",
    "どうしたら",
    "どうやったら",
    "どうやって",
    "どのように",
    "いいですか",
    "よいですか",
    "よろしいでしょうか",
    "よろしくお願いいたします",
    "よろしくお願いします",
    "お願いいたします",
    "お願いします",
    "お願いできますか",
    "教えていただけますか",
    "教えてください",
    "教えて",
    "もらえますか",
    "いただけますか",
    "いただけますでしょうか",
    "してください",
    "ください",
    "したいのですが",
    "したいんですが",
    "したいです",
    "したいんですけど",
    "のですが",
    "なんですけど",
    "んですけど",
    "んですが",
    "んだけど",
    "ですけど",
    "できますでしょうか",
    "できますか",
    "できません",
    "できるのでしょうか",
    "ありますか",
    "でしょうか",
    "ましょうか",
    "ですか",
    "ますか",
    "でした",
    "ました",
    "ません",
    "します",
    "ます",
    "です",
    "について",
    "に関して",
    "ほしい",
    "欲しい",
    "みたい",
    "している",
    "しています",
    "となります",
    "になります",
    "ということ",
    "場合",
    "こと",
    "ところ",
    "すみません",
    "お世話になっております",
    "こんにちは",
    "ありがとうございます",
    "知りたい",
    "ございます",
    "いたします",
    "たいと思います",
    "思います",
};

static const char *const little_words[] = {
    "a",     "an",    "and",   "any",    "are",    "as",    "at",    "be",       "been", "but",
    "by",    "can",   "could", "did",    "do",     "does",  "for",   "from",     "get",  "got",
    "had",   "has",   "have",  "he",     "hello",  "help",  "her",   "hi",       "him",  "how",
    "i",     "if",    "im",    "in",     "into",   "is",    "it",    "its",      "ive",  "just",
    "know",  "like",  "ll",    "m",      "me",     "my",    "need",  "no",       "now",  "of",
    "on",    "or",    "our",   "please", "re",     "s",     "she",   "should",   "so",   "some",
    "t",     "tell",  "than",  "thank",  "thanks", "that",  "the",   "their",    "them", "then",
    "there", "these", "they",  "this",   "those",  "to",    "too",   "us",       "ve",   "want",
    "was",   "we",    "were",  "what",   "when",   "where", "which", "who",      "why",  "will",
    "with",  "would", "you",   "your",   "d",      "don",   "doesn", "didn",     "won",  "am",
    "not",   "still", "also",  "about",  "up",     "out",   "ask",   "question",
};

enum { PHRASE_COUNT = sizeof(phrases) / sizeof(phrases[0]) };

/* The characters with which a phrase begins are few: most places need no comparison. */
static bool may_begin_phrase(const char *text)
{
	static const char *const first[] = {"ど", "い", "よ", "お", "教", "も", "し", "く", "の",
					    "な", "ん", "で", "あ", "ま", "に", "ほ", "欲", "み",
					    "と", "場", "こ", "す", "知", "ご", "た", "思"};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (memcmp(text, first[i], 3) == 0)
			return true;
	return false;
}

/* Bytes of the phrase that stands at the beginning of the text, else 0. */
static size_t phrase_at(const char *text, size_t length)
{
	if (length < 3 || !may_begin_phrase(text))
		return 0;
	for (size_t i = 0; i < PHRASE_COUNT; i++) {
		size_t size = strlen(phrases[i]);
		if (size <= length && memcmp(text, phrases[i], size) == 0)
			return size;
	}
	return 0;
}

static bool is_little(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(little_words) / sizeof(little_words[0]); i++)
		if (strlen(little_words[i]) == length && memcmp(little_words[i], word, length) == 0)
			return true;
	return false;
}

static bool ends_in(const char *word, size_t length, const char *ending)
{
	size_t size = strlen(ending);

	return length >= size + STEM_MIN && memcmp(word + length - size, ending, size) == 0;
}

/* Length of the word without its ending: charges, charged and charging are charg. */
static size_t stem(const char *word, size_t length)
{
	static const char *const endings[] = {"ation", "ment", "ing", "ed", NULL};

	if (ends_in(word, length, "ies"))
		length -= 3;
	else if (ends_in(word, length, "s") && word[length - 2] != 's' && word[length - 2] != 'u')
		length--;
	for (const char *const *ending = endings; *ending; ending++)
		if (ends_in(word, length, *ending)) {
			length -= strlen(*ending);
			break;
		}
	if (length > STEM_MIN && (word[length - 1] == 'e' || word[length - 1] == 'y'))
		length--;
	if (length > STEM_MIN && word[length - 1] == word[length - 2] && word[length - 1] != 's')
		length--;
	return length;
}

static uint32_t hash_word(const char *word, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)word[i]) * 16777619u;
	return hash;
}

static uint32_t pair(uint32_t first, uint32_t second)
{
	return (first ^ first >> 16) << 16 | ((second ^ second >> 16 << 4) & 0xFFFF);
}

static enum mm_fold_class class_of(uint32_t point)
{
	uint16_t cell = mm_fold_cell(point);

	return cell < MM_FOLD_CLASS__MAX ? (enum mm_fold_class)cell : MM_FOLD_SYMBOL;
}

static bool is_word_class(enum mm_fold_class class)
{
	return class == MM_FOLD_LATIN || class == MM_FOLD_LETTER;
}

static bool is_japanese_class(enum mm_fold_class class)
{
	return class == MM_FOLD_KANA || class == MM_FOLD_HAN || class == MM_FOLD_LONG_VOWEL;
}

/* Reads a word from a place on; returns its bytes. */
static size_t read_word(const char *text, size_t length)
{
	size_t end = 0;
	uint32_t point;

	while (end < length) {
		size_t size = mm_utf8_decode(text + end, length - end, &point);
		if (size == 0 || !is_word_class(class_of(point)))
			break;
		end += size;
	}
	return end;
}

static void visit_word(const char *word, size_t length, mm_search_visit *visit, void *self)
{
	if (length <= WORD_MAX && is_little(word, length))
		return;
	visit(self, hash_word(word, stem(word, length)), false);
}

/* A run of Japanese characters while it is read. */
struct run {
	uint32_t before; /* the character before, when count is not 0 */
	bool is_kana;    /* and whether it is kana */
	size_t count;
};

static void add_to_run(struct run *run, uint32_t point, enum mm_fold_class class,
		       mm_search_visit *visit, void *self)
{
	bool is_kana = class != MM_FOLD_HAN;

	if (run->count > 0)
		visit(self, pair(run->before, point), is_kana && run->is_kana);
	*run = (struct run){point, is_kana, run->count + 1};
}

/* A character that stands alone is a term of its own. */
static void end_run(struct run *run, mm_search_visit *visit, void *self)
{
	if (run->count == 1)
		visit(self, pair(run->before, 0), run->is_kana);
	run->count = 0;
}

void mm_search_terms(const struct mm_folded *folded, mm_search_visit *visit, void *self)
{
	const char *text = folded->text;
	const size_t length = folded->length;
	struct run run = {0};
	uint32_t point = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = mm_utf8_decode(text + at, length - at, &point);
		if (size == 0)
			break;
		const enum mm_fold_class class = class_of(point);
		const size_t phrase = size == 3 ? phrase_at(text + at, length - at) : 0;
		if (is_japanese_class(class) && phrase == 0) {
			add_to_run(&run, point, class, visit, self);
			continue;
		}
		end_run(&run, visit, self);
		if (phrase > 0) {
			size = phrase;
		} else if (is_word_class(class)) {
			size = read_word(text + at, length - at);
			visit_word(text + at, size, visit, self);
		}
	}
	end_run(&run, visit, self);
}
