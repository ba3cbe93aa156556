/* vocabulary.c: the grams a model knows: those that enough rows have. A gram is only counted when
 * the one without its last character was chosen, so that what is chosen is closed under
 * shortening, as the model's reader wants it. */
#include "config.h"

#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/grams.h"

struct count {
	struct gram gram; /* hash 0: free */
	uint32_t last_row;
	bool is_chosen;
};

/* A hash table by open addressing, never more than half full. */
struct counts {
	struct count *items;
	size_t bits, used;
	uint32_t row;   /* the row being read, and one */
	uint64_t path;  /* hash of the gram that is made longer */
	unsigned level; /* length of the grams being counted */
};

static struct count *find(struct counts *counts, uint64_t hash)
{
	const size_t mask = ((size_t)1 << counts->bits) - 1;
	size_t at = hash >> (64 - counts->bits);

	while (counts->items[at].gram.hash != 0 && counts->items[at].gram.hash != hash)
		at = (at + 1) & mask;
	return &counts->items[at];
}

static void grow(struct counts *counts)
{
	struct count *old = counts->items;
	const size_t size = (size_t)1 << counts->bits;

	counts->bits++;
	counts->items = need(size * 2, sizeof(*counts->items));
	for (size_t i = 0; i < size; i++)
		if (old[i].gram.hash != 0)
			*find(counts, old[i].gram.hash) = old[i];
	free(old);
}

/* Counts a gram of the level once a row; follows shorter ones that were chosen. */
static bool count_gram(void *self, uint64_t hash, unsigned length, uint32_t at)
{
	struct counts *counts = self;
	struct count *count = find(counts, hash);

	(void)at;
	if (length < counts->level) {
		counts->path = hash;
		return count->gram.hash == hash && count->is_chosen;
	}
	if (count->gram.hash == 0) {
		count->gram.hash = hash;
		count->gram.shorter = length > 1 ? counts->path : 0;
		counts->used++;
	}
	if (count->last_row != counts->row) {
		count->last_row = counts->row;
		count->gram.rows++;
	}
	if (counts->used * 2 > (size_t)1 << counts->bits)
		grow(counts);
	return false;
}

static uint32_t choose(struct counts *counts, uint32_t least)
{
	uint32_t chosen = 0;

	for (size_t i = 0; i < (size_t)1 << counts->bits; i++) {
		struct count *count = &counts->items[i];

		count->is_chosen = count->gram.hash != 0 && count->gram.rows >= least;
		chosen += count->is_chosen;
	}
	return chosen;
}

static int by_rows(const void *a, const void *b)
{
	const struct gram *x = a, *y = b;

	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Sorts the grams and puts them into the table of the model. */
static void fill_slots(struct vocabulary *vocabulary)
{
	uint32_t mask;

	qsort(vocabulary->grams, vocabulary->count, sizeof(struct gram), by_rows);
	vocabulary->slot_bits = 10;
	while (1u << vocabulary->slot_bits < vocabulary->count + vocabulary->count / 2)
		vocabulary->slot_bits++;
	if (vocabulary->slot_bits > MM_MODEL_SLOT_BITS_MAX ||
	    vocabulary->count > MM_MODEL_GRAMS_MAX)
		give_up("%u grams are too many: ask for more rows with each", vocabulary->count);
	mask = (1u << vocabulary->slot_bits) - 1;
	free(vocabulary->slots);
	vocabulary->slots = need(mask + 1, sizeof(*vocabulary->slots));
	for (uint32_t i = 0; i < vocabulary->count; i++) {
		const uint64_t hash = vocabulary->grams[i].hash;
		uint32_t at = mm_model_slot(hash, vocabulary->slot_bits);

		while (vocabulary->slots[at] != 0)
			at = (at + 1) & mask;
		vocabulary->slots[at] = mm_model_tag(hash, vocabulary->slot_bits) << 16 | (i + 1);
	}
}

/* One row's grams are numbered with the detector's own reader, so they are the same there. */
static void number_grams(struct corpus *corpus, const struct vocabulary *vocabulary)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_model *model = model_of(corpus, vocabulary, NULL, NULL);

	for (size_t i = 0; i < corpus->count; i++) {
		struct row *row = &corpus->rows[i];
		struct mm_model_score score;

		if (mm_model_score(model, row->characters, row->count, &score, corpus->arena,
				   &err) != MM_OK)
			give_up("%s %s", err.message, err.cause);
		row->grams = score.grams;
		row->gram_count = score.gram_count;
	}
	mm_model_free(model);
}

void vocabulary_make(struct corpus *corpus, uint32_t least, struct vocabulary *out)
{
	struct counts counts = {.bits = 20};
	uint32_t count = 0;

	counts.items = need((size_t)1 << counts.bits, sizeof(*counts.items));
	*out = (struct vocabulary){.longest = MM_GRAM_LONGEST};
	for (counts.level = 1; counts.level <= out->longest; counts.level++) {
		for (size_t i = 0; i < corpus->count; i++) {
			counts.row = (uint32_t)i + 1;
			mm_grams_each(corpus->rows[i].characters, corpus->rows[i].count,
				      counts.level, count_gram, &counts);
		}
		out->count = choose(&counts, least);
	}
	out->grams = need(out->count + 1, sizeof(struct gram));
	for (size_t i = 0; i < (size_t)1 << counts.bits; i++)
		if (counts.items[i].is_chosen)
			out->grams[count++] = counts.items[i].gram;
	free(counts.items);
	fill_slots(out);
	number_grams(corpus, out);
}

/* How much a gram moves the verdicts of the rows that have it. */
struct importance {
	float value;
	uint32_t gram;
};

static int by_importance(const void *a, const void *b)
{
	const struct importance *x = a, *y = b;

	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return (x->gram > y->gram) - (x->gram < y->gram);
}

static struct importance *weigh(const struct vocabulary *vocabulary, const struct weights *weights)
{
	struct importance *list = need(vocabulary->count, sizeof(*list));

	for (uint32_t i = 0; i < vocabulary->count; i++) {
		float largest = 0.0f;

		for (int j = 0; j < OUTPUTS; j++)
			largest = fmaxf(largest, fabsf(weights->of_grams[(size_t)i * OUTPUTS + j]));
		list[i] = (struct importance){largest * sqrtf((float)vocabulary->grams[i].rows), i};
	}
	qsort(list, vocabulary->count, sizeof(*list), by_importance);
	return list;
}

/* The number of a gram by its hash; the grams' own table finds it. */
static uint32_t number_of(const struct vocabulary *vocabulary, uint64_t hash)
{
	const uint32_t mask = (1u << vocabulary->slot_bits) - 1;
	uint32_t at = mm_model_slot(hash, vocabulary->slot_bits);

	while (vocabulary->grams[(vocabulary->slots[at] & 0xffffu) - 1].hash != hash)
		at = (at + 1) & mask;
	return (vocabulary->slots[at] & 0xffffu) - 1;
}

void vocabulary_prune(struct corpus *corpus, const struct weights *weights, uint32_t most,
		      struct vocabulary *vocabulary)
{
	struct importance *list = weigh(vocabulary, weights);
	bool *is_kept = need(vocabulary->count, sizeof(*is_kept));
	uint32_t count = 0;

	for (uint32_t i = 0; i < vocabulary->count && count < most; i++) {
		uint32_t gram = list[i].gram;

		for (; !is_kept[gram];
		     gram = number_of(vocabulary, vocabulary->grams[gram].shorter)) {
			is_kept[gram] = true;
			count++;
			if (vocabulary->grams[gram].shorter == 0)
				break;
		}
	}
	count = 0;
	for (uint32_t i = 0; i < vocabulary->count; i++)
		if (is_kept[i])
			vocabulary->grams[count++] = vocabulary->grams[i];
	vocabulary->count = count;
	free(list);
	free(is_kept);
	fill_slots(vocabulary);
	number_grams(corpus, vocabulary);
}
