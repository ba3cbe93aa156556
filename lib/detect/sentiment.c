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

static void sum_scores(const struct mm_reading *reading, double scores[MM_SENTIMENT__MAX])
{
	const struct mm_scanner *scanner = reading->scanner;
	double total = neutral_prior;

	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		scores[class] = class == MM_SENTIMENT_NEUTRAL ? neutral_prior : 0.0;
	for (uint32_t i = 0; i < scanner->fired_count; i++) {
		const struct mm_rule *rule = &reading->rules->rules[scanner->fired[i]];

		if (scanner->rules[scanner->fired[i]].standing == 0 ||
		    rule->sentiment == MM_SENTIMENT__MAX)
			continue;
		scores[rule->sentiment] += rule->weight;
		total += rule->weight;
	}
	if (scores[MM_SENTIMENT_ANGER] > 0.0) {
		const double moved = wrath_share * scores[MM_SENTIMENT_NEGATIVE];
		scores[MM_SENTIMENT_NEGATIVE] -= moved;
		scores[MM_SENTIMENT_ANGER] += moved;
	}
	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		scores[class] /= total;
}

static void choose_class(struct mm_sentiment_result *result)
{
	double second = 0.0;

	result->sentiment = precedence[0];
	for (int i = 1; i < MM_SENTIMENT__MAX; i++)
		if (result->scores[precedence[i]] > result->scores[result->sentiment])
			result->sentiment = precedence[i];
	for (int class = 0; class < MM_SENTIMENT__MAX; class ++)
		if (class != (int)result->sentiment && result->scores[class] > second)
			second = result->scores[class];
	result->confidence = result->scores[result->sentiment] - second / 2;
	if (result->confidence > confidence_max)
		result->confidence = confidence_max;
}

static bool is_listed(const struct mm_sentiment_result *result, const char *text, size_t length)
{
	for (size_t i = 0; i < result->keyword_count; i++)
		if (strlen(result->keywords[i]) == length &&
		    memcmp(result->keywords[i], text, length) == 0)
			return true;
	return false;
}

static enum mm_status add_keyword(struct mm_reading *reading, const struct mm_place *place,
				  struct mm_sentiment_result *result, struct mm_error *err)
{
	const struct mm_folded *plain = &reading->views[MM_FOLD_PLAIN];
	uint32_t start = reading->offsets[plain->start[place->from]];
	uint32_t end = reading->offsets[plain->end[place->to - 1]];

	if (is_listed(result, reading->utf8 + start, end - start))
		return MM_OK;
	result->keywords[result->keyword_count] =
	    mm_arena_strndup(reading->arena, reading->utf8 + start, end - start);
	if (!result->keywords[result->keyword_count])
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the keywords");
	result->keyword_count++;
	return MM_OK;
}

static enum mm_status list_keywords(struct mm_reading *reading, struct mm_sentiment_result *result,
				    struct mm_error *err)
{
	enum mm_status status = MM_OK;

	if (reading->place_count == 0)
		return MM_OK;
	status = mm_reading_index(reading, err);
	result->keywords =
	    mm_arena_alloc(reading->arena, MM_KEYWORDS_MAX * sizeof(*result->keywords));
	if (!result->keywords)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for the keywords");
	for (size_t i = 0; i < reading->place_count && status == MM_OK; i++) {
		const struct mm_place *place = &reading->places[i];

		if (result->keyword_count == MM_KEYWORDS_MAX)
			break;
		if (reading->rules->rules[place->rule].sentiment != MM_SENTIMENT__MAX)
			status = add_keyword(reading, place, result, err);
	}
	return status;
}

enum mm_status mm_sentiment_judge(struct mm_reading *reading, struct mm_sentiment_result *out,
				  struct mm_error *err)
{
	struct mm_sentiment_result result = {.keywords = NULL};
	enum mm_status status;

	sum_scores(reading, result.scores);
	choose_class(&result);
	status = list_keywords(reading, &result, err);
	if (status == MM_OK)
		*out = result;
	return status;
}
