/* builtin: chooses an answer by intent; reads no file and makes no call. */
#include "config.h"

#include "ai/builtin.h"

#include "base/buffer.h"

enum { REPLY_MAX_BYTES = 16384, PLACED_MAX = 2 };

/* Which intent is answered first, by which text; `ask` is used while no order number is known. */
static const struct placement {
	enum mm_intent intent;
	enum mm_reply_key key;
	enum mm_reply_key ask;
	bool is_topic; /* a topic may be followed by a second one; a courtesy stands alone */
} placements[] = {
    {MM_INTENT_DEFECT, MM_REPLY_DEFECT, MM_REPLY_DEFECT_ASK, true},
    {MM_INTENT_RETURNS, MM_REPLY_RETURNS, MM_REPLY_RETURNS_ASK, true},
    {MM_INTENT_SHIPPING, MM_REPLY_SHIPPING, MM_REPLY_SHIPPING_ASK, true},
    {MM_INTENT_BILLING, MM_REPLY_BILLING, MM_REPLY_BILLING, true},
    {MM_INTENT_ACCOUNT, MM_REPLY_ACCOUNT, MM_REPLY_ACCOUNT, true},
    {MM_INTENT_COMPLAINT, MM_REPLY_COMPLAINT_ASK, MM_REPLY_COMPLAINT_ASK, false},
    {MM_INTENT_THANKS, MM_REPLY_THANKS, MM_REPLY_THANKS, false},
    {MM_INTENT_GREETING, MM_REPLY_GREETING, MM_REPLY_GREETING, false},
};

/* Finds up to PLACED_MAX placements for the message; returns how many. */
static size_t place(unsigned intents, const struct placement *found[PLACED_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < sizeof placements / sizeof placements[0]; i++) {
		const struct placement *row = &placements[i];
		if (!(intents & 1u << row->intent))
			continue;
		if (count > 0 && !row->is_topic)
			continue;
		found[count++] = row;
		if (count == PLACED_MAX || !row->is_topic)
			break;
	}
	return count;
}

static bool is_unhappy(const struct mm_analysis *analysis)
{
	enum mm_sentiment sentiment = analysis->sentiment.sentiment;
	return sentiment == MM_SENTIMENT_NEGATIVE || sentiment == MM_SENTIMENT_ANGER;
}

static void add_text(struct mm_buffer *text, enum mm_language language, const char *piece)
{
	if (text->length > 0 && language == MM_LANGUAGE_EN)
		mm_buffer_add_char(text, ' ');
	mm_buffer_add_text(text, piece);
}

static void add_reply(struct mm_buffer *text, const struct mm_replies *replies,
		      const struct mm_ai_request *request, enum mm_reply_key key,
		      struct mm_arena *arena)
{
	const struct mm_reply_values values = {.order = request->order_number,
					       .name = request->customer_name};
	const char *piece = mm_replies_fill(replies, request->language, key, &values, arena);
	if (!piece) {
		text->has_failed = true;
		return;
	}
	add_text(text, request->language, piece);
}

/* An unhappy customer hears an apology first, unless the first answer holds one itself. */
static bool needs_apology(const struct mm_analysis *analysis, const struct placement *first)
{
	return is_unhappy(analysis) && first->is_topic && first->intent != MM_INTENT_DEFECT;
}

/* A topic's text only says what will be checked, and a courtesy answers nothing: an article goes
 * before them. Where the customer has named an order, it is the order that matters. */
static bool prefers_article(const struct mm_ai_request *request, const struct placement *first)
{
	const bool is_about_order = first && request->order_number && first->key != first->ask;
	return request->source_count > 0 && !is_about_order;
}

/* With its title, so that the customer sees what was answered. */
static void add_article(struct mm_buffer *text, const struct mm_ai_request *request)
{
	if (text->length > 0)
		mm_buffer_add_text(text, "\n\n");
	mm_buffer_add_text(text, request->sources[0].title);
	mm_buffer_add_text(text, "\n\n");
	mm_buffer_add_text(text, request->sources[0].body);
}

static void add_topics(struct mm_buffer *text, const struct mm_replies *replies,
		       const struct mm_ai_request *request,
		       const struct placement *const found[PLACED_MAX], size_t count,
		       struct mm_arena *arena)
{
	for (size_t i = 0; i < count; i++)
		add_reply(text, replies, request,
			  request->order_number ? found[i]->key : found[i]->ask, arena);
}

static enum mm_status builtin_reply(void *self, const struct mm_ai_request *request,
				    struct mm_ai_reply *out, struct mm_arena *arena,
				    struct mm_error *err)
{
	const struct mm_replies *replies = self;
	const struct placement *found[PLACED_MAX] = {NULL};
	const size_t count = place(request->analysis->intents, found);
	const bool is_article = prefers_article(request, found[0]);
	struct mm_buffer text;

	mm_buffer_init(&text, 512, REPLY_MAX_BYTES, arena);
	if (count == 0 && !is_article)
		add_reply(&text, replies, request, MM_REPLY_FALLBACK, arena);
	else if (is_article ? is_unhappy(request->analysis)
			    : needs_apology(request->analysis, found[0]))
		add_reply(&text, replies, request, MM_REPLY_APOLOGY, arena);
	if (is_article)
		add_article(&text, request);
	else
		add_topics(&text, replies, request, found, count, arena);
	if (text.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "builtin: no memory for the reply");
	*out = (struct mm_ai_reply){.text = mm_buffer_text(&text),
				    .provider = "builtin",
				    .is_fallback = count == 0 && !is_article,
				    .cited = is_article ? 1u : 0u};
	return MM_OK;
}

struct mm_provider mm_builtin_provider(const struct mm_replies *replies)
{
	return (struct mm_provider){
	    .name = "builtin", .reply = builtin_reply, .self = (void *)(uintptr_t)replies};
}
