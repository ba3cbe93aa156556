/*
 * rules_internal: what the rule files and the scanner share; not for other folders (floor 2).
 *
 * A rule set goes through three shapes:
 *   draft   what the files say: rules with their names still as text, patterns as written
 *           (rules_parse.c, rules_load.c)
 *   sets    one a view: the distinct folded pattern parts and how patterns are joined from them
 *           (rules_build.c); the parts are cut into needles and programs (rules_needles.c, regex.h)
 *   compiled  a vectorscan database a view, expression id = needle number (rules_compile.c)
 */
#ifndef MM_DETECT_RULES_INTERNAL_H
#define MM_DETECT_RULES_INTERNAL_H

#include <hs.h>

#include "detect/intern.h"
#include "detect/regex.h"
#include "detect/rules.h"

enum {
	MM_PATTERN_PARTS_MAX = 4,
	MM_GAP_NEAR = 12,    /* characters that ` ~ ` allows */
	MM_GAP_FAR = 40,     /* characters that ` ~~ ` allows */
	MM_PART_MAX = 16384, /* bytes of a part as written */
	MM_RULE_ID_MAX = 95,
	MM_RULES_MAX = 100000,
	MM_CONTEXTS_MAX = 256
};

/* A pattern as written. */
struct mm_draft_pattern {
	size_t rule; /* index in the draft */
	bool is_guard;
	unsigned line;
	unsigned part_count;
	unsigned gaps[MM_PATTERN_PARTS_MAX];     /* gaps[i]: characters between part i - 1 and i */
	const char *parts[MM_PATTERN_PARTS_MAX]; /* NUL-terminated */
};

struct mm_draft_rule {
	struct mm_rule rule;
	unsigned keys; /* bit set of the keys seen, as numbered in rules_parse.c */
	bool is_site;
	bool is_dropped;                           /* off, or replaced by the site's */
	const char *unless_names, *requires_names; /* lists as written, NULL when absent */
};

struct mm_draft {
	struct mm_draft_rule *rules;
	size_t rule_count;
	struct mm_draft_pattern *patterns;
	size_t pattern_count;
};

/* Parses one file into `out`. `keep` holds the strings of struct mm_rule, `scratch` the rest. */
enum mm_status mm_rules_parse(const char *file, const char *text, size_t length, bool is_site,
			      struct mm_draft *out, struct mm_arena *keep, struct mm_arena *scratch,
			      struct mm_error *err);

/* Cuts `length` bytes at their joints into out->parts and gaps, which must be empty. False:
 * *reason_out says why (static), or is NULL when the arena is full. */
bool mm_pattern_split(const char *text, size_t length, struct mm_draft_pattern *out,
		      struct mm_arena *arena, const char **reason_out);

/* Calls `each` for every item of a list separated by blanks or commas, until it returns false. */
bool mm_rules_each_name(const char *list, bool (*each)(void *self, const char *name, size_t length),
			void *self);

/* A pattern in one view. */
struct mm_pattern {
	uint32_t rule;
	bool is_guard; /* a guard line, or of a guard stanza */
	uint8_t part_count;
	uint16_t gaps[MM_PATTERN_PARTS_MAX];
	uint32_t parts[MM_PATTERN_PARTS_MAX];
};

/* Which patterns begin with a part: uses[first_use .. +support_count) are guards and contexts,
 * the next subject_count ones are what they judge. */
struct mm_part {
	uint32_t first_use, support_count, subject_count;
	bool is_support; /* only guards and contexts have it, at any place */
};

enum { MM_REACH_NOTHING = (1 << 30) - 1 };

/* What a branch reads to one side of a needle, with what its program knows of its beginning.
 * Packed, as there are tens of thousands. */
struct mm_reach {
	uint32_t program : 30; /* MM_REACH_NOTHING: there is nothing to read */
	uint32_t must_run : 1; /* `first` and `is_nullable` do not tell */
	uint32_t is_nullable : 1;
	uint32_t first[2]; /* of the program, low half first */
};

static inline bool mm_reach_begins_with(const struct mm_reach *reach, uint32_t code_point)
{
	uint32_t bit = mm_first_bit(code_point);

	return reach->first[bit / 32] >> (bit % 32) & 1;
}

/* One way in which a part matches around a needle. */
struct mm_branch {
	uint32_t part : 30;
	uint32_t is_support : 1; /* as of the part */
	uint32_t is_whole : 1;   /* the needle is the part itself; `before` reads it from its end */
	struct mm_reach before, after;
};

/* A literal, or a whole expression for vectorscan, and the branches that contain it:
 * branches[first_branch .. +branch_count) of the view. */
struct mm_needle {
	uint32_t first_branch, branch_count;
	uint32_t length;   /* characters; 0: a whole expression */
	bool has_own_keys; /* no other characters have the same keys */
	const uint32_t *code_points;
};

/* The three kinds of needles, in the order of their numbers: literals, which vectorscan looks for
 * in the keys of a text; single characters, which a table finds; whole expressions, which
 * vectorscan looks for in the text. */
enum { MM_LITERALS, MM_SINGLES, MM_WHOLES, MM_NEEDLE_KINDS };

/* The bit of a character in a view's `singles`. */
enum { MM_SINGLE_WORDS = 64 };
static inline uint32_t mm_single_bit(uint32_t code_point)
{
	return (code_point * 0x9e3779b1u) >> 20;
}

/* All patterns of one view. */
struct mm_view_set {
	struct mm_pattern *patterns;
	uint32_t pattern_count;
	struct mm_part *parts;
	uint32_t part_count;
	uint32_t *uses;
	struct mm_needle *needles;
	uint32_t needle_count;
	uint32_t first_needle[MM_NEEDLE_KINDS + 1]; /* of each kind; the last is the count */
	uint64_t singles[MM_SINGLE_WORDS]; /* a bit for every single character, and a few others */
	struct mm_branch *branches;
	uint32_t branch_count;
	struct mm_code code;
	hs_database_t *databases[MM_NEEDLE_KINDS]; /* NULL when there is nothing in it */
};

/* What building and compiling need beside a set; ends with loading. */
struct mm_view_source {
	struct mm_intern parts;  /* folded expressions by part number */
	const char **part_files; /* where each comes from */
	unsigned *part_lines;
	const char **needles;   /* literals and expressions by needle number */
	uint32_t *needle_parts; /* a part that each needle comes from */
};

enum { MM_VIEWS = 2 }; /* indexed by enum mm_fold_view */

struct mm_rules {
	struct mm_arena *arena;
	struct mm_rule *rules;
	uint32_t rule_count;
	const char **contexts;
	uint32_t context_count;
	struct mm_view_set views[MM_VIEWS];
	bool *needs_support;             /* by rule: has a guard, or contexts that matter */
	uint32_t question, polite, fair; /* context numbers, UINT32_MAX when there is none */
	size_t database_bytes;
	bool is_from_cache;
};

/* Fills rules, contexts and both sets (without databases) from a draft. */
enum mm_status mm_rules_build(const struct mm_draft *draft, struct mm_rules *rules,
			      struct mm_view_source sources[MM_VIEWS], struct mm_arena *scratch,
			      struct mm_error *err);

/* True when the guards of rule `guard`, its own or a guard stanza's, count for rule `rule`. */
bool mm_rule_is_guarded_by(const struct mm_rules *rules, uint32_t rule, uint32_t guard);

/* Cuts the parts of a view into needles, branches and programs. */
enum mm_status mm_rules_cut(struct mm_rules *rules, struct mm_view_set *set,
			    struct mm_view_source *source, struct mm_arena *scratch,
			    struct mm_error *err);

/* Compiles both databases or takes them from the cache. With `must_store` failing to write the
 * cache is an error. */
enum mm_status mm_rules_database(struct mm_rules *rules,
				 const struct mm_view_source sources[MM_VIEWS],
				 const char *cache_dir, bool must_store, struct mm_error *err);

#endif
