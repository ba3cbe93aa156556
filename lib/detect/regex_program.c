/* regex_program.c: turns trees into programs (Thompson's construction). regex_run.c runs them. */
#include "config.h"

#include "detect/regex.h"

#include <stdlib.h>
#include <string.h>

#include "detect/grow.h"

#if defined(__GNUC__) && !defined(__clang__)
/* gcc 12 takes arrays that mm_grow has moved into struct mm_code for lost; mm_code_free frees them,
 * and the tests run under LeakSanitizer. */
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

enum {
	PROGRAM_MAX = 20000,
	NEXT_MAX = (1 << 26) - 1 /* of all programs together */
};

struct emitter {
	struct mm_code *code;
	uint32_t start; /* of this program */
	bool is_backward, has_failed;
};

static bool emit_node(struct emitter *e, const struct mm_node *node);

static uint32_t here(const struct emitter *e)
{
	return e->code->count;
}

/* Adds an instruction that goes on with the one after it; returns its number. */
static uint32_t emit(struct emitter *e, enum mm_operation operation)
{
	struct mm_code *code = e->code;

	if (code->count - e->start >= PROGRAM_MAX || code->count >= NEXT_MAX)
		e->has_failed = true;
	if (!e->has_failed) {
		struct mm_instruction *items =
		    mm_grow(code->items, code->count, &code->capacity, sizeof(*items));

		e->has_failed = !items;
		if (items)
			code->items = items;
	}
	if (e->has_failed)
		return 0;
	code->items[code->count] = (struct mm_instruction){
	    .operation = operation, .next = (code->count + 1) & NEXT_MAX, .value = MM_NO_PROGRAM};
	return code->count++;
}

static bool add_class(struct mm_code *code, const struct mm_char_class *class)
{
	const struct mm_char_class **classes =
	    mm_grow(code->classes, code->class_count, &code->class_capacity, sizeof(*classes));

	if (!classes)
		return false;
	code->classes = classes;
	code->classes[code->class_count++] = class;
	return true;
}

/* The number of the class in the code; 0 and failed when there is no memory. */
static uint32_t keep_class(struct emitter *e, struct mm_char_class *class)
{
	struct mm_char_class *copy;
	struct mm_code_range *ranges;

	if (!class || class->number)
		return class ? class->number - 1 : 0;
	copy = mm_arena_zalloc(e->code->arena, sizeof(*copy));
	ranges = mm_arena_alloc(e->code->arena, class->range_count * sizeof(*ranges));
	if (!copy || !ranges || !add_class(e->code, copy)) {
		e->has_failed = true;
		return 0;
	}
	memcpy(ranges, class->ranges, class->range_count * sizeof(*ranges));
	*copy = (struct mm_char_class){
	    .is_negated = class->is_negated, .range_count = class->range_count, .ranges = ranges};
	class->number = e->code->class_count;
	return class->number - 1;
}

static bool emit_split(struct emitter *e, uint32_t *out)
{
	*out = emit(e, MM_OP_SPLIT);
	return !e->has_failed;
}

static void set_other(struct emitter *e, uint32_t instruction, uint32_t target)
{
	if (!e->has_failed)
		e->code->items[instruction].value = target;
}

static void set_next(struct emitter *e, uint32_t instruction, uint32_t target)
{
	if (!e->has_failed)
		e->code->items[instruction].next = target & NEXT_MAX;
}

static bool emit_children(struct emitter *e, const struct mm_node *child)
{
	if (!child)
		return true;
	if (e->is_backward)
		return emit_children(e, child->next) && emit_node(e, child);
	return emit_node(e, child) && emit_children(e, child->next);
}

/* split(a, split(b, c)): each alternative ends in a jump to the end, a split without other. */
static bool emit_alternatives(struct emitter *e, const struct mm_node *node)
{
	uint32_t jumps = MM_NO_PROGRAM; /* chained through `other` until the end is known */

	for (const struct mm_node *child = node->child; child; child = child->next) {
		uint32_t split = MM_NO_PROGRAM, jump;

		if (child->next && !emit_split(e, &split))
			return false;
		if (!emit_node(e, child))
			return false;
		if (!child->next)
			break;
		if (!emit_split(e, &jump))
			return false;
		set_other(e, jump, jumps);
		jumps = jump;
		set_other(e, split, here(e));
	}
	while (jumps != MM_NO_PROGRAM) {
		uint32_t previous = e->code->items[jumps].value;

		set_next(e, jumps, here(e));
		set_other(e, jumps, MM_NO_PROGRAM);
		jumps = previous;
	}
	return true;
}

static bool emit_loop(struct emitter *e, const struct mm_node *child)
{
	uint32_t split, jump;

	if (!emit_split(e, &split) || !emit_node(e, child) || !emit_split(e, &jump))
		return false;
	set_next(e, jump, split);
	set_other(e, split, here(e));
	return true;
}

static bool emit_repeat(struct emitter *e, const struct mm_node *node)
{
	uint32_t splits = MM_NO_PROGRAM;

	for (uint32_t i = 0; i < node->min; i++)
		if (!emit_node(e, node->child))
			return false;
	if (node->max == MM_UNBOUNDED)
		return emit_loop(e, node->child);
	for (uint32_t i = node->min; i < node->max; i++) {
		uint32_t split;

		if (!emit_split(e, &split) || !emit_node(e, node->child))
			return false;
		set_other(e, split, splits);
		splits = split;
	}
	while (splits != MM_NO_PROGRAM) {
		uint32_t previous = e->code->items[splits].value;

		set_other(e, splits, here(e));
		splits = previous;
	}
	return true;
}

static bool emit_node(struct emitter *e, const struct mm_node *node)
{
	uint32_t at, class;

	switch (node->kind) {
	case MM_NODE_CAT:
		return emit_children(e, node->child);
	case MM_NODE_ALT:
		return emit_alternatives(e, node);
	case MM_NODE_REPEAT:
		return emit_repeat(e, node);
	case MM_NODE_CHAR:
		at = emit(e, MM_OP_CHAR);
		if (!e->has_failed)
			e->code->items[at].value = node->code_point;
		break;
	case MM_NODE_CLASS:
		class = keep_class(e, node->class);
		at = emit(e, MM_OP_CLASS);
		if (!e->has_failed)
			e->code->items[at].value = class;
		break;
	case MM_NODE_ASSERT:
		class = keep_class(e, node->class);
		at = emit(e, MM_OP_ASSERT);
		if (!e->has_failed) {
			e->code->items[at].assertion = node->assertion & 7u;
			e->code->items[at].value = class;
		}
		break;
	}
	return !e->has_failed;
}

static uint64_t class_first(const struct mm_char_class *class)
{
	uint64_t first = 0;

	if (class->is_negated)
		return UINT64_MAX;
	for (uint32_t i = 0; i < class->range_count; i++) {
		if (class->ranges[i].to - class->ranges[i].from > 64)
			return UINT64_MAX;
		for (uint32_t c = class->ranges[i].from; c <= class->ranges[i].to; c++)
			first |= (uint64_t)1 << mm_first_bit(c);
	}
	return first;
}

/* Notes what a program can begin with: walks all that is reached without reading a character. */
static bool find_first(const struct mm_code *code, struct mm_program *program)
{
	uint32_t *stack = malloc((program->length + 1) * sizeof(*stack)), depth = 1;
	bool *is_seen = calloc(program->length, sizeof(*is_seen));
	bool has_room = stack && is_seen;

	if (has_room)
		stack[0] = program->start;
	while (has_room && depth > 0) {
		uint32_t number = stack[--depth];
		const struct mm_instruction *item = &code->items[number];
		uint32_t targets[2] = {MM_NO_PROGRAM, MM_NO_PROGRAM};

		if (item->operation == MM_OP_CHAR) {
			program->first |= (uint64_t)1 << mm_first_bit(item->value);
		} else if (item->operation == MM_OP_CLASS) {
			program->first |= class_first(code->classes[item->value]);
		} else if (item->operation == MM_OP_MATCH) {
			program->is_nullable = true;
		} else {
			targets[0] = item->operation == MM_OP_SPLIT ? item->next : number + 1;
			targets[1] = item->operation == MM_OP_SPLIT ? item->value : MM_NO_PROGRAM;
		}
		for (int i = 0; i < 2; i++) {
			if (targets[i] == MM_NO_PROGRAM || is_seen[targets[i] - program->start])
				continue;
			is_seen[targets[i] - program->start] = true;
			stack[depth++] = targets[i];
		}
	}
	free(stack);
	free(is_seen);
	return has_room;
}

static bool add_program(struct mm_code *code, const struct emitter *e)
{
	struct mm_program program = {
	    .start = e->start, .length = code->count - e->start, .is_backward = e->is_backward};

	struct mm_program *programs = mm_grow(code->programs, code->program_count,
					      &code->program_capacity, sizeof(*programs));

	if (!programs)
		return false;
	code->programs = programs;
	for (uint32_t i = e->start; i < code->count; i++)
		program.has_assertion |= code->items[i].operation == MM_OP_ASSERT;
	if (program.length > code->longest)
		code->longest = program.length;
	if (!find_first(code, &program))
		return false;
	code->programs[code->program_count++] = program;
	return true;
}

bool mm_program_add(struct mm_code *code, const struct mm_node *const *items, size_t count,
		    bool is_backward, uint32_t *out)
{
	struct emitter emitter = {.code = code, .start = code->count, .is_backward = is_backward};

	*out = MM_NO_PROGRAM;
	if (count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!emit_node(&emitter, items[is_backward ? count - 1 - i : i]))
			return false;
	emit(&emitter, MM_OP_MATCH);
	if (emitter.has_failed || !add_program(code, &emitter))
		return false;
	*out = code->program_count - 1;
	return true;
}

void mm_code_free(struct mm_code *code)
{
	free(code->items);
	free(code->classes);
	free(code->programs);
	*code = (struct mm_code){0};
}
