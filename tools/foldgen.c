/*
 * foldgen: writes lib/text's fold_table.c on standard output, at build time, from ICU's Unicode
 * data. Not part of any installed program. What it decides is described in lib/text/fold.h.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "text/fold_table.h"

enum {
	CODE_POINTS = 0x110000,
	BLOCKS = CODE_POINTS / MM_FOLD_BLOCK,
	TEXT_UNITS = 256,
	MAPPINGS_MAX = 20000,
	BYTES_MAX = 65535,
	ROUNDS_MAX = 8,
	VOICED_MARK = 0x3099,
	SEMI_VOICED_MARK = 0x309A,
};

/* Code points whose class Unicode's properties do not tell. */
struct class_row {
	UChar32 first, last;
	enum mm_fold_class class;
};

static const struct class_row class_rows[] = {
    {0x000A, 0x000D, MM_FOLD_NEWLINE},
    {0x0085, 0x0085, MM_FOLD_NEWLINE},
    {0x2028, 0x2029, MM_FOLD_NEWLINE},
    {0x2800, 0x2800, MM_FOLD_SPACE},
    {0x3099, 0x3099, MM_FOLD_VOICED},
    {0x309A, 0x309A, MM_FOLD_SEMI_VOICED},
    {0x309B, 0x309B, MM_FOLD_VOICED},
    {0x309C, 0x309C, MM_FOLD_SEMI_VOICED},
    {0xFF9E, 0xFF9E, MM_FOLD_VOICED},
    {0xFF9F, 0xFF9F, MM_FOLD_SEMI_VOICED},
    {0xFFFC, 0xFFFC, MM_FOLD_DROP},
    {0x30FC, 0x30FC, MM_FOLD_LONG_VOWEL},
    {0x3002, 0x3002, MM_FOLD_SENTENCE_END},
    {'!', '!', MM_FOLD_SENTENCE_END},
    {'?', '?', MM_FOLD_SENTENCE_END},
    {'~', '~', MM_FOLD_DASH},
    {0x2010, 0x2015, MM_FOLD_DASH},
    {0x2212, 0x2212, MM_FOLD_DASH},
    {0x2500, 0x2501, MM_FOLD_DASH},
    {0x301C, 0x301C, MM_FOLD_DASH},
    {0x3030, 0x3030, MM_FOLD_DASH},
    {'#', '&', MM_FOLD_JOINER},
    {'*', '+', MM_FOLD_JOINER},
    {'-', '/', MM_FOLD_JOINER},
    {'=', '=', MM_FOLD_JOINER},
    {'@', '@', MM_FOLD_JOINER},
    {'\\', '\\', MM_FOLD_JOINER},
    {'^', '`', MM_FOLD_JOINER},
    {'|', '|', MM_FOLD_JOINER},
    {0x00B7, 0x00B7, MM_FOLD_JOINER},
    {0x00D7, 0x00D7, MM_FOLD_JOINER},
    {0x2022, 0x2022, MM_FOLD_JOINER},
    {0x2027, 0x2027, MM_FOLD_JOINER},
    {0x2219, 0x2219, MM_FOLD_JOINER},
    {0x22C5, 0x22C5, MM_FOLD_JOINER},
    {0x25CB, 0x25CB, MM_FOLD_JOINER},
    {0x25CF, 0x25CF, MM_FOLD_JOINER},
    {0x25EF, 0x25EF, MM_FOLD_JOINER},
    {0x30FB, 0x30FB, MM_FOLD_JOINER},
};

/* Code points that look like others though Unicode does not decompose them, as ranges that map
 * onto the places of a target text. */
struct look_alike_row {
	UChar32 first;
	const char *targets; /* one character for each code point from first on; ' ' for none */
};

static const struct look_alike_row look_alike_rows[] = {
    {0x00D8, "o"}, /* O with stroke */
    {0x00F8, "o"},
    {0x0110, "dd"},
    {0x0126, "hh"},
    {0x0141, "ll"},
    {0x0166, "tt"},
    {0x0262, "g"}, /* small capitals */
    {0x026A, "i"},
    {0x0274, "n"},
    {0x0280, "r"},
    {0x028F, "y"},
    {0x0299, "b"},
    {0x029C, "h"},
    {0x029F, "l"},
    {0x1D00, "a   cd e  jk m o        p"},
    {0x1D1B, "tu   vwz"},
    {0xA730, "fs"},
    {0x1F150, "abcdefghijklmnopqrstuvwxyz"}, /* negative circled */
    {0x1F170, "abcdefghijklmnopqrstuvwxyz"}, /* negative squared */
    {0x1F1E6, "abcdefghijklmnopqrstuvwxyz"}, /* regional indicators */
    {0x31F0, "くしすとぬはひふへほむらりるれろ"},
    {0x1B132, "こ"},
    {0x1B150, "ゐゑを"},
    {0x1B155, "こ"},
    {0x1B164, "ゐゑをん"},
};

static const UNormalizer2 *case_folder, *composer, *decomposer;
static UChar32 look_alikes[CODE_POINTS]; /* 0: none */
static uint16_t cells[CODE_POINTS];
static struct mm_fold_mapping mappings[MAPPINGS_MAX];
static size_t mapping_count;
static char bytes[BYTES_MAX];
static size_t byte_count;

static void fail(const char *reason)
{
	fprintf(stderr, "foldgen: %s\n", reason);
	exit(1);
}

static void check(UErrorCode status)
{
	if (U_FAILURE(status))
		fail(u_errorName(status));
}

static void load_look_alikes(void)
{
	for (size_t i = 0; i < sizeof(look_alike_rows) / sizeof(look_alike_rows[0]); i++) {
		UChar targets[TEXT_UNITS];
		int32_t length;
		UErrorCode status = U_ZERO_ERROR;
		u_strFromUTF8(targets, TEXT_UNITS, &length, look_alike_rows[i].targets, -1,
			      &status);
		check(status);
		for (int32_t k = 0; k < length; k++)
			look_alikes[look_alike_rows[i].first + k] =
			    targets[k] == ' ' ? 0 : targets[k];
	}
}

static bool is_mark(UChar32 c)
{
	int8_t type = u_charType(c);

	return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || c == 0x302E || c == 0x302F;
}

static bool is_dropped(UChar32 c)
{
	int8_t type = u_charType(c);

	return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
	       type == U_CONTROL_CHAR ||
	       (type == U_FORMAT_CHAR &&
		!u_hasBinaryProperty(c, UCHAR_PREPENDED_CONCATENATION_MARK));
}

/* The class of a letter or sign that stays. */
static enum mm_fold_class letter_class(UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	UScriptCode script = uscript_getScript(c, &status);

	check(status);
	if (script == USCRIPT_HAN && (u_isalnum(c) || u_charType(c) == U_LETTER_NUMBER))
		return MM_FOLD_HAN;
	if (c == 0x3006)
		return MM_FOLD_HAN;
	if (script == USCRIPT_HIRAGANA && u_isalpha(c))
		return MM_FOLD_KANA;
	if ((script == USCRIPT_LATIN && u_isalpha(c)) || (c >= '0' && c <= '9'))
		return MM_FOLD_LATIN;
	return u_isalnum(c) || u_charType(c) == U_COMBINING_SPACING_MARK ? MM_FOLD_LETTER
									 : MM_FOLD_SYMBOL;
}

static enum mm_fold_class class_of(UChar32 c)
{
	for (size_t i = 0; i < sizeof(class_rows) / sizeof(class_rows[0]); i++)
		if (c >= class_rows[i].first && c <= class_rows[i].last)
			return class_rows[i].class;
	if (u_hasBinaryProperty(c, UCHAR_WHITE_SPACE))
		return MM_FOLD_SPACE;
	if (is_mark(c))
		return MM_FOLD_MARK;
	if (is_dropped(c))
		return MM_FOLD_DROP;
	return letter_class(c);
}

static UChar32 to_hiragana(UChar32 c)
{
	bool is_katakana = (c >= 0x30A1 && c <= 0x30F6) || c == 0x30FD || c == 0x30FE;

	return is_katakana ? c - 0x60 : c;
}

/* Copies the text, letter by letter: look-alikes and katakana replaced, marks dropped. */
static int32_t replace_letters(const UChar *from, int32_t length, UChar *to)
{
	int32_t written = 0;

	for (int32_t at = 0; at < length;) {
		UChar32 c;
		UBool is_error = false;
		U16_NEXT(from, at, length, c);
		if (look_alikes[c] != 0)
			c = look_alikes[c];
		c = to_hiragana(c);
		if (u_hasBinaryProperty(c, UCHAR_WHITE_SPACE))
			c = ' ';
		if ((is_mark(c) || is_dropped(c)) && c != VOICED_MARK && c != SEMI_VOICED_MARK)
			continue;
		U16_APPEND(to, written, TEXT_UNITS, c, is_error);
		if (is_error)
			fail("a mapping is too long");
	}
	return written;
}

/* One round of folding, in place. */
static int32_t fold_once(UChar *text, int32_t length)
{
	UChar folded[TEXT_UNITS], decomposed[TEXT_UNITS], replaced[TEXT_UNITS];
	UErrorCode status = U_ZERO_ERROR;

	length = unorm2_normalize(case_folder, text, length, folded, TEXT_UNITS, &status);
	length = unorm2_normalize(decomposer, folded, length, decomposed, TEXT_UNITS, &status);
	check(status);
	length = replace_letters(decomposed, length, replaced);
	length = unorm2_normalize(composer, replaced, length, text, TEXT_UNITS, &status);
	check(status);
	return length;
}

/* Drops what composition left over: voiced marks without their kana, spaces at the ends. */
static int32_t trim(UChar *text, int32_t length)
{
	int32_t kept = 0;

	for (int32_t i = 0; i < length; i++)
		if (text[i] != VOICED_MARK && text[i] != SEMI_VOICED_MARK)
			text[kept++] = text[i];
	while (kept > 1 && text[kept - 1] == ' ')
		kept--;
	int32_t first = 0;
	while (first + 1 < kept && text[first] == ' ')
		first++;
	u_memmove(text, text + first, kept - first);
	return kept - first;
}

static int32_t fold_fully(UChar32 c, UChar *text)
{
	UChar before[TEXT_UNITS];
	int32_t length = 0, length_before;

	U16_APPEND_UNSAFE(text, length, c);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		u_memcpy(before, text, length);
		length_before = length;
		length = trim(text, fold_once(text, length));
		if (length == length_before && u_memcmp(before, text, length) == 0)
			return length;
	}
	fail("a mapping does not come to rest");
	return 0;
}

/* The index of a mapping, made when it is not there yet. */
static size_t find_mapping(const char *text, size_t length, enum mm_fold_class last, bool is_dash)
{
	for (size_t i = 0; i < mapping_count; i++)
		if (mappings[i].length == length && mappings[i].is_dash == is_dash &&
		    memcmp(bytes + mappings[i].offset, text, length) == 0)
			return i;
	if (mapping_count == MAPPINGS_MAX || byte_count + length > BYTES_MAX)
		fail("too many mappings");
	mappings[mapping_count] = (struct mm_fold_mapping){
	    .offset = (uint16_t)byte_count,
	    .length = (uint8_t)length,
	    .last_class = (uint8_t)last,
	    .is_dash = is_dash,
	};
	memcpy(bytes + byte_count, text, length);
	byte_count += length;
	return mapping_count++;
}

static uint16_t mapping_cell(UChar32 c, const UChar *text, int32_t length)
{
	char utf8[TEXT_UNITS * 3];
	int32_t size = 0;
	UErrorCode status = U_ZERO_ERROR;
	UChar32 last;

	u_strToUTF8(utf8, sizeof(utf8), &size, text, length, &status);
	check(status);
	if (size > MM_FOLD_LONGEST || size > MM_FOLD_EXPANSION * U8_LENGTH(c))
		return (uint16_t)letter_class(c);
	U16_GET(text, 0, length - 1, length, last);
	bool is_dash =
	    c == 0xFF0D || c == 0xFE63 || (length == 1 && class_of(last) == MM_FOLD_DASH);
	size_t index = find_mapping(utf8, (size_t)size, class_of(last), is_dash);
	return (uint16_t)(index + MM_FOLD_CLASS__MAX);
}

static uint16_t make_cell(UChar32 c)
{
	UChar text[TEXT_UNITS];
	enum mm_fold_class class = class_of(c);

	if (class >= MM_FOLD_SPACE || U_IS_SURROGATE(c))
		return (uint16_t) class;
	int32_t length = fold_fully(c, text);
	if (length == 0)
		return MM_FOLD_DROP;
	if (length == 1 && text[0] == ' ')
		return MM_FOLD_SPACE;
	UChar32 first;
	U16_GET(text, 0, 0, length, first);
	if (first == c && length == U16_LENGTH(c))
		return (uint16_t) class;
	return mapping_cell(c, text, length);
}

static void print_mappings(void)
{
	printf("const struct mm_fold_mapping mm_fold_mappings[] = {\n");
	for (size_t i = 0; i < mapping_count; i++)
		printf("{%u,%u,%u,%d},%s", mappings[i].offset, mappings[i].length,
		       mappings[i].last_class, mappings[i].is_dash, i % 8 == 7 ? "\n" : "");
	printf("};\n\nconst char mm_fold_bytes[] = {\n");
	/* Zeros at the end: a reader may copy MM_FOLD_LONGEST bytes from any offset. */
	for (size_t i = 0; i < byte_count + MM_FOLD_LONGEST; i++)
		printf("%d,%s", i < byte_count ? (signed char)bytes[i] : 0,
		       i % 24 == 23 ? "\n" : "");
	printf("};\n\n");
}

/* Prints each distinct block once, and where each block's cells are. */
static void print_cells(void)
{
	static uint16_t places[BLOCKS];
	size_t distinct = 0;

	printf("const uint16_t mm_fold_cells[] = {\n");
	for (size_t block = 0; block < BLOCKS; block++) {
		const uint16_t *from = cells + block * MM_FOLD_BLOCK;
		size_t same = 0;
		while (same < block && memcmp(cells + same * MM_FOLD_BLOCK, from,
					      MM_FOLD_BLOCK * sizeof(from[0])) != 0)
			same++;
		if (same < block) {
			places[block] = places[same];
			continue;
		}
		places[block] = (uint16_t)distinct++;
		for (size_t i = 0; i < MM_FOLD_BLOCK; i++)
			printf("%u,%s", from[i], i % 16 == 15 ? "\n" : "");
	}
	printf("};\n\nconst uint16_t mm_fold_blocks[0x110000 / MM_FOLD_BLOCK] = {\n");
	for (size_t block = 0; block < BLOCKS; block++)
		printf("%u,%s", places[block], block % 24 == 23 ? "\n" : "");
	printf("};\n");
}

int main(void)
{
	UErrorCode status = U_ZERO_ERROR;

	case_folder = unorm2_getNFKCCasefoldInstance(&status);
	composer = unorm2_getNFCInstance(&status);
	decomposer = unorm2_getNFDInstance(&status);
	check(status);
	load_look_alikes();
	for (UChar32 c = 0; c < CODE_POINTS; c++)
		cells[c] = make_cell(c);
	printf("/* Made by tools/foldgen.c with Unicode %s. See fold_table.h. */\n"
	       "#include \"config.h\"\n\n#include \"text/fold_table.h\"\n\n",
	       U_UNICODE_VERSION);
	print_mappings();
	print_cells();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
