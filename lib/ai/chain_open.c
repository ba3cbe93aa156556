/* chain_open: from ai.chain to opened providers and back, and what health is told; asks nobody. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ai/budget.h"
#include "ai/builtin.h"
#include "ai/chain_internal.h"
#include "base/buffer.h"
#include "base/data_path.h"
#include "base/file.h"

enum { ARENA_MAX_BYTES = 1024 * 1024, PROMPT_MAX_BYTES = 64 * 1024 };

const char *mm_ai_outcome_name(enum mm_ai_outcome outcome)
{
	static const char *const names[MM_AI_OUTCOME__MAX] = {
	    [MM_AI_ANSWERED] = "answered",
	    [MM_AI_REFUSED] = "refused",
	    [MM_AI_HANDED_OVER] = "handed_over",
	    [MM_AI_STOPPED] = "stopped",
	};
	return names[outcome];
}

static const struct mm_provider_settings *settings_of(const struct mm_settings *settings,
						      enum mm_ai_vendor vendor)
{
	switch (vendor) {
	case MM_VENDOR_ANTHROPIC:
		return &settings->anthropic;
	case MM_VENDOR_GEMINI:
		return &settings->gemini;
	default:
		return &settings->openai;
	}
}

/* ---- ai.chain */

struct order {
	enum mm_ai_vendor vendors[MM_VENDOR__MAX];
	size_t count;
	bool has_ended; /* by "builtin" */
};

static enum mm_status refuse(struct mm_error *err, const char *name, size_t length,
			     const char *reason)
{
	return mm_error_set(err, MM_BAD_INPUT, NULL, "ai.chain", "ai.chain: \"%.*s\" %s",
			    (int)length, name, reason);
}

static enum mm_status add_name(struct order *order, const char *name, size_t length,
			       struct mm_error *err)
{
	static const char builtin[] = "builtin";
	enum mm_ai_vendor vendor;
	if (order->has_ended)
		return refuse(err, name, length, "stands behind builtin, which always answers");
	if (length == sizeof builtin - 1 && memcmp(name, builtin, length) == 0) {
		order->has_ended = true;
		return MM_OK;
	}
	if (!mm_vendor_parse(name, length, &vendor))
		return refuse(err, name, length,
			      "is none of anthropic, gemini, openai and builtin");
	for (size_t i = 0; i < order->count; i++)
		if (order->vendors[i] == vendor)
			return refuse(err, name, length, "is there twice");
	order->vendors[order->count++] = vendor;
	return MM_OK;
}

static enum mm_status parse_order(const char *chain, struct order *order, struct mm_error *err)
{
	enum mm_status status = MM_OK;
	*order = (struct order){.count = 0};
	for (chain += strspn(chain, " "); *chain && status == MM_OK; chain += strspn(chain, " ")) {
		const size_t length = strcspn(chain, " ");
		status = add_name(order, chain, length, err);
		chain += length;
	}
	return status;
}

/* ---- the prompt */

static const char *fill_language(const char *text, const char *language, struct mm_arena *arena)
{
	static const char place[] = "{language}";
	struct mm_buffer out;
	const char *found;
	mm_buffer_init(&out, strlen(text) + 64, 0, arena);
	while ((found = strstr(text, place))) {
		mm_buffer_add(&out, text, (size_t)(found - text));
		mm_buffer_add_text(&out, language);
		text = found + strlen(place);
	}
	mm_buffer_add_text(&out, text);
	return out.has_failed ? NULL : mm_buffer_text(&out);
}

static enum mm_status load_prompts(struct mm_chain *chain, struct mm_error *err)
{
	static const char *const languages[MM_LANGUAGE__MAX] = {
	    [MM_LANGUAGE_JA] = "Japanese", [MM_LANGUAGE_EN] = "English"};
	char *text;
	size_t length;
	const char *path = mm_data_path(chain->settings->ai.prompt_file, chain->arena);
	if (!path)
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the prompt");
	const enum mm_status status =
	    mm_file_read(path, PROMPT_MAX_BYTES, &text, &length, chain->arena, err);
	for (int i = 0; i < MM_LANGUAGE__MAX && status == MM_OK; i++) {
		chain->prompts[i] = fill_language(text, languages[i], chain->arena);
		if (!chain->prompts[i])
			return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the prompt");
	}
	return status;
}

/* ---- opening */

static enum mm_status open_link(struct mm_chain *chain, enum mm_ai_vendor vendor,
				struct mm_error *err)
{
	struct mm_link *link = &chain->links[chain->count];
	link->vendor = vendor;
	link->settings = settings_of(chain->settings, vendor);
	link->account = mm_ledger_account(chain->ledger, vendor);
	const enum mm_status status =
	    mm_remote_open(vendor, link->settings, chain->transport, chain->clock, &link->remote,
			   chain->arena, err);
	if (status == MM_OK)
		chain->count++;
	return status;
}

static enum mm_status open_links(struct mm_chain *chain, const char *app, struct mm_error *err)
{
	struct order order;
	enum mm_status status = parse_order(chain->settings->ai.chain, &order, err);
	if (status != MM_OK || order.count == 0)
		return status;
	status = load_prompts(chain, err);
	if (status == MM_OK)
		status =
		    mm_ledger_open(chain->settings->journal.spool_dir, app, &chain->ledger, err);
	if (status == MM_OK)
		status = mm_transport_new(chain->clock, &chain->transport, err);
	for (size_t i = 0; i < order.count && status == MM_OK; i++)
		status = open_link(chain, order.vendors[i], err);
	return status;
}

enum mm_status mm_chain_open(const struct mm_chain_options *options, struct mm_chain **out,
			     struct mm_error *err)
{
	struct mm_chain *chain = calloc(1, sizeof *chain);
	if (chain)
		chain->arena = mm_arena_new(ARENA_MAX_BYTES);
	if (!chain || !chain->arena) {
		mm_chain_close(chain);
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the chain");
	}
	chain->settings = options->settings;
	chain->clock = options->clock;
	chain->builtin = mm_builtin_provider(options->replies);
	chain->breaker.failures = options->settings->ai.breaker_failures;
	chain->breaker.pause_ms = options->settings->ai.breaker_pause_ms;
	const enum mm_status status = open_links(chain, options->app, err);
	if (status != MM_OK) {
		mm_chain_close(chain);
		return status;
	}
	*out = chain;
	return MM_OK;
}

void mm_chain_close(struct mm_chain *chain)
{
	if (!chain)
		return;
	mm_transport_free(chain->transport);
	for (size_t i = 0; i < chain->count; i++)
		mm_remote_close(chain->links[i].remote);
	mm_ledger_close(chain->ledger);
	mm_arena_free(chain->arena);
	free(chain);
}

/* ---- health */

static void fill_state(struct mm_chain_state *state, const struct mm_account *account,
		       int64_t now_utc_ms)
{
	const int64_t fault = atomic_load(&account->last_fault);
	state->breaker = mm_breaker_state(account, now_utc_ms);
	state->last_fault =
	    fault > 0 && fault < MM_FAULT__MAX ? (enum mm_fault)fault : MM_FAULT_NONE;
	state->last_fault_utc_ms = atomic_load(&account->last_fault_at);
	state->tokens_today = mm_budget_used(account, now_utc_ms);
}

enum mm_status mm_chain_read_states(const struct mm_settings *settings, const char *app,
				    int64_t now_utc_ms, struct mm_chain_state **states_out,
				    size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_account *accounts = mm_arena_array(arena, MM_LEDGER_ACCOUNTS, sizeof *accounts);
	struct mm_chain_state *states = mm_arena_array(arena, MM_VENDOR__MAX + 1, sizeof *states);
	struct order order;
	const enum mm_status status = parse_order(settings->ai.chain, &order, err);
	if (status != MM_OK)
		return status;
	if (!accounts || !states)
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for the states");
	/* Without a ledger nobody has been asked yet. */
	if (order.count > 0)
		mm_ledger_read(settings->journal.spool_dir, app, accounts, arena, NULL);
	for (size_t i = 0; i < order.count; i++) {
		states[i].provider = mm_vendor_name(order.vendors[i]);
		states[i].model = settings_of(settings, order.vendors[i])->model;
		fill_state(&states[i], &accounts[order.vendors[i]], now_utc_ms);
	}
	states[order.count].provider = "builtin";
	*states_out = states;
	*count_out = order.count + 1;
	return MM_OK;
}
