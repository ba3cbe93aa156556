/*
 * rules: the detector's rule set (floor 2).
 *
 * Shape    struct mm_rules is opaque and immutable after loading. struct mm_rule is the part of a
 *          rule that others may read.
 * Units    within and the gaps are characters of the message (code points)
 * Own      rules, ids and reasons live as long as the struct mm_rules
 * Errors   enum mm_status; MM_BAD_INPUT names "file:line: reason"
 * Threads  a loaded set may be read by any number of threads
 * Source   vectorscan's developer reference for the regular expressions and serialization
 *
 * RULE FILES: UTF-8, *.rules, read in the order of their names; the site's folder after the
 * shipped one. A rule is a stanza: its id in brackets, then `key = value` lines in any order. A
 * line whose first character is # is a comment (a # later in a line is not). A site's stanza with
 * an id of the shipped set replaces it; `kind = off` removes it. The same id twice in one folder
 * is an error.
 *
 *   [ja.threat.kill]            letters, digits, . _ - ; at most 95 bytes
 *   kind      = harassment      harassment | sentiment | signal | intent | context | guard | off
 *   severity  = critical        harassment: low, medium, high or critical.
 *                               sentiment: none or low, default low for negative and anger: low
 *                               means that its hit alone makes the message a complaint (severity
 *                               low); none states a fact only (商品が届きません)
 *   category  = threat, …       harassment of medium and above, at least one
 *   sentiment = anger           sentiment: its class. harassment: the class its hit counts for
 *                               (default: anger for medium and above, but not for category sexual)
 *   signal    = self_harm       signal; other kinds but context and guard may set one too
 *   intent    = shipping        intent; the same
 *   context   = quote           context: its name; several stanzas may share one. The names
 *                               `question`, `polite` and `fair` (a request or report of what is
 *                               still wrong) are also read by the detector itself: a thread is
 *                               never held against a message with one of them, where `fair` stands
 *                               only for a message that is no harassment by itself
 *   side      = around          context: before | after | around | anywhere (default around).
 *                               before: begins before or with the match; after: ends with or
 *                               after it; around: either; all three in the same sentence, with at
 *                               most `within` characters between, and overlap is allowed.
 *                               anywhere: anywhere in the message
 *   within    = 8               context: 0..200, default 8
 *   weight    = 2.5             log-odds 0.1..10, default 2.0
 *   reason    = …               one Japanese sentence; reason_en = one English sentence
 *   pattern   = REGEX ~ REGEX   see below; several lines are alternatives
 *   guard     = REGEX           harmless wording; a guard match that overlaps a matched part of
 *                               a finding (not merely the gap between two parts) cancels it
 *   guards    = ja.threat. *    guard: id prefixes of the rules that its patterns guard;
 *                               * = every rule but contexts
 *   unless    = quote question  contexts that cancel the match
 *   requires  = staff you       contexts of which one must apply
 *   squeeze   = yes             yes | no: also look in the squeezed view (text/fold.h). Default
 *                               yes for harassment of high and critical. A match there counts
 *                               only where the text really was disguised and where it does not
 *                               begin or end inside a katakana word
 *   Lists are separated by spaces or commas.
 *
 * PATTERNS are written naturally (katakana, capitals, full width) and folded when loaded, as the
 * text is. Dialect: literals, [..], (..|..), ? * + {m,n}, ., \b \B \d \w \s \D \W \S (ASCII), ^ and
 * $ anywhere (begin and end of the message), \ before a sign; looking around for one character:
 * (?=x) (?!x) (?<=x) (?<!x), where x is a character or [..]. No back references, nothing that
 * matches the empty text. ` ~ ` (blanks around it) joins parts with at most 12 characters between,
 * ` ~~ ` at most 40, in the same sentence, in this order; four parts at most. A sentence ends at
 * 。 ! ? (any width), a newline, or a full stop before a blank. Matches are the longest. Guards and
 * contexts may have parts too.
 *
 * A part is found by its needles (regex.h): literals of which every match must contain one. Rare
 * literals of two characters or more make a fast rule; a part without any is given to vectorscan
 * whole, which is slower. From a needle at most 256 characters are read to each side.
 *
 * CACHE: compiling takes up to a second, so the compiled database is kept in
 * CACHE_DIR/rules-<key>.hsdb; the key is a digest of the needles, vectorscan's version and
 * the CPU's features. A missing, stale, damaged or unwritable cache is never an error: the
 * patterns are compiled in memory.
 */
#ifndef MM_DETECT_RULES_H
#define MM_DETECT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "detect/labels.h"

enum mm_rule_kind {
	MM_RULE_HARASSMENT,
	MM_RULE_SENTIMENT,
	MM_RULE_SIGNAL,
	MM_RULE_INTENT,
	MM_RULE_CONTEXT,
	MM_RULE_GUARD,
	MM_RULE_OFF,
	MM_RULE__MAX
};

enum mm_side { MM_SIDE_BEFORE, MM_SIDE_AFTER, MM_SIDE_AROUND, MM_SIDE_ANYWHERE, MM_SIDE__MAX };

/* A rule as written. Unset enums hold their __MAX value. */
struct mm_rule {
	const char *id;
	const char *file; /* name without folder */
	unsigned line;    /* of its [id] */
	enum mm_rule_kind kind;
	enum mm_severity severity;
	unsigned categories; /* bit set of enum mm_category */
	enum mm_sentiment sentiment;
	enum mm_signal signal;
	enum mm_intent intent;
	enum mm_side side;
	unsigned within;
	double weight;
	bool is_squeezed;
	bool is_site; /* from the site's folder: its verdict is never lowered by the model */
	const char *reason, *reason_en;    /* "" when absent */
	const char *context;               /* kind context: its name, else NULL */
	uint32_t context_index;            /* kind context: number of the name */
	const uint32_t *unless, *requires; /* context numbers */
	uint32_t unless_count, requires_count;
	const char *const *guards; /* kind guard: prefixes */
	uint32_t guard_count;
};

struct mm_rules;

/*
 * Reads every *.rules file of `dir` and then of `site_dir` (NULL or absent: none), and takes the
 * compiled database from `cache_dir` (NULL: none) or compiles it, and then tries to store it
 * there. MM_BAD_INPUT: a file is wrong (message "file:line: reason"), `dir` cannot be read or
 * holds no rule; MM_NO_MEMORY; MM_BUG when vectorscan cannot run on this CPU.
 */
enum mm_status mm_rules_load(const char *dir, const char *site_dir, const char *cache_dir,
			     struct mm_rules **out, struct mm_error *err);

/* Does the same and insists on writing the cache: MM_UPSTREAM with the reason when it cannot. */
enum mm_status mm_rules_compile(const char *dir, const char *site_dir, const char *cache_dir,
				struct mm_error *err);

void mm_rules_free(struct mm_rules *rules); /* NULL is fine */

size_t mm_rules_count(const struct mm_rules *rules);

/* The rule at `index` < mm_rules_count(), in the order of the files. */
const struct mm_rule *mm_rules_at(const struct mm_rules *rules, size_t index);

/* The name of context `number`, and the number of a name (UINT32_MAX when there is none). */
const char *mm_rules_context_name(const struct mm_rules *rules, uint32_t number);
uint32_t mm_rules_context_find(const struct mm_rules *rules, const char *name);

/* Distinct pattern parts, the literals that they are found by, and bytes; for reports. */
struct mm_rules_size {
	size_t rules, patterns, parts, squeezed_parts, needles, squeezed_needles;
	size_t database_bytes, program_bytes;
	bool is_from_cache;
};
struct mm_rules_size mm_rules_size(const struct mm_rules *rules);

#endif
