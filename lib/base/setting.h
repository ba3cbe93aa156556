/*
 * setting: one line of mamori.conf: its type, its range, its meaning (floor 0).
 *
 * Shape    struct mm_setting is a row of the const table in settings.c
 * Units    values are text, as in the file or the environment
 * Own      rows are static; text and path values are copied to the arena
 * Errors   MM_BAD_INPUT with "section.key: reason; allowed range"
 * Threads  any
 */
#ifndef MM_BASE_SETTING_H
#define MM_BASE_SETTING_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { MM_SETTING_ALLOWED = 160 };

enum mm_setting_type {
	MM_SETTING_TEXT,   /* const char *; min and max are its length in bytes */
	MM_SETTING_PATH,   /* the same, absolute; may be empty where min is 0 */
	MM_SETTING_I64,    /* int64_t from min to max */
	MM_SETTING_BOOL,   /* bool: yes or no */
	MM_SETTING_DOUBLE, /* double from min to max */
	MM_SETTING_ENUM,   /* an enum, stored as its index in choices */
	MM_SETTING__MAX
};

struct mm_setting {
	const char *section;
	const char *key;
	size_t offset; /* of the field in struct mm_settings */
	enum mm_setting_type type;
	const char *fallback;       /* the default, as it would be written in the file */
	int64_t min, max;           /* see the type; unused for bool and enum */
	const char *const *choices; /* enum only, ends in NULL */
	const char *summary;        /* one English sentence */
};

/*
 * Reads `value` as the setting says and stores it at `field_out`, whose C type is the one beside
 * the type above. MM_BAD_INPUT, MM_NO_MEMORY; `field_out` untouched then.
 */
enum mm_status mm_setting_parse(const struct mm_setting *setting, const char *value,
				void *field_out, struct mm_arena *arena, struct mm_error *err);

/* Writes what is allowed, such as "a whole number from 1 to 1024", and a NUL. */
void mm_setting_allowed(const struct mm_setting *setting, char out[MM_SETTING_ALLOWED]);

/* "text", "path", "integer", "boolean", "number" or "choice". */
const char *mm_setting_type_name(enum mm_setting_type type);

#endif
