/* scan.c: scanners, their pool, and the callback that collects hits. What hits mean is resolve.c's
 * business. */
#include "config.h"

#include "detect/scan.h"

#include <pthread.h>
#include <stdlib.h>

#include "detect/disguise.h"
#include "detect/resolve.h"

struct mm_scanner_pool {
	const struct mm_rules *rules;
	pthread_mutex_t lock;
	pthread_cond_t is_free;
	struct mm_scanner *idle;
	unsigned lent, made;
};

static void free_scanner(struct mm_scanner *scanner)
{
	if (!scanner)
		return;
	for (int view = 0; view < MM_VIEWS; view++) {
		free(scanner->views[view].parts);
		free(scanner->views[view].touched);
		free(scanner->views[view].hits);
		free(scanner->views[view].needle_uses);
		free(scanner->views[view].waiting);
		mm_automaton_free(scanner->views[view].automaton);
	}
	mm_resolve_room_free(scanner->room);
	free(scanner->rules);
	free(scanner->fired);
	hs_free_scratch(scanner->scratch);
	free(scanner);
}

/* The hits are 200 KiB of address space a view; only what a message touches becomes memory. */
static bool make_view(struct mm_view_hits *view, const struct mm_view_set *set)
{
	view->set = set;
	view->parts = calloc(set->part_count + 1u, sizeof(*view->parts));
	view->touched = malloc((set->part_count + 1u) * sizeof(*view->touched));
	view->hits = malloc(MM_HITS_MAX * sizeof(*view->hits));
	view->needle_uses = calloc(set->needle_count + 1u, sizeof(*view->needle_uses));
	view->waiting = malloc(MM_WAITING_MAX * sizeof(*view->waiting));
	view->automaton = mm_automaton_new(&set->code);
	return view->parts && view->touched && view->hits && view->needle_uses && view->waiting &&
	       view->automaton;
}

static bool make_scratch(struct mm_scanner *scanner, const struct mm_rules *rules)
{
	for (int i = 0; i < MM_VIEWS * MM_NEEDLE_KINDS; i++) {
		hs_database_t *database =
		    rules->views[i / MM_NEEDLE_KINDS].databases[i % MM_NEEDLE_KINDS];

		if (database && hs_alloc_scratch(database, &scanner->scratch) != HS_SUCCESS)
			return false;
	}
	return true;
}

static struct mm_scanner *make_scanner(const struct mm_rules *rules)
{
	struct mm_scanner *scanner = calloc(1, sizeof(*scanner));

	if (!scanner)
		return NULL;
	scanner->rule_count = rules->rule_count;
	scanner->rewrites = rules->rewrites;
	scanner->rules = calloc(rules->rule_count + 1u, sizeof(*scanner->rules));
	scanner->fired = malloc((rules->rule_count + 1u) * sizeof(*scanner->fired));
	scanner->room = mm_resolve_room_new();
	if (scanner->rules && scanner->fired && scanner->room && make_scratch(scanner, rules) &&
	    make_view(&scanner->views[0], &rules->views[0]) &&
	    make_view(&scanner->views[1], &rules->views[1]))
		return scanner;
	free_scanner(scanner);
	return NULL;
}

enum mm_status mm_scanner_pool_new(const struct mm_rules *rules, struct mm_scanner_pool **out,
				   struct mm_error *err)
{
	struct mm_scanner_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the scanners");
	pool->rules = rules;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->is_free, NULL);
	pool->idle = make_scanner(rules);
	if (!pool->idle) {
		mm_scanner_pool_free(pool);
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a scanner");
	}
	pool->made = 1;
	*out = pool;
	return MM_OK;
}

void mm_scanner_pool_free(struct mm_scanner_pool *pool)
{
	if (!pool)
		return;
	while (pool->idle) {
		struct mm_scanner *scanner = pool->idle;

		pool->idle = scanner->next;
		free_scanner(scanner);
	}
	pthread_cond_destroy(&pool->is_free);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Makes one more outside the lock; when that fails, waiting for another one still works. */
static struct mm_scanner *add_scanner(struct mm_scanner_pool *pool)
{
	struct mm_scanner *scanner;

	pool->made++;
	pthread_mutex_unlock(&pool->lock);
	scanner = make_scanner(pool->rules);
	pthread_mutex_lock(&pool->lock);
	if (!scanner)
		pool->made--;
	return scanner;
}

enum mm_status mm_scanner_take(struct mm_scanner_pool *pool, struct mm_scanner **out,
			       struct mm_error *err)
{
	struct mm_scanner *scanner = NULL;

	pthread_mutex_lock(&pool->lock);
	if (!pool->idle && pool->made < MM_SCANNERS_MAX)
		scanner = add_scanner(pool);
	while (!scanner && !pool->idle && pool->lent > 0)
		pthread_cond_wait(&pool->is_free, &pool->lock);
	if (!scanner && pool->idle) {
		scanner = pool->idle;
		pool->idle = scanner->next;
	}
	if (scanner)
		pool->lent++;
	pthread_mutex_unlock(&pool->lock);
	if (!scanner)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a scanner");
	*out = scanner;
	return MM_OK;
}

void mm_scanner_give(struct mm_scanner_pool *pool, struct mm_scanner *scanner)
{
	pthread_mutex_lock(&pool->lock);
	scanner->next = pool->idle;
	pool->idle = scanner;
	pool->lent--;
	pthread_cond_signal(&pool->is_free);
	pthread_mutex_unlock(&pool->lock);
}

static void touch_part(struct mm_view_hits *view, struct mm_part_hits *part, uint32_t number)
{
	*part = (struct mm_part_hits){
	    .generation = view->generation, .first = MM_NO_HIT, .last = MM_NO_HIT};
	view->touched[view->touched_count++] = number;
}

/* Adds a match; those that begin at the same place become one, the longest. */
static bool add_hit(struct mm_view_hits *view, uint32_t number, uint32_t from, uint32_t to)
{
	struct mm_part_hits *part = &view->parts[number];

	if (part->generation != view->generation)
		touch_part(view, part, number);
	if (part->last != MM_NO_HIT && view->hits[part->last].from == from) {
		if (view->hits[part->last].to < to)
			view->hits[part->last].to = to;
		return true;
	}
	if (view->hit_count == MM_HITS_MAX)
		return false;
	if (part->count == MM_HITS_PART_MAX)
		return true;
	view->hits[view->hit_count] = (struct mm_hit){from, to, MM_NO_HIT};
	if (part->last == MM_NO_HIT) {
		part->first = view->hit_count;
	} else {
		part->is_mixed = part->is_mixed || from < view->hits[part->last].from;
		view->hits[part->last].next = view->hit_count;
	}
	part->last = view->hit_count++;
	part->count++;
	return true;
}

/* Reads on from character `at` to one side. Most end here, by the character that comes first. */
static inline bool reach(const struct mm_view_hits *view, const struct mm_reach *reach,
			 bool is_backward, uint32_t *at)
{
	const struct mm_keyed *keyed = &view->keyed;
	bool is_edge = is_backward ? *at == 0 : *at == keyed->count;

	if (reach->program == MM_REACH_NOTHING)
		return true;
	if (!reach->must_run &&
	    (is_edge ||
	     !mm_reach_begins_with(reach, keyed->code_points[is_backward ? *at - 1 : *at])))
		return reach->is_nullable;
	return mm_automaton_run(view->automaton, reach->program, *at, at);
}

/* Adds the match of a branch around its needle, if there is one. False: no more room. */
static bool read_branch(struct mm_view_hits *view, const struct mm_branch *branch, uint32_t from,
			uint32_t to)
{
	if (!reach(view, &branch->before, true, &from) ||
	    !reach(view, &branch->after, false, &to) || to <= from)
		return true;
	return add_hit(view, branch->part, view->keyed.offsets[from], view->keyed.offsets[to]);
}

/* The same for all branches of a needle that ends before character `to`. */
static bool read_branches(struct mm_view_hits *view, const struct mm_needle *needle, uint32_t to)
{
	const struct mm_branch *branches = view->set->branches + needle->first_branch;
	uint32_t from = to - needle->length;

	for (uint32_t i = 0; i < needle->branch_count; i++) {
		if (!branches[i].is_support) {
			if (!read_branch(view, &branches[i], from, to))
				return false;
		} else if (view->waiting_count < MM_WAITING_MAX) {
			view->waiting[view->waiting_count++] =
			    (struct mm_waiting){&branches[i], from, to};
		}
	}
	return true;
}

/* A text that repeats one needle thousands of times gains nothing by it. */
static bool is_worn(struct mm_view_hits *view, unsigned needle)
{
	struct mm_needle_use *use = &view->needle_uses[needle];

	if (use->generation != view->generation)
		*use = (struct mm_needle_use){.generation = view->generation};
	return use->count++ >= MM_NEEDLE_USES_MAX;
}

/* Called by vectorscan for the keys of every literal; other characters may have the same. */
static int collect_literal(unsigned id, unsigned long long from, unsigned long long to,
			   unsigned flags, void *context)
{
	struct mm_view_hits *view = context;
	const struct mm_needle *needle = &view->set->needles[id];
	uint32_t end = view->base + (uint32_t)to;
	const uint32_t *text = view->keyed.code_points + (end - needle->length);

	(void)from;
	(void)flags;
	for (uint32_t i = 0; i < needle->length && !needle->has_own_keys; i++)
		if (text[i] != needle->code_points[i])
			return 0;
	if (is_worn(view, id))
		return 0;
	return read_branches(view, needle, end) ? 0 : 1;
}

/* Called by vectorscan for every end of a whole expression. */
static int collect_whole(unsigned id, unsigned long long from, unsigned long long to,
			 unsigned flags, void *context)
{
	struct mm_view_hits *view = context;

	(void)from;
	(void)flags;
	if (is_worn(view, id))
		return 0;
	return read_branches(view, &view->set->needles[id],
			     mm_keyed_index(&view->keyed, (uint32_t)to))
		   ? 0
		   : 1;
}

static uint32_t find_single(const struct mm_view_set *set, uint32_t code_point)
{
	uint32_t low = set->first_needle[MM_SINGLES], high = set->first_needle[MM_WHOLES];

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (set->needles[middle].code_points[0] < code_point)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Needles of one character. */
static void collect_singles(struct mm_view_hits *view, uint32_t begin, uint32_t end)
{
	const struct mm_view_set *set = view->set;

	for (uint32_t i = begin; i < end; i++) {
		uint32_t c = view->keyed.code_points[i], bit = mm_single_bit(c), needle;

		if (!(set->singles[bit / 64] >> (bit % 64) & 1))
			continue;
		needle = find_single(set, c);
		if (needle == set->first_needle[MM_WHOLES] ||
		    set->needles[needle].code_points[0] != c || is_worn(view, needle))
			continue;
		if (!read_branches(view, &set->needles[needle], i + 1))
			return;
	}
}

static int by_beginning(const void *a, const void *b)
{
	const struct mm_hit *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Puts the hits of a part in order, in the places that they take already. */
static void order_part(struct mm_view_hits *view, struct mm_part_hits *part)
{
	struct mm_hit sorted[MM_HITS_PART_MAX];
	uint32_t count = 0, place = part->first, hit = place;

	do {
		sorted[count++] = view->hits[hit];
		hit = view->hits[hit].next;
	} while (hit != MM_NO_HIT);
	qsort(sorted, count, sizeof(*sorted), by_beginning);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t next = view->hits[place].next, to = sorted[i].to;

		while (i + 1 < count && sorted[i + 1].from == sorted[i].from) {
			i++;
			if (sorted[i].to > to)
				to = sorted[i].to;
		}
		view->hits[place].from = sorted[i].from;
		view->hits[place].to = to;
		part->last = place;
		place = next;
	}
	view->hits[part->last].next = MM_NO_HIT;
}

static void order_hits(struct mm_view_hits *view)
{
	for (uint32_t i = 0; i < view->touched_count; i++) {
		struct mm_part_hits *part = &view->parts[view->touched[i]];

		if (part->is_mixed)
			order_part(view, part);
		part->is_mixed = false;
	}
}

/* After four thousand million messages the counter wraps and old records could look new. */
static void forget_generations(struct mm_scanner *scanner)
{
	for (int view = 0; view < MM_VIEWS; view++) {
		for (uint32_t i = 0; i < scanner->views[view].set->part_count; i++)
			scanner->views[view].parts[i].generation = 0;
		for (uint32_t i = 0; i < scanner->views[view].set->needle_count; i++)
			scanner->views[view].needle_uses[i].generation = 0;
	}
	for (uint32_t i = 0; i < scanner->rule_count; i++)
		scanner->rules[i].generation = 0;
	scanner->generation = 1;
}

static void begin_generation(struct mm_scanner *scanner)
{
	if (++scanner->generation == 0)
		forget_generations(scanner);
	scanner->fired_count = 0;
	scanner->rewriting_count = 0;
	for (int view = 0; view < MM_VIEWS; view++) {
		scanner->views[view].generation = scanner->generation;
		scanner->views[view].touched_count = 0;
		scanner->views[view].hit_count = 0;
		scanner->views[view].waiting_count = 0;
		scanner->views[view].keyed.count = 0;
	}
}

static enum mm_status scan_database(struct mm_scanner *scanner, hs_database_t *database,
				    const char *text, size_t length, match_event_handler collect,
				    struct mm_view_hits *hits, struct mm_error *err)
{
	hs_error_t code;

	if (!database)
		return MM_OK;
	code = hs_scan(database, text, (unsigned)length, 0, scanner->scratch, collect, hits);
	if (code != HS_SUCCESS && code != HS_SCAN_TERMINATED)
		return mm_error_cause(err, MM_BUG, "vectorscan: scanning failed with %d", code);
	return MM_OK;
}

void mm_scan_waiting(struct mm_scanner *scanner)
{
	for (int i = 0; i < MM_VIEWS; i++) {
		struct mm_view_hits *view = &scanner->views[i];

		for (uint32_t j = 0; j < view->waiting_count; j++)
			if (!read_branch(view, view->waiting[j].branch, view->waiting[j].from,
					 view->waiting[j].to))
				break;
		view->waiting_count = 0;
		order_hits(view);
	}
}

/* Looks for needles in characters [begin, end). */
static enum mm_status scan_range(struct mm_scanner *scanner, struct mm_view_hits *hits,
				 uint32_t begin, uint32_t end, struct mm_error *err)
{
	if (begin == end)
		return MM_OK;
	hits->base = begin;
	collect_singles(hits, begin, end);
	return scan_database(scanner, hits->set->databases[MM_LITERALS],
			     (const char *)hits->keyed.keys + begin, end - begin, collect_literal,
			     hits, err);
}

/* The character after the sentence that begins at `begin`; see mm_gap_is_open. */
static uint32_t sentence_end(const struct mm_keyed *keyed, uint32_t begin)
{
	for (uint32_t i = begin; i < keyed->count; i++) {
		uint32_t c = keyed->code_points[i];
		uint32_t next = i + 1 < keyed->count ? keyed->code_points[i + 1] : '\n';

		if (c == '!' || c == '?' || c == '\n' || c == U'。' ||
		    (c == '.' && (next == ' ' || next == '\n')))
			return i + 1;
	}
	return keyed->count;
}

/* Scans the sentences with a disguise, neighbours together. */
static enum mm_status scan_disguised(struct mm_scanner *scanner, struct mm_view_hits *hits,
				     const struct mm_folded views[MM_VIEWS], struct mm_error *err)
{
	const struct mm_keyed *keyed = &hits->keyed;
	uint32_t first = 0; /* of the sentences that wait to be scanned */
	enum mm_status status = MM_OK;

	for (uint32_t begin = 0; begin < keyed->count && status == MM_OK;) {
		uint32_t end = sentence_end(keyed, begin);

		if (!views[MM_FOLD_PLAIN].has_odd_letters &&
		    !mm_disguise_is_there(&views[MM_FOLD_PLAIN], &views[MM_FOLD_SQUEEZED],
					  keyed->offsets[begin], keyed->offsets[end])) {
			status = scan_range(scanner, hits, first, begin, err);
			first = end;
		}
		begin = end;
	}
	return status == MM_OK ? scan_range(scanner, hits, first, keyed->count, err) : status;
}

/* Looks for everything in a view whose characters are known. */
static enum mm_status scan_view(struct mm_scanner *scanner, enum mm_fold_view view,
				const struct mm_folded views[MM_VIEWS], struct mm_error *err)
{
	struct mm_view_hits *hits = &scanner->views[view];
	enum mm_status status;

	mm_automaton_begin(hits->automaton, hits->keyed.code_points, hits->keyed.count,
			   MM_STEPS_MAX);
	if (view == MM_FOLD_PLAIN)
		status = scan_range(scanner, hits, 0, hits->keyed.count, err);
	else
		status = scan_disguised(scanner, hits, views, err);
	if (status == MM_OK)
		status = scan_database(scanner, hits->set->databases[MM_WHOLES], views[view].text,
				       views[view].length, collect_whole, hits, err);
	order_hits(hits);
	return status;
}

/* Rewrites the squeezed view where there is something to rewrite. */
static enum mm_status rewrite(struct mm_scanner *scanner, struct mm_folded *squeezed,
			      struct mm_arena *arena, struct mm_error *err)
{
	struct mm_keyed *keyed = &scanner->views[MM_FOLD_SQUEEZED].keyed;
	struct mm_rewritten rewritten;
	enum mm_status status;

	if (squeezed->is_changed)
		status = mm_keyed_make(squeezed, keyed, arena, err);
	else
		status = MM_OK, *keyed = scanner->views[MM_FOLD_PLAIN].keyed;
	if (status != MM_OK || !mm_rewrite_is_due(scanner->rewrites, squeezed, keyed))
		return status;
	status = mm_rewrite(scanner->rewrites, squeezed, keyed, &rewritten, arena, err);
	if (status != MM_OK)
		return status;
	*squeezed = rewritten.view;
	scanner->rewritings = rewritten.rewritings;
	scanner->rewriting_count = rewritten.rewriting_count;
	return mm_keyed_make(squeezed, keyed, arena, err);
}

enum mm_status mm_scan(struct mm_scanner *scanner, struct mm_folded views[MM_VIEWS],
		       struct mm_arena *arena, struct mm_error *err)
{
	enum mm_status status;

	begin_generation(scanner);
	if (views[MM_FOLD_PLAIN].length == 0)
		return MM_OK;
	status =
	    mm_keyed_make(&views[MM_FOLD_PLAIN], &scanner->views[MM_FOLD_PLAIN].keyed, arena, err);
	if (status == MM_OK)
		status = scan_view(scanner, MM_FOLD_PLAIN, views, err);
	if (status == MM_OK && views[MM_FOLD_SQUEEZED].length > 0)
		status = rewrite(scanner, &views[MM_FOLD_SQUEEZED], arena, err);
	if (status == MM_OK &&
	    (views[MM_FOLD_SQUEEZED].is_changed || views[MM_FOLD_PLAIN].has_odd_letters) &&
	    views[MM_FOLD_SQUEEZED].length > 0)
		status = scan_view(scanner, MM_FOLD_SQUEEZED, views, err);
	return status;
}
