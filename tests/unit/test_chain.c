/* test_chain: what is refused at the opening, and what is answered without any provider. Providers
 * are asked in tests/ai. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ai/chain.h"
#include "folder.h"

static struct mm_settings usual;
static struct mm_arena *arena;
static struct mm_replies *replies;
static const char *key_file, *bad_key_file;

static const char *write_key(const char *name, const char *key)
{
	const char *path = mm_arena_printf(arena, "%s/%s", test_folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(key, file);
	fclose(file);
	chmod(path, 0600);
	return path;
}

static int begin(void **state)
{
	const char *source = getenv("MM_TEST_SOURCE");
	struct mm_error err = {.status = MM_OK};
	(void)state;
	test_folder_make();
	arena = mm_arena_new(0);
	assert_int_equal(mm_settings_load(NULL, &usual, arena, &err), MM_OK);
	usual.journal.spool_dir = test_folder;
	usual.ai.prompt_file = mm_arena_printf(arena, "%s/conf/prompt.txt", source ? source : ".");
	key_file = write_key("good.key", "sk-0123456789\n");
	bad_key_file = write_key("bad.key", "sk-0123\r\nX-Evil: 1\n");
	usual.anthropic.key_file = usual.gemini.key_file = usual.openai.key_file = key_file;
	return mm_replies_load(
		   mm_arena_printf(arena, "%s/conf/replies.conf", source ? source : "."), &replies,
		   &err) == MM_OK
		   ? 0
		   : -1;
}

static int end(void **state)
{
	(void)state;
	mm_replies_free(replies);
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

static enum mm_status open_chain(const struct mm_settings *settings, struct mm_chain **out,
				 struct mm_error *err)
{
	const struct mm_chain_options options = {
	    .settings = settings, .app = "test", .replies = replies, .clock = &mm_clock_system};
	return mm_chain_open(&options, out, err);
}

/* Each row sets some settings of a usual configuration; NULL leaves one as it is. */
static const struct {
	const char *name, *chain, *base_url, *key; /* key: "good", "bad", "none", "missing" */
	const char *want;                          /* in the message; NULL: it opens */
} rows[] = {
    {"builtin alone", "builtin", NULL, "missing", NULL},
    {"nobody", "", NULL, "good", NULL},
    {"all of them", "anthropic gemini openai builtin", NULL, "good", NULL},
    {"spaces", "  anthropic   builtin ", NULL, "good", NULL},
    {"an unknown name", "claude builtin", NULL, "good", "\"claude\" is none of"},
    {"the same twice", "anthropic anthropic", NULL, "good", "\"anthropic\" is there twice"},
    {"builtin in the middle", "builtin anthropic", NULL, "good", "stands behind builtin"},
    {"a missing key", "anthropic", NULL, "missing", "/missing.key: No such file"},
    {"no key where there must be one", "anthropic", NULL, "none", "there must be a key"},
    {"no key for a server that wants none", "openai", "http://llm.example:8080/v1", "none", NULL},
    {"a key over plain http", "openai", "http://llm.example:8080/v1", "good", "unencrypted"},
    {"a key over plain http by a trick", "openai", "http://127.0.0.1@llm.example/v1", "good",
     "unencrypted"},
    {"a name that only begins like this machine", "openai", "http://localhost.example/v1", "good",
     "unencrypted"},
    {"this machine by name", "openai", "http://localhost:8080/v1", "good", NULL},
    {"this machine by address", "openai", "http://127.0.0.1:8080/v1", "good", NULL},
    {"this machine by IPv6", "openai", "http://[::1]:8080/v1", "good", NULL},
    {"another scheme", "openai", "ftp://llm.example", "good", "must begin with https://"},
    {"a key with a line break", "anthropic", NULL, "bad", "holds bytes that no key has"},
};

static const char *path_of(const char *key)
{
	if (strcmp(key, "good") == 0)
		return key_file;
	if (strcmp(key, "bad") == 0)
		return bad_key_file;
	return strcmp(key, "none") == 0 ? "" : "/nonexistent/missing.key";
}

static void open__each_row(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mm_settings settings = usual;
		struct mm_chain *chain = NULL;
		struct mm_error err = {.message = ""};
		settings.ai.chain = rows[i].chain;
		settings.anthropic.key_file = settings.gemini.key_file = settings.openai.key_file =
		    path_of(rows[i].key);
		if (rows[i].base_url)
			settings.openai.base_url = rows[i].base_url;
		const enum mm_status status = open_chain(&settings, &chain, &err);
		const bool is_right = rows[i].want
					  ? status != MM_OK && strstr(err.message, rows[i].want)
					  : status == MM_OK;
		if (!is_right || strstr(err.message, "sk-"))
			fail_msg("%s: status %d: %s", rows[i].name, status, err.message);
		mm_chain_close(chain);
	}
}

static void key__that_systemd_passes__is_taken(void **state)
{
	struct mm_settings settings = usual;
	struct mm_chain *chain = NULL;
	struct mm_error err = {.message = ""};
	(void)state;
	write_key("anthropic.key", "sk-0123456789");
	settings.ai.chain = "anthropic";
	settings.anthropic.key_file = "/nonexistent/anthropic.key";
	setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
	assert_int_equal(open_chain(&settings, &chain, &err), MM_OK);
	unsetenv("CREDENTIALS_DIRECTORY");
	mm_chain_close(chain);
}

static void reply__of_builtin_alone__is_no_degradation(void **state)
{
	const struct mm_analysis analysis = {.intents = 1u << MM_INTENT_GREETING};
	const struct mm_ai_request request = {
	    .text = "Hello", .length = 5, .language = MM_LANGUAGE_EN, .analysis = &analysis};
	struct mm_ai_request by_schema = request;
	struct mm_ai_reply reply;
	struct mm_chain *chain;
	struct mm_error err = {.message = ""};
	(void)state;
	by_schema.schema = "{}";
	assert_int_equal(open_chain(&usual, &chain, &err), MM_OK);
	const struct mm_provider provider = mm_chain_provider(chain);
	assert_int_equal(provider.reply(provider.self, &request, &reply, arena, &err), MM_OK);
	assert_string_equal(reply.provider, "builtin");
	assert_int_equal(reply.tried_count, 0);
	assert_int_equal(provider.reply(provider.self, &by_schema, &reply, arena, &err),
			 MM_UPSTREAM);
	mm_chain_close(chain);
}

static void states__without_a_ledger__are_closed(void **state)
{
	struct mm_settings settings = usual;
	struct mm_chain_state *states;
	struct mm_error err = {.message = ""};
	size_t count;
	(void)state;
	settings.ai.chain = "gemini anthropic";
	assert_int_equal(
	    mm_chain_read_states(&settings, "nobody", 1000, &states, &count, arena, &err), MM_OK);
	assert_int_equal(count, 3);
	assert_string_equal(states[0].provider, "gemini");
	assert_string_equal(states[1].model, "claude-opus-4-6");
	assert_string_equal(states[2].provider, "builtin");
	for (size_t i = 0; i < count; i++)
		assert_int_equal(states[i].breaker, MM_BREAKER_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__each_row),
	    cmocka_unit_test(key__that_systemd_passes__is_taken),
	    cmocka_unit_test(reply__of_builtin_alone__is_no_degradation),
	    cmocka_unit_test(states__without_a_ledger__are_closed),
	};
	return cmocka_run_group_tests_name("chain", tests, begin, end);
}
