/* ground: asks the library; what is made of the sources is the provider's business. */
#include "config.h"

#include "service/ground.h"

#include "ai/passage.h"
#include "service/library.h"

enum { PASSAGE_CODE_POINTS = 1500 };

/* Keeps the part of each article that the question is about. */
static enum mm_status cut_passages(struct mm_turn *turn, struct mm_source *sources, size_t count,
				   const char *text, size_t length, struct mm_error *err)
{
	for (size_t i = 0; i < count; i++) {
		sources[i].body = mm_passage_choose(sources[i].body, text, length,
						    PASSAGE_CODE_POINTS, turn->arena);
		if (!sources[i].body)
			return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for a source");
	}
	return MM_OK;
}

static enum mm_status search(struct mm_turn *turn, const struct mm_knowledge *knowledge,
			     const char *text, size_t length, struct mm_error *err)
{
	const double threshold = turn->runtime->settings->knowledge.threshold;
	struct mm_source *sources = mm_arena_array(turn->arena, MM_SOURCES_MAX, sizeof *sources);
	size_t count = 0;
	if (!sources)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for sources");
	const enum mm_status status =
	    mm_knowledge_find(knowledge, text, length, turn->language, sources, MM_SOURCES_MAX,
			      &count, turn->arena, err);
	if (status != MM_OK)
		return status;
	turn->sources = sources;
	while (turn->source_count < count &&
	       mm_source_is_answer(&sources[turn->source_count], threshold))
		turn->source_count++;
	return cut_passages(turn, sources, turn->source_count, text, length, err);
}

static enum mm_status search_with_last(struct mm_turn *turn, const struct mm_knowledge *knowledge,
				       const struct mm_ai_request *request, struct mm_error *err)
{
	struct mm_buffer text;
	size_t i = request->history_count;
	while (i > 0 && !request->history[i - 1].is_customer)
		i--;
	if (i == 0)
		return MM_OK;
	mm_buffer_init(&text, 1024, 0, turn->arena);
	mm_buffer_add(&text, request->history[i - 1].text, request->history[i - 1].length);
	mm_buffer_add_char(&text, '\n');
	mm_buffer_add(&text, request->text, request->length);
	if (text.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "ask: no memory for the question");
	return search(turn, knowledge, text.data, text.length, err);
}

/* What a customer says without asking anything. */
static bool is_question(const struct mm_analysis *analysis)
{
	const unsigned courtesies =
	    1u << MM_INTENT_GREETING | 1u << MM_INTENT_THANKS | 1u << MM_INTENT_COMPLAINT;
	return !analysis->harassment.is_harassment &&
	       (analysis->intents == 0 || analysis->intents & ~courtesies);
}

enum mm_status mm_ground_request(struct mm_turn *turn, struct mm_ai_request *request,
				 struct mm_error *err)
{
	const struct mm_knowledge *knowledge;
	struct mm_library *library = turn->runtime->library;
	turn->source_count = 0;
	turn->gap = (struct mm_message){.text = NULL};
	if (!library)
		return MM_OK;
	enum mm_status status = mm_library_borrow(library, &knowledge, turn->arena, err);
	if (status != MM_OK || mm_knowledge_count(knowledge) == 0)
		return status;
	request->is_grounded = true;
	status = search(turn, knowledge, request->text, request->length, err);
	if (status == MM_OK && turn->source_count == 0 && is_question(turn->question_analysis))
		status = search_with_last(turn, knowledge, request, err);
	request->sources = turn->sources;
	request->source_count = turn->source_count;
	return status;
}

void mm_ground_note_gap(struct mm_turn *turn, const struct mm_ai_request *request)
{
	const struct mm_ai_reply *reply = &turn->reply;
	const bool is_about_order = turn->order_number && !reply->model && !reply->is_fallback;
	if (!turn->runtime->library || turn->source_count > 0 ||
	    !is_question(turn->question_analysis) ||
	    !(request->is_grounded ? !is_about_order : reply->is_fallback))
		return;
	turn->gap = (struct mm_message){.text = request->text, .length = request->length};
}
