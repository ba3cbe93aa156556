/* regex_run.c: runs programs as a DFA that is made as it is needed: a state is a set of
 * instructions (Pike's simulation), and a move from it by a character is worked out once. When the
 * memory for states and moves is full, all are forgotten. */
#include "config.h"

#include "detect/regex.h"

#include <stdlib.h>
#include <string.h>

enum {
	MOVES_MAX = 1 << 14, /* slots; three quarters are used */
	MOVES_NEAR = 4,      /* slots of a state */
	STATES_MAX = MOVES_MAX / MOVES_NEAR,
	MEMBERS_MAX = 1 << 16,
	NEW_MOVE_STEPS = 24 /* what working out a move costs, in moves that are known */
};

#define EDGE     UINT32_MAX /* the character beyond the text */
#define DEAD     0u         /* the state without members */
#define MATCHED  0x80000000u
#define STARTING 0x80000000u /* added to a program's number: the move into its first state */

struct state {
	uint32_t first, count; /* members */
	uint32_t behind;       /* the character passed last, 0 where it does not matter */
	uint32_t program;
};

struct move {
	uint32_t state, character; /* state DEAD: a free slot */
	uint32_t target;           /* and MATCHED when the program matches before the character */
};

struct mm_automaton {
	const struct mm_code *code;
	const uint32_t *text;
	uint32_t count, steps;
	struct move *moves;
	uint32_t move_count;
	struct state *states;
	uint32_t state_count;
	uint32_t *state_slots; /* twice STATES_MAX; state number, 0 when free */
	uint32_t *members;
	uint32_t member_count;
	/* room for working out a move; marks are by instruction of the program */
	uint32_t *marks, mark, *stack, *list, *next_list;
};

static void forget(struct mm_automaton *a)
{
	memset(a->moves, 0, MOVES_MAX * sizeof(*a->moves));
	memset(a->state_slots, 0, 2 * STATES_MAX * sizeof(*a->state_slots));
	a->move_count = 0;
	a->state_count = 1; /* DEAD */
	a->member_count = 0;
}

struct mm_automaton *mm_automaton_new(const struct mm_code *code)
{
	struct mm_automaton *a = calloc(1, sizeof(*a));
	size_t longest = (size_t)code->longest + 1;

	if (!a)
		return NULL;
	a->code = code;
	a->moves = malloc(MOVES_MAX * sizeof(*a->moves));
	a->states = malloc(STATES_MAX * sizeof(*a->states));
	a->state_slots = malloc(2 * STATES_MAX * sizeof(*a->state_slots));
	a->members = malloc(MEMBERS_MAX * sizeof(*a->members));
	a->marks = calloc(longest, sizeof(*a->marks));
	a->stack = malloc(longest * sizeof(*a->stack));
	a->list = malloc(longest * sizeof(*a->list));
	a->next_list = malloc(longest * sizeof(*a->next_list));
	if (!a->moves || !a->states || !a->state_slots || !a->members || !a->marks || !a->stack ||
	    !a->list || !a->next_list) {
		mm_automaton_free(a);
		return NULL;
	}
	forget(a);
	return a;
}

void mm_automaton_free(struct mm_automaton *a)
{
	if (!a)
		return;
	free(a->moves);
	free(a->states);
	free(a->state_slots);
	free(a->members);
	free(a->marks);
	free(a->stack);
	free(a->list);
	free(a->next_list);
	free(a);
}

void mm_automaton_begin(struct mm_automaton *a, const uint32_t *text, uint32_t count,
			uint32_t steps)
{
	a->text = text;
	a->count = count;
	a->steps = steps;
}

static bool is_word(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

/* Whether an assertion holds between two characters of the text. */
static bool holds(const struct mm_code *code, const struct mm_instruction *item, uint32_t before,
		  uint32_t after)
{
	const struct mm_char_class *class = NULL;

	if (item->assertion >= MM_ASSERT_AHEAD)
		class = code->classes[item->value];
	switch ((enum mm_assertion)item->assertion) {
	case MM_ASSERT_BEGIN:
		return before == EDGE;
	case MM_ASSERT_END:
		return after == EDGE;
	case MM_ASSERT_WORD:
		return is_word(before) != is_word(after);
	case MM_ASSERT_NOT_WORD:
		return is_word(before) == is_word(after);
	case MM_ASSERT_AHEAD:
		return after != EDGE && mm_class_has(class, after);
	case MM_ASSERT_NOT_AHEAD:
		return after == EDGE || !mm_class_has(class, after);
	case MM_ASSERT_BEHIND:
		return before != EDGE && mm_class_has(class, before);
	case MM_ASSERT_NOT_BEHIND:
		break;
	}
	return before == EDGE || !mm_class_has(class, before);
}

/* The two characters at a place; assertions wait while `is_known` is false. */
struct place {
	bool is_known;
	uint32_t before, after;
};

static void next_mark(struct mm_automaton *a)
{
	if (++a->mark == 0) {
		memset(a->marks, 0, ((size_t)a->code->longest + 1) * sizeof(*a->marks));
		a->mark = 1;
	}
}

static uint32_t push(struct mm_automaton *a, uint32_t start, uint32_t instruction, uint32_t depth)
{
	if (instruction == MM_NO_PROGRAM || a->marks[instruction - start] == a->mark)
		return depth;
	a->marks[instruction - start] = a->mark;
	a->stack[depth] = instruction;
	return depth + 1;
}

/* Adds an instruction to a list, or what follows it when it reads no character. Each is added once
 * under a mark, so stack and list never outgrow the program. */
static uint32_t follow(struct mm_automaton *a, uint32_t start, uint32_t instruction,
		       const struct place *place, uint32_t *list, uint32_t count)
{
	uint32_t depth = push(a, start, instruction, 0);

	while (depth > 0) {
		uint32_t number = a->stack[--depth];
		const struct mm_instruction *item = &a->code->items[number];

		if (item->operation == MM_OP_SPLIT) {
			depth = push(a, start, item->value, depth);
			depth = push(a, start, item->next, depth);
		} else if (item->operation == MM_OP_ASSERT && place->is_known) {
			if (holds(a->code, item, place->before, place->after))
				depth = push(a, start, item->next, depth);
		} else {
			list[count++] = number;
		}
	}
	return count;
}

static size_t hash_state(const struct state *state, const uint32_t *members)
{
	size_t hash = state->behind * 0x9e3779b97f4a7c15u + state->program;

	for (uint32_t i = 0; i < state->count; i++)
		hash = (hash ^ members[i]) * 0x9e3779b97f4a7c15u;
	return hash ^ (hash >> 32);
}

/* The number of the state with these members, which is made when it is new. */
static uint32_t intern_state(struct mm_automaton *a, uint32_t program, const uint32_t *members,
			     uint32_t count, uint32_t passed)
{
	struct state state = {a->member_count, count, 0, program};
	size_t slot;

	if (count == 0)
		return DEAD;
	for (uint32_t i = 0; i < count; i++)
		if (a->code->items[members[i]].operation == MM_OP_ASSERT)
			state.behind = passed;
	for (slot = hash_state(&state, members); a->state_slots[slot & (2 * STATES_MAX - 1)];
	     slot++) {
		uint32_t number = a->state_slots[slot & (2 * STATES_MAX - 1)];
		const struct state *known = &a->states[number];

		if (known->count == count && known->behind == state.behind &&
		    known->program == program &&
		    memcmp(a->members + known->first, members, count * sizeof(*members)) == 0)
			return number;
	}
	memcpy(a->members + a->member_count, members, count * sizeof(*members));
	a->member_count += count;
	a->states[a->state_count] = state;
	a->state_slots[slot & (2 * STATES_MAX - 1)] = a->state_count;
	return a->state_count++;
}

/* Where a move is, or would be put. The moves of a state, and of the states made after it, lie
 * side by side: a run reads few cache lines. What finds no place there goes anywhere. */
static struct move *find_move(struct mm_automaton *a, uint32_t state, uint32_t character)
{
	size_t slot = (size_t)state * MOVES_NEAR;

	for (unsigned tries = 0;; tries++, slot++) {
		struct move *move;

		if (tries == MOVES_NEAR)
			slot =
			    (state * 0x9e3779b97f4a7c15u ^ character * 0xc2b2ae3d27d4eb4fu) >> 40;
		move = &a->moves[slot & (MOVES_MAX - 1)];
		if (move->state == DEAD || (move->state == state && move->character == character))
			return move;
	}
}

/* Room for one more move, state and its members? */
static bool has_room(const struct mm_automaton *a)
{
	return a->move_count < MOVES_MAX / 4 * 3 && a->state_count < STATES_MAX &&
	       a->member_count + a->code->longest <= MEMBERS_MAX;
}

/* The members of `state` once its assertions are settled; true when it matches there. */
static bool settle(struct mm_automaton *a, const struct state *state, uint32_t character,
		   uint32_t *count_out)
{
	const struct mm_program *program = &a->code->programs[state->program];
	struct place place = {true, state->behind, character};
	bool has_matched = false;
	uint32_t count = 0;

	if (program->is_backward) {
		place.before = character;
		place.after = state->behind;
	}
	next_mark(a);
	for (uint32_t i = 0; i < state->count; i++)
		count =
		    follow(a, program->start, a->members[state->first + i], &place, a->list, count);
	for (uint32_t i = 0; i < count; i++)
		has_matched |= a->code->items[a->list[i]].operation == MM_OP_MATCH;
	*count_out = count;
	return has_matched;
}

/* Works out where `state` goes by `character`. */
static uint32_t work_out(struct mm_automaton *a, struct state state, uint32_t character)
{
	const struct mm_program *program = &a->code->programs[state.program];
	const struct place unknown = {false, 0, 0};
	uint32_t count, kept = 0, target;
	bool has_matched = settle(a, &state, character, &count);

	if (character == EDGE)
		return has_matched ? MATCHED : 0;
	next_mark(a);
	for (uint32_t i = 0; i < count; i++) {
		const struct mm_instruction *item = &a->code->items[a->list[i]];

		if (item->operation == MM_OP_CHAR
			? item->value == character
			: item->operation == MM_OP_CLASS &&
			      mm_class_has(a->code->classes[item->value], character))
			kept =
			    follow(a, program->start, a->list[i] + 1, &unknown, a->next_list, kept);
	}
	if (!has_room(a))
		forget(a);
	target = intern_state(a, state.program, a->next_list, kept, character);
	return target | (has_matched ? MATCHED : 0);
}

static uint32_t spend(struct mm_automaton *a, uint32_t steps)
{
	a->steps -= steps < a->steps ? steps : a->steps;
	return a->steps;
}

static uint32_t take_move(struct mm_automaton *a, uint32_t state, uint32_t character)
{
	struct move *move = find_move(a, state, character);
	uint32_t states = a->state_count, target;

	if (move->state != DEAD)
		return move->target;
	spend(a, NEW_MOVE_STEPS + a->states[state].count / 4);
	target = work_out(a, a->states[state], character);
	if (a->state_count < states || a->move_count >= MOVES_MAX / 4 * 3)
		return target; /* all was forgotten, `state` too */
	*find_move(a, state, character) = (struct move){state, character, target};
	a->move_count++;
	return target;
}

/* The first state of a program at a place where `passed` is the character behind it. */
static uint32_t first_state(struct mm_automaton *a, uint32_t program, uint32_t passed)
{
	const struct place unknown = {false, 0, 0};
	struct move *move = find_move(a, STARTING | program, passed);
	uint32_t state, count;

	if (move->state != DEAD)
		return move->target;
	if (!has_room(a))
		forget(a);
	spend(a, NEW_MOVE_STEPS);
	next_mark(a);
	count = follow(a, a->code->programs[program].start, a->code->programs[program].start,
		       &unknown, a->list, 0);
	state = intern_state(a, program, a->list, count, passed);
	*find_move(a, STARTING | program, passed) =
	    (struct move){STARTING | program, passed, state};
	a->move_count++;
	return state;
}

/* The character before or after `at`, EDGE beyond the text. */
static uint32_t read_char(const struct mm_automaton *a, bool is_backward, uint32_t at)
{
	if (is_backward)
		return at > 0 ? a->text[at - 1] : EDGE;
	return at < a->count ? a->text[at] : EDGE;
}

bool mm_automaton_run(struct mm_automaton *a, uint32_t number, uint32_t at, uint32_t *end_out)
{
	const struct mm_program *program = &a->code->programs[number];
	uint32_t state, passed = 0;
	bool has_end = false;

	if (program->has_assertion)
		passed = read_char(a, !program->is_backward, at);
	state = first_state(a, number, passed);
	for (unsigned reach = 0; reach <= MM_REACH_MAX && spend(a, 1) > 0; reach++) {
		uint32_t c = read_char(a, program->is_backward, at);
		uint32_t target = take_move(a, state, c);

		if (target & MATCHED) {
			*end_out = at;
			has_end = true;
		}
		state = target & ~MATCHED;
		if (state == DEAD || c == EDGE)
			break;
		at += program->is_backward ? UINT32_MAX : 1; /* -1 or 1 */
	}
	return has_end;
}
