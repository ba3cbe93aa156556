/*
 * setting: reads one value as its row says. Files and variables are settings.c's.
 */
#include "config.h"

#include "base/setting.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

enum { QUOTED_MAX = 40 }; /* bytes of a wrong value that a message repeats */

static bool has_control(const char *value)
{
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20 || *value == 0x7F)
			return true;
	}
	return false;
}

static enum mm_status parse_text(const struct mm_setting *setting, const char *value,
				 void *field_out, struct mm_arena *arena)
{
	size_t length = strlen(value);

	if ((int64_t)length < setting->min || (int64_t)length > setting->max || has_control(value))
		return MM_BAD_INPUT;
	char *copy = mm_arena_strndup(arena, value, length);
	if (!copy)
		return MM_NO_MEMORY;
	*(const char **)field_out = copy;
	return MM_OK;
}

static enum mm_status parse_path(const struct mm_setting *setting, const char *value,
				 void *field_out, struct mm_arena *arena)
{
	if (value[0] != '\0' && value[0] != '/')
		return MM_BAD_INPUT;
	return parse_text(setting, value, field_out, arena);
}

static enum mm_status parse_i64(const struct mm_setting *setting, const char *value,
				void *field_out, struct mm_arena *arena)
{
	(void)arena;
	return mm_number_parse_i64(value, strlen(value), setting->min, setting->max, field_out)
		   ? MM_OK
		   : MM_BAD_INPUT;
}

static enum mm_status parse_bool(const struct mm_setting *setting, const char *value,
				 void *field_out, struct mm_arena *arena)
{
	(void)setting;
	(void)arena;
	bool is_yes = strcmp(value, "yes") == 0;
	if (!is_yes && strcmp(value, "no") != 0)
		return MM_BAD_INPUT;
	*(bool *)field_out = is_yes;
	return MM_OK;
}

static enum mm_status parse_double(const struct mm_setting *setting, const char *value,
				   void *field_out, struct mm_arena *arena)
{
	(void)arena;
	return mm_number_parse_double(value, strlen(value), (double)setting->min,
				      (double)setting->max, field_out)
		   ? MM_OK
		   : MM_BAD_INPUT;
}

static enum mm_status parse_enum(const struct mm_setting *setting, const char *value,
				 void *field_out, struct mm_arena *arena)
{
	(void)arena;
	for (int i = 0; setting->choices[i]; i++) {
		if (strcmp(value, setting->choices[i]) == 0) {
			memcpy(field_out, &i, sizeof(i));
			return MM_OK;
		}
	}
	return MM_BAD_INPUT;
}

static const struct {
	const char *name;
	const char *range; /* how the allowed range begins, where min and max are one */
	bool is_quotable;  /* a wrong value may be repeated: it cannot hold a password */
	enum mm_status (*parse)(const struct mm_setting *, const char *, void *, struct mm_arena *);
} types[MM_SETTING__MAX] = {
    [MM_SETTING_TEXT] = {"text", "text of", false, parse_text},
    [MM_SETTING_PATH] = {"path", NULL, true, parse_path},
    [MM_SETTING_I64] = {"integer", "a whole number from", true, parse_i64},
    [MM_SETTING_BOOL] = {"boolean", NULL, true, parse_bool},
    [MM_SETTING_DOUBLE] = {"number", "a number from", true, parse_double},
    [MM_SETTING_ENUM] = {"choice", NULL, true, parse_enum},
};

const char *mm_setting_type_name(enum mm_setting_type type)
{
	return types[type].name;
}

static void list_choices(const struct mm_setting *setting, char out[MM_SETTING_ALLOWED])
{
	size_t length = (size_t)snprintf(out, MM_SETTING_ALLOWED, "one of");

	for (size_t i = 0; setting->choices[i] && length < MM_SETTING_ALLOWED; i++)
		length += (size_t)snprintf(out + length, MM_SETTING_ALLOWED - length, "%s %s",
					   i ? "," : "", setting->choices[i]);
}

void mm_setting_allowed(const struct mm_setting *setting, char out[MM_SETTING_ALLOWED])
{
	switch (setting->type) {
	case MM_SETTING_PATH:
		snprintf(out, MM_SETTING_ALLOWED, "an absolute path%s",
			 setting->min ? "" : ", or nothing");
		break;
	case MM_SETTING_BOOL:
		snprintf(out, MM_SETTING_ALLOWED, "yes or no");
		break;
	case MM_SETTING_ENUM:
		list_choices(setting, out);
		break;
	default:
		snprintf(out, MM_SETTING_ALLOWED, "%s %" PRId64 " to %" PRId64 "%s",
			 types[setting->type].range, setting->min, setting->max,
			 setting->type == MM_SETTING_TEXT ? " bytes" : "");
	}
}

enum mm_status mm_setting_parse(const struct mm_setting *setting, const char *value,
				void *field_out, struct mm_arena *arena, struct mm_error *err)
{
	enum mm_status status = types[setting->type].parse(setting, value, field_out, arena);
	char field[sizeof(err->field)];
	char allowed[MM_SETTING_ALLOWED];

	if (status == MM_OK)
		return MM_OK;
	if (status == MM_NO_MEMORY)
		return mm_error_cause(err, status, "no memory for the settings");
	snprintf(field, sizeof(field), "%s.%s", setting->section, setting->key);
	mm_setting_allowed(setting, allowed);
	if (!types[setting->type].is_quotable)
		return mm_error_set(err, status, NULL, field, "%s must be %s", field, allowed);
	return mm_error_set(err, status, NULL, field, "%s must be %s, not \"%.*s\"", field, allowed,
			    QUOTED_MAX, value);
}
