/*
 * fold: the text as it sounds, for matching, with a way back to the text as it was sent (floor 1).
 *
 * Shape    struct mm_folded is a plain value. Its text is UTF-8 and NUL-terminated (NUL not in
 *          length). For every folded byte i, source code points [start[i], end[i]) made it; the
 *          bytes of one folded character share one pair, and both arrays never decrease. The
 *          source span of folded bytes [a, b) is [start[a], end[b - 1]).
 * Units    length is bytes; start, end and source_code_points are Unicode code points
 * Own      everything in struct mm_folded lives in the arena passed in; it borrows nothing from
 *          the source text
 * Errors   MM_BAD_INPUT: the source is not valid UTF-8, or longer than UINT32_MAX bytes;
 *          MM_NO_MEMORY. Outputs are untouched unless MM_OK
 * Threads  pure functions over const tables, safe everywhere
 * Source   UAX #15 and UTS #39 (NFKC_Casefold); the table is made at build time by
 *          tools/foldgen.c with ICU, so that running programs do not need ICU
 *
 * The PLAIN view, code point by code point:
 *   - NFKC_Casefold: full and half width, circled, squared, mathematical letters, capitals.
 *     U+FDFA, which would become 18 letters, is left alone: a character grows to
 *     MM_FOLD_EXPANSION times its bytes at most
 *   - katakana becomes hiragana, ﾊﾞ and か+゛ become ば and が (゛ and ゜ count as marks); a voiced
 *     mark that its kana cannot take is dropped; ゝ ゞ 々 stay, ヽ ヾ become ゝ ゞ
 *   - accents and all other combining marks, zero-width characters, soft hyphens, variation
 *     selectors, bidirectional and other control characters are dropped
 *   - a run of white space becomes one space, or one newline when there is a line end in it;
 *     the space covers the whole run
 *   - ~ 〜 ～ 〰 ‐ ‑ ‒ – — ― − － ─ ━ after kana or ー become ー (the ASCII hyphen stays)
 *   - anything else stays. A dropped mark or variation selector belongs to the span of the
 *     character before it; other dropped characters belong to none
 *
 * The SQUEEZED view is made from the PLAIN view:
 *   - small kana become large ones (ぁ あ, っ つ, ゃ や); ー is dropped
 *   - a vowel kana that repeats the vowel before it is dropped when it is small, or when it is
 *     in a run of such repeats that has a ー, a small vowel, or two members (ばぁか, ばああか,
 *     ばあーか become ばか; ばあか, かわいい and いいえ stay)
 *   - three or more equal characters in a row become one, but for signs that may hide letters
 *   - what stands between two letters (spaces, newlines, punctuation, symbols) is dropped:
 *     between two Japanese letters when one of the two runs of letters is a single letter (ば・か,
 *     お前は死 ね), or when it is one single joining sign ・ * _ - / | . + = and their like
 *     (このバ・カ野郎); between two Latin letters or digits when both runs are single (f u c k),
 *     where a wider blank, or a blank among other signs, becomes one blank (f.u.c.k y.o.u), and
 *     where the sign is not likely to stand for a letter (c*w, st*p*d stay).
 *     One shape ○ ★ × * between Japanese letters stays too, unless several separate them
 *     With a sentence end 。!? in it, it is only dropped before a single letter. Stretching is not
 *     counted in the length of a run
 *   The disadvantage: joined words can make a word that nobody wrote. Believe a hit in this view
 *   only where mm_fold_span_is_changed().
 *
 * Memory: 9 bytes for every byte of text, taken once; a second time when the text grows beyond
 * its own length. Time is linear in the length for any input.
 */
#ifndef MM_TEXT_FOLD_H
#define MM_TEXT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

struct mm_folded {
	const char *text;          /* NUL-terminated */
	size_t length;             /* bytes */
	const uint32_t *start;     /* per folded byte: first source code point */
	const uint32_t *end;       /* per folded byte: one past the last source code point */
	size_t source_code_points; /* of the whole source */
	bool is_changed;           /* SQUEEZED: its text differs from PLAIN's. PLAIN: false */
	bool has_odd_letters;      /* PLAIN: a Latin letter was not sent as itself, or something
				    * in or beside a letter was dropped. SQUEEZED: false */
};

enum mm_fold_view { MM_FOLD_PLAIN, MM_FOLD_SQUEEZED, MM_FOLD__MAX };

/*
 * Folds UTF-8 text into the view wanted. Empty text (utf8 may then be NULL) gives empty text.
 * err may be NULL. Who wants both views calls this for PLAIN and mm_fold_squeeze() on the result.
 */
enum mm_status mm_fold(const char *utf8, size_t length, enum mm_fold_view view,
		       struct mm_folded *out, struct mm_arena *arena, struct mm_error *err);

/* Makes the SQUEEZED view from a PLAIN one; offsets still count the original source. */
enum mm_status mm_fold_squeeze(const struct mm_folded *plain, struct mm_folded *out,
			       struct mm_arena *arena, struct mm_error *err);

/*
 * Says whether folded bytes [start, end) of the SQUEEZED view read differently in the PLAIN view
 * of the same source. The span must lie on character borders. Logarithmic in the length, linear
 * in the span.
 */
bool mm_fold_span_is_changed(const struct mm_folded *plain, const struct mm_folded *squeezed,
			     size_t start, size_t end);

/*
 * Folds the literal characters of a regular expression and leaves its syntax alone:
 * . ^ $ | ( ) (?:…) * + ? {m,n} [ ] and whatever follows a backslash. *out is NUL-terminated.
 *   - a full-width sign that folds to syntax is escaped: 本気か？ means a question mark
 *   - a literal that is dropped takes its quantifier along (ー* in the SQUEEZED view), so does a
 *     character class of which nothing is left; [^…] of which nothing is left becomes .
 *   - a quantified literal that folds to several characters is put in a group
 * MM_BAD_INPUT: invalid UTF-8, a class without its end, a backslash at the end. That the rest is
 * a good expression is for the compiler of the expression to find out.
 */
enum mm_status mm_fold_pattern(const char *pattern, size_t length, enum mm_fold_view view,
			       char **out, struct mm_arena *arena, struct mm_error *err);

#endif
