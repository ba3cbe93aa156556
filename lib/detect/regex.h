/*
 * regex: the expressions of rule files, split into needles and programs (floor 2, private to this
 * folder).
 *
 * A vectorscan database of thousands of alternations with start of match grows to tens of
 * megabytes and minutes of compiling. So vectorscan only looks for needles: literals of which
 * every match must contain one. Where a needle is found, two small automata read on from there,
 * one to the left and one to the right. An expression is BEFORE · NEEDLE · AFTER; an expression
 * whose alternatives have different needles has several branches. One without any useful literal
 * is given to vectorscan as it is (its needle is the expression), and read back from its end.
 *
 * Shape    parse -> tree (struct mm_node) -> plan (branches) -> program (instructions)
 * Units    code points
 * Own      trees and plans live in the arena passed in
 * Errors   mm_regex_parse says in words what is wrong
 * Source   Thompson's construction and Pike's simulation (Russ Cox, Regular Expression Matching
 *          Can Be Simple And Fast); required literals as in Cox's and Andrew Gallant's work
 */
#ifndef MM_DETECT_REGEX_H
#define MM_DETECT_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
	MM_REPEAT_MAX = 200,
	MM_REGEX_DEPTH_MAX = 40,
	MM_NEEDLES_MAX = 256,  /* of one branch */
	MM_BRANCHES_MAX = 512, /* of one expression */
	MM_REACH_MAX = 256     /* characters that an automaton reads on from a needle */
};

#define MM_UNBOUNDED UINT32_MAX

struct mm_code_range {
	uint32_t from, to;
};

struct mm_char_class {
	bool is_negated;
	uint32_t range_count;
	const struct mm_code_range *ranges;
	uint32_t number; /* of the copy in the code plus one, once a program has it */
};

enum mm_node_kind {
	MM_NODE_CHAR,
	MM_NODE_CLASS,
	MM_NODE_CAT, /* children in order; none: the empty text */
	MM_NODE_ALT,
	MM_NODE_REPEAT, /* of its only child */
	MM_NODE_ASSERT
};

enum mm_assertion {
	MM_ASSERT_BEGIN,      /* ^ */
	MM_ASSERT_END,        /* $ */
	MM_ASSERT_WORD,       /* \b */
	MM_ASSERT_NOT_WORD,   /* \B */
	MM_ASSERT_AHEAD,      /* (?=x) one character of the class follows */
	MM_ASSERT_NOT_AHEAD,  /* (?!x) */
	MM_ASSERT_BEHIND,     /* (?<=x) */
	MM_ASSERT_NOT_BEHIND, /* (?<!x) */
};

struct mm_node {
	enum mm_node_kind kind;
	enum mm_assertion assertion;
	uint32_t code_point;
	struct mm_char_class *class;
	uint32_t min, max;
	struct mm_node *child, *next;
};

/* Parses a folded, NUL-terminated expression. False: *reason_out says why (static), or is NULL
 * when the arena is full. */
bool mm_regex_parse(const char *expression, struct mm_node **out, struct mm_arena *arena,
		    const char **reason_out);

/* True when the tree matches the empty text. */
bool mm_regex_is_nullable(const struct mm_node *node);

bool mm_class_has(const struct mm_char_class *class, uint32_t code_point);

/* One way to match: items[0..before) NEEDLE items[after..item_count). */
struct mm_branch_plan {
	const struct mm_node **items;
	size_t item_count, before, after;
	const char **needles; /* NUL-terminated UTF-8, not empty */
	size_t needle_count;
};

struct mm_plan {
	struct mm_branch_plan *branches;
	size_t branch_count; /* 0: there is no useful needle */
};

/* Finds the needles of a tree. False when the arena is full. */
bool mm_regex_plan(const struct mm_node *tree, struct mm_plan *out, struct mm_arena *arena);

enum mm_operation {
	MM_OP_CHAR,
	MM_OP_CLASS,
	MM_OP_SPLIT, /* go on at `next` and at `other` */
	MM_OP_ASSERT,
	MM_OP_MATCH
};

/* Eight bytes, as there may be a million. But for MM_OP_SPLIT the next instruction follows. */
struct mm_instruction {
	uint32_t operation : 3;
	uint32_t assertion : 3;
	uint32_t next : 26; /* split: where to go on */
	uint32_t value;     /* char: code point; class, assertion: class number; split: other */
};

struct mm_program {
	uint32_t start, length; /* instructions */
	uint64_t first;         /* bit mm_first_bit(c) is set when the program can begin with c */
	bool is_backward;
	bool has_assertion;
	bool is_nullable; /* matches the empty text; only known without assertions */
};

/* The number of the bit that stands for a character, and some others, in a program's `first`. */
static inline uint32_t mm_first_bit(uint32_t code_point)
{
	return (code_point * 0x9e3779b1u) >> 26;
}

/* The programs of a view, one after the other. All arrays by malloc. */
struct mm_code {
	struct mm_arena *arena; /* where classes are copied to */
	const struct mm_char_class **classes;
	uint32_t class_count, class_capacity;
	struct mm_instruction *items;
	uint32_t count, capacity;
	struct mm_program *programs;
	uint32_t program_count, program_capacity;
	uint32_t longest; /* instructions of the longest program */
};

#define MM_NO_PROGRAM UINT32_MAX

/* Adds a program that matches the items in order, or backwards, and gives its number;
 * MM_NO_PROGRAM for no items. False: no memory, or more than 20,000 instructions. End `code` with
 * mm_code_free. */
bool mm_program_add(struct mm_code *code, const struct mm_node *const *items, size_t count,
		    bool is_backward, uint32_t *out);

void mm_code_free(struct mm_code *code);

/* Runs programs, and remembers the states and moves that were met (a DFA made as it is needed).
 * For one thread at a time. */
struct mm_automaton;

struct mm_automaton *mm_automaton_new(const struct mm_code *code); /* NULL: no memory */
void mm_automaton_free(struct mm_automaton *automaton);

/* Begins a message of `count` characters: `steps` is what all its runs together may cost. */
void mm_automaton_begin(struct mm_automaton *automaton, const uint32_t *text, uint32_t count,
			uint32_t steps);

/* Runs a program from character `at` of the text; *end_out is the farthest character at which it
 * matches, at most MM_REACH_MAX away. False: no match, or no steps are left. */
bool mm_automaton_run(struct mm_automaton *automaton, uint32_t program, uint32_t at,
		      uint32_t *end_out);

#endif
