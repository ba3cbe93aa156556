/* handoff: mamori handoff lists, shows and changes who has a conversation; the rules are in
 * lib/service/desk.h. */
#include "config.h"

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "command.h"
#include "handoff_print.h"
#include "service/desk.h"

enum { BYTES_PER_CHARACTER = 4, NAME_BYTES = 256, ENTRY_BYTES = 16384 };

enum verb { LIST, SHOW, ACCEPT, REPLY, RETURN, RESOLVE, VERB__MAX };

struct wish {
	enum verb verb;
	const char *id, *text, *actor, *expected, *note;
	const char *is_all, *is_json, *is_closing; /* NULL: no */
};

static const struct {
	const char *name;
	int least, most;        /* arguments after it, options left out */
	enum mm_desk_verb desk; /* of those that change something */
	handoff_printer print;
} verbs[VERB__MAX] = {
    [LIST] = {"list", 0, 0, MM_DESK_VERB__MAX, handoff_print_list},
    [SHOW] = {"show", 1, 1, MM_DESK_VERB__MAX, handoff_print_show},
    [ACCEPT] = {"accept", 1, 1, MM_DESK_ACCEPT, handoff_print_action},
    [REPLY] = {"reply", 1, 2, MM_DESK_REPLY, handoff_print_action},
    [RETURN] = {"return", 1, 1, MM_DESK_RETURN, handoff_print_action},
    [RESOLVE] = {"resolve", 1, 1, MM_DESK_RESOLVE, handoff_print_action},
};

enum {
	OF_ALL = (1 << VERB__MAX) - 1,
	OF_CHANGES = 1 << ACCEPT | 1 << REPLY | 1 << RETURN | 1 << RESOLVE,
	OF_ENDS = 1 << RETURN | 1 << RESOLVE,
};

static const struct option {
	const char *name;
	size_t offset; /* in struct wish */
	bool has_value;
	unsigned verbs; /* bit set of those that take it */
} options[] = {
    {"--all", offsetof(struct wish, is_all), false, 1 << LIST},
    {"--json", offsetof(struct wish, is_json), false, OF_ALL},
    {"--as", offsetof(struct wish, actor), true, OF_CHANGES},
    {"--from", offsetof(struct wish, expected), true, 1 << ACCEPT},
    {"--note", offsetof(struct wish, note), true, OF_ENDS},
    {"--close", offsetof(struct wish, is_closing), false, 1 << RESOLVE},
};

static int misuse(const char *what, const char *why)
{
	fprintf(stderr, "mamori: handoff: \"%s\" %s; see mamori(1)\n", what, why);
	return EXIT_USAGE;
}

static const struct option *find_option(const char *name, enum verb verb)
{
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (strcmp(options[i].name, name) == 0 && options[i].verbs & 1u << verb)
			return &options[i];
	return NULL;
}

/* Sorts the arguments after the verb into the wish; after "--" nothing is an option. */
static int read_arguments(const struct invocation *invocation, struct wish *wish)
{
	enum { PLACES = 2 };
	const char **const places[PLACES] = {&wish->id, &wish->text};
	bool is_plain = false;
	const int most = verbs[wish->verb].most;
	int found = 0;
	for (int i = 1; i < invocation->count; i++) {
		const char *argument = invocation->arguments[i];
		const bool is_option = !is_plain && strncmp(argument, "--", 2) == 0;
		const struct option *option = is_option ? find_option(argument, wish->verb) : NULL;
		if (is_option && !argument[2]) {
			is_plain = true;
		} else if (option) {
			if (option->has_value && ++i == invocation->count)
				return misuse(argument, "needs a value");
			*(const char **)((char *)wish + option->offset) = invocation->arguments[i];
		} else if (is_option || found == most || found == PLACES) {
			return misuse(argument, "does not belong here");
		} else {
			*places[found++] = argument;
		}
	}
	if (found < verbs[wish->verb].least)
		return misuse(verbs[wish->verb].name, "needs the id of a handoff or conversation");
	return EXIT_DONE;
}

static int read_wish(const struct invocation *invocation, struct wish *wish)
{
	const char *name = invocation->count > 0 ? invocation->arguments[0] : "";
	for (int verb = 0; verb < VERB__MAX; verb++) {
		if (strcmp(verbs[verb].name, name) == 0) {
			wish->verb = (enum verb)verb;
			return read_arguments(invocation, wish);
		}
	}
	return misuse(name, "is none of list, show, accept, reply, return, resolve");
}

/* Who is at the terminal, also after su or runuser; else whom the process runs as. */
static const char *login_name(struct mm_arena *arena)
{
	char name[NAME_BYTES], strings[ENTRY_BYTES];
	struct passwd entry, *user = NULL;
	if (getlogin_r(name, sizeof name) == 0)
		return mm_arena_strdup(arena, name);
	if (getpwuid_r(getuid(), &entry, strings, sizeof strings, &user) != 0 || !user)
		return "";
	return mm_arena_strdup(arena, user->pw_name);
}

/* A reply from standard input, without the line breaks at its end. NULL: more than fits. */
static const char *read_input(const struct invocation *invocation)
{
	const size_t most =
	    (size_t)invocation->settings->server.max_message * BYTES_PER_CHARACTER + 2;
	char *text = mm_arena_alloc(invocation->arena, most + 1);
	if (!text)
		return NULL;
	size_t length = fread(text, 1, most, stdin);
	if (length == most || memchr(text, '\0', length))
		return NULL;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	text[length] = '\0';
	return text;
}

static enum mm_status act(struct mm_runtime *runtime, const struct invocation *invocation,
			  const struct wish *wish, struct mm_buffer *out, struct mm_error *err)
{
	struct mm_desk_request request = {
	    .verb = wish->is_closing ? MM_DESK_CLOSE : verbs[wish->verb].desk,
	    .actor = wish->actor ? wish->actor : login_name(invocation->arena),
	    .target = wish->id,
	    .text = wish->verb == REPLY ? wish->text : wish->note,
	    .expected = wish->expected};
	if (wish->verb == REPLY && (!wish->text || strcmp(wish->text, "-") == 0))
		request.text = read_input(invocation);
	if (wish->verb == REPLY && !request.text)
		return mm_error_set(err, MM_TOO_LARGE, NULL, "text",
				    "standard input holds a NUL or more than a message's %lld "
				    "characters",
				    (long long)invocation->settings->server.max_message);
	return mm_desk_act(runtime, &request, out, invocation->arena, err);
}

static enum mm_status ask(struct mm_runtime *runtime, const struct invocation *invocation,
			  const struct wish *wish, struct mm_buffer *out, struct mm_error *err)
{
	if (wish->verb == LIST)
		return mm_desk_list(runtime, wish->is_all, out, invocation->arena, err);
	if (wish->verb == SHOW)
		return mm_desk_show(runtime, wish->id, out, invocation->arena, err);
	return act(runtime, invocation, wish, out, err);
}

static enum mm_status run(const struct invocation *invocation, const struct wish *wish,
			  struct mm_error *err)
{
	struct mm_runtime *runtime;
	struct mm_buffer out;
	mm_buffer_init(&out, 4096, 0, invocation->arena);
	enum mm_status status =
	    mm_runtime_open(invocation->settings, "desk", MM_NEED_POOL, &runtime, err);
	if (status != MM_OK)
		return status;
	status = ask(runtime, invocation, wish, &out, err);
	mm_runtime_close(runtime);
	if (status == MM_OK && wish->is_json)
		printf("%s\n", mm_buffer_text(&out));
	else if (status == MM_OK)
		status = verbs[wish->verb].print(&out, invocation->arena, err);
	return status;
}

int command_handoff(const struct invocation *invocation)
{
	struct wish wish = {.verb = LIST};
	struct mm_error err = {.status = MM_OK};
	const int code = read_wish(invocation, &wish);
	if (code != EXIT_DONE)
		return code;
	const enum mm_status status = run(invocation, &wish, &err);
	if (status == MM_OK)
		return EXIT_DONE;
	command_fail("handoff", &err);
	if (status == MM_TIMEOUT)
		fprintf(stderr, "mamori: handoff: whether it was done is not known: see \"mamori "
				"handoff show\"\n");
	return EXIT_FAILED;
}
