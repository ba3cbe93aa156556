/*
 * rewrite: what disguised words stand for, by tables in *.disguise files (floor 2, private to this
 * folder).
 *
 * The squeezed view undoes what stretches and separates. This goes on from there: look-alikes,
 * masked letters, other spellings and reversed words are replaced by the word that they stand for,
 * so that the patterns of the rules find it. A rewriting that may be mistaken is a doubt: what a
 * pattern finds there counts only where a context named `confirm` applies, or `reversed` for a word
 * read from the end.
 *
 * Shape    struct mm_rewrites is opaque and immutable after loading
 * Units    characters of the squeezed view
 * Own      tables live as long as struct mm_rewrites; what is rewritten lives in the arena
 * Errors   enum mm_status; MM_BAD_INPUT names "file:line: reason"
 * Threads  a loaded table may be read by any number of threads
 *
 * TABLE FILES: UTF-8, *.disguise, in the folders of the rules. Lines under a heading; # begins a
 * comment line. Words are separated by blanks; _ stands for a blank in a word. All are folded as
 * the squeezed view is. All files are one table.
 *   [letters]   a = 4 @ α       signs that stand for a letter, beside a Latin letter
 *   [masks]     ○ * #           signs that hide a letter, as far as the squeezed view keeps them
 *   [masked]    バカ fuck …     words to look for under masks. With more letters hidden than
 *                               shown, or only one shown, a doubt
 *   [words]     死ね = 氏ね ?ちね  other spellings. ? marks a doubt, which counts only where it does
 *                               not begin inside a word; < a spelling that is looked for from its
 *                               end, another doubt; + a word in Latin letters that counts only
 *                               right after another one (particles)
 *   [short]     you = yew       the same for abbreviations, which hide nothing
 *   [readings]  責任者 = せきにんしゃ   the same, and its spellings in Latin letters, with blanks
 *                               anywhere. Three kana or fewer are a doubt
 *   [romaji]    し = shi si     how kana are spelled in Latin letters. Such letters in a word with
 *                               kana or kanji become kana (のroま)
 *   [after]     よ や           kana that may follow a doubtful word; before others it is none
 *   [keep]      moby_dick       only looks like a disguise
 * A spelling that begins or ends with a Latin letter or digit stands alone at that side. The
 * longest spelling wins. In a doubt with four letters or more of which one was read from a sign
 * (sh1ne), the doubt is gone. What follows :// is left alone.
 */
#ifndef MM_DETECT_REWRITE_H
#define MM_DETECT_REWRITE_H

#include "detect/keys.h"

struct mm_rewrites;

enum mm_status mm_rewrites_new(struct mm_rewrites **out, struct mm_error *err);
void mm_rewrites_free(struct mm_rewrites *rewrites); /* NULL is fine */

/* Adds the tables of one file. */
enum mm_status mm_rewrites_parse(struct mm_rewrites *rewrites, const char *file, const char *text,
				 size_t length, struct mm_error *err);

/* To be called once, after the last file and before the first question. */
enum mm_status mm_rewrites_finish(struct mm_rewrites *rewrites, struct mm_error *err);

size_t mm_rewrites_count(const struct mm_rewrites *rewrites);

/* True when something in `squeezed`, whose characters are `keyed`, would be rewritten. */
bool mm_rewrite_is_due(const struct mm_rewrites *rewrites, const struct mm_folded *squeezed,
		       const struct mm_keyed *keyed);

/* What speaks against a rewriting: nothing, that it may be a harmless word, that it is read from
 * the end. */
enum mm_doubtfulness { MM_DOUBT_NONE, MM_DOUBT_WORD, MM_DOUBT_REVERSED, MM_DOUBT__MAX };

struct mm_rewriting {
	uint32_t from, to; /* bytes of the rewritten view */
	enum mm_doubtfulness doubt;
	bool is_reading; /* of kana, which hide nothing by themselves */
};

/* A squeezed view after rewriting. */
struct mm_rewritten {
	struct mm_folded view;
	const struct mm_rewriting *rewritings; /* in order */
	uint32_t rewriting_count;
};

/* Rewrites `squeezed`. */
enum mm_status mm_rewrite(const struct mm_rewrites *rewrites, const struct mm_folded *squeezed,
			  const struct mm_keyed *keyed, struct mm_rewritten *out,
			  struct mm_arena *arena, struct mm_error *err);

#endif
