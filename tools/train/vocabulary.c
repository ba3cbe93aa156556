/* vocabulary.c: the grams a model knows: those that enough rows have. A gram is only counted when
 * the one without its last character was chosen, so that what is chosen is closed under
 * shortening, as the model's reader wants it. */
#include "config.h"

#include "train.h"

#include <stdlib.h>
#include <string.h>

#include "detect/grams.h"

struct count {
	uint64_t hash; /* 0: free */
	uint32_t rows, last_row;
	bool is_chosen;
};

/* A hash table by open addressing, never more than half full. */
struct counts {
	struct count *items;
	size_t bits, used;
	uint32_t row;   /* the row being read, and one */
	unsigned level; /* length of the grams being counted */
};

static struct count *find(struct counts *counts, uint64_t hash)
{
	const size_t mask = ((size_t)1 << counts->bits) - 1;
	size_t at = hash >> (64 - counts->bits);

	while (counts->items[at].hash != 0 && counts->items[at].hash != hash)
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
		if (old[i].hash != 0)
			*find(counts, old[i].hash) = old[i];
	free(old);
}

/* Counts a gram of the level once a row; follows shorter ones that were chosen. */
static bool count_gram(void *self, uint64_t hash, unsigned length, uint32_t at)
{
	struct counts *counts = self;
	struct count *count = find(counts, hash);

	(void)at;
	if (length < counts->level)
		return count->hash == hash && count->is_chosen;
	if (count->hash == 0) {
		count->hash = hash;
		counts->used++;
	}
	if (count->last_row != counts->row) {
		count->last_row = counts->row;
		count->rows++;
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

		count->is_chosen = count->hash != 0 && count->rows >= least;
		chosen += count->is_chosen;
	}
	return chosen;
}

static int by_hash(const void *a, const void *b)
{
	const struct count *x = *(struct count *const *)a, *y = *(struct count *const *)b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Puts the chosen grams into the table of the model, in the order of their hashes. */
static void fill_slots(struct counts *counts, struct vocabulary *out)
{
	struct count **chosen = need(out->count + 1, sizeof(struct count *));
	uint32_t mask, count = 0;

	while (1u << out->slot_bits < out->count + out->count / 2)
		out->slot_bits++;
	if (out->slot_bits > MM_MODEL_SLOT_BITS_MAX || out->count > MM_MODEL_GRAMS_MAX)
		give_up("%u grams are too many: ask for more rows with each", out->count);
	mask = (1u << out->slot_bits) - 1;
	out->slots = need(mask + 1, sizeof(*out->slots));
	out->rows_with = need(out->count + 1, sizeof(*out->rows_with));
	for (size_t i = 0; i < (size_t)1 << counts->bits; i++)
		if (counts->items[i].is_chosen)
			chosen[count++] = &counts->items[i];
	qsort(chosen, count, sizeof(struct count *), by_hash);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = mm_model_slot(chosen[i]->hash, out->slot_bits);

		while (out->slots[at] != 0)
			at = (at + 1) & mask;
		out->slots[at] = mm_model_tag(chosen[i]->hash, out->slot_bits) << 16 | (i + 1);
		out->rows_with[i] = chosen[i]->rows;
	}
	free(chosen);
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

	counts.items = need((size_t)1 << counts.bits, sizeof(*counts.items));
	*out = (struct vocabulary){.slot_bits = 10, .longest = MM_GRAM_LONGEST};
	for (counts.level = 1; counts.level <= out->longest; counts.level++) {
		for (size_t i = 0; i < corpus->count; i++) {
			counts.row = (uint32_t)i + 1;
			mm_grams_each(corpus->rows[i].characters, corpus->rows[i].count,
				      counts.level, count_gram, &counts);
		}
		out->count = choose(&counts, least);
	}
	fill_slots(&counts, out);
	free(counts.items);
	number_grams(corpus, out);
}
