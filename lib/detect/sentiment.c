/* sentiment.c: the four scores of a message and the words they come from. */
#include "config.h"

#include "detect/judge.h"

#include <string.h>

static const double neutral_prior = 0.5;
static const double confidence_max = 0.95;

/* How much of the dissatisfaction in a message that also expresses wrath counts as wrath. */
static const double wrath_share = 0.75;

/* Who wins a tie, first to last. */
static const enum mm_sentiment precedence[MM_SENTIMENT__MAX] = {
    MM_SENTIMENT_ANGER, MM_SENTIMENT_NEGATIVE, MM_SENTIMENT_POSITIVE, MM_SENTIMENT_NEUTRAL};

static void sum_scores(const struct mm_tally *tally, double scores[MM_SENTIMENT__MAX])
{
	double total = neutral_prior;

	for (int class = 0; class < MM_SENTIMENT__MAX; class ++) {
		scores[class] = tally->sentiments[class];
		total += scores[class];
	}
	scores[MM_SENTIMENT_NEUTRAL] += neutral_prior;
	if (scores[MM_SENTIMENT_ANGER] > 0.0) {
		const double moved = wrath_share * scores[MM_SENTIMENT_NEGATIVE];
		scores[MM_SENTIMENT_NEGATIVE] -= moved;
		scores[MM_SENTIMENT_ANGER] += moved;
	}
	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		scores[class] /= total;
}

/* The fusion's four probabilities, each asked for by itself, made to add up to one. */
static void fuse_scores(const struct mm_reading *reading, double scores[MM_SENTIMENT__MAX])
{
	const struct mm_fusion *fusion = &mm_model_header(reading->model)->fusion;
	double total = 0.0;

	for (int class = 0; class < MM_SENTIMENT__MAX; class ++) {
		const enum mm_model_output question =
		    (enum mm_model_output)(MM_OUTPUT_POSITIVE + class);

		scores[class] =
		    mm_fusion_probability(mm_fusion_odds(fusion, question, &reading->evidence));
		total += scores[class];
	}
	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		scores[class] /= total;
}

static void choose_class(struct mm_sentiment_result *result, bool is_probability)
{
	double second = 0.0;

	result->sentiment = precedence[0];
	for (int i = 1; i < MM_SENTIMENT__MAX; i++)
		if (result->scores[precedence[i]] > result->scores[result->sentiment])
			result->sentiment = precedence[i];
	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		if (class != (int)result->sentiment && result->scores[class] > second)
			second = result->scores[class];
	result->confidence =
	    result->scores[result->sentiment] - (is_probability ? 0.0 : second / 2);
	if (result->confidence > confidence_max)
		result->confidence = confidence_max;
}

/* Where a keyword lies, in bytes of the message. */
struct extent {
	uint32_t start, end;
};

static bool covers(struct extent outer, struct extent inner)
{
	return outer.start <= inner.start && inner.end <= outer.end;
}

static bool is_same_text(const struct mm_reading *reading, struct extent a, struct extent b)
{
	return a.end - a.start == b.end - b.start &&
	       memcmp(reading->utf8 + a.start, reading->utf8 + b.start, a.end - a.start) == 0;
}

/* Keeps the longest of keywords that lie inside each other, and each wording once. */
static size_t add_extent(const struct mm_reading *reading, struct extent *kept, size_t count,
			 struct extent found)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		if (covers(kept[i], found) || is_same_text(reading, kept[i], found))
			return count;
	for (size_t i = 0; i < count; i++)
		if (!covers(found, kept[i]))
			kept[left++] = kept[i];
	if (left < MM_KEYWORDS_MAX)
		kept[left++] = found;
	return left;
}

static size_t find_extents(const struct mm_reading *reading, struct extent *kept)
{
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	size_t count = 0;

	for (size_t i = 0; i < reading->place_count; i++) {
		const struct mm_place *place = &reading->places[i];
		if (reading->rules->rules[place->rule].sentiment == MM_SENTIMENT__MAX)
			continue;
		const struct extent found = {reading->offsets[plain->start[place->from]],
					     reading->offsets[plain->end[place->to - 1]]};
		count = add_extent(reading, kept, count, found);
	}
	return count;
}

static enum mm_status list_keywords(struct mm_reading *reading, struct mm_sentiment_result *result,
				    struct mm_error *err)
{
	struct extent kept[MM_KEYWORDS_MAX];
	enum mm_status status = reading->place_count > 0 ? mm_reading_index(reading, err) : MM_OK;

	if (status != MM_OK || reading->place_count == 0)
		return status;
	const size_t count = find_extents(reading, kept);
	result->keywords = mm_arena_alloc(reading->arena, count * sizeof(*result->keywords));
	if (!result->keywords)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the keywords");
	for (size_t i = 0; i < count; i++) {
		result->keywords[i] = mm_arena_strndup(
		    reading->arena, reading->utf8 + kept[i].start, kept[i].end - kept[i].start);
		if (!result->keywords[i])
			return mm_error_cause(err, MM_NO_MEMORY, "no memory for the keywords");
	}
	result->keyword_count = count;
	return MM_OK;
}

enum mm_status mm_sentiment_judge(struct mm_reading *reading, struct mm_sentiment_result *out,
				  struct mm_error *err)
{
	struct mm_sentiment_result result = {.keywords = NULL};
	enum mm_status status;

	if (reading->model)
		fuse_scores(reading, result.scores);
	else
		sum_scores(&reading->tally, result.scores);
	choose_class(&result, reading->model != NULL);
	status = list_keywords(reading, &result, err);
	if (status == MM_OK)
		*out = result;
	return status;
}
