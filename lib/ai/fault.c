/* fault: the tables of what can go wrong; acts on none of it. */
#include "config.h"

#include "ai/fault.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	bool is_retryable;
	enum mm_fault_weight weight;
	enum mm_log_level level;
} faults[MM_FAULT__MAX] = {
    [MM_FAULT_NONE] = {"none", false, MM_WEIGHT_NONE, MM_LOG_DEBUG},
    [MM_FAULT_BREAKER] = {"breaker_open", false, MM_WEIGHT_NONE, MM_LOG_DEBUG},
    [MM_FAULT_BUSY] = {"busy", false, MM_WEIGHT_NONE, MM_LOG_INFO},
    [MM_FAULT_BUDGET] = {"budget", false, MM_WEIGHT_NONE, MM_LOG_INFO},
    [MM_FAULT_DEADLINE] = {"deadline", false, MM_WEIGHT_NONE, MM_LOG_INFO},
    [MM_FAULT_CONNECT] = {"connect", true, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_TLS] = {"tls", false, MM_WEIGHT_TRIP, MM_LOG_ERROR},
    [MM_FAULT_RESET] = {"reset", true, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_TIMEOUT] = {"timeout", false, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_OVERLOADED] = {"overloaded", true, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_LIMITED] = {"rate_limited", true, MM_WEIGHT_PAUSE, MM_LOG_WARNING},
    [MM_FAULT_QUOTA] = {"quota", false, MM_WEIGHT_TRIP, MM_LOG_ERROR},
    [MM_FAULT_KEY] = {"key", false, MM_WEIGHT_TRIP, MM_LOG_ERROR},
    [MM_FAULT_MODEL] = {"model", false, MM_WEIGHT_TRIP, MM_LOG_ERROR},
    [MM_FAULT_REDIRECT] = {"redirect", false, MM_WEIGHT_TRIP, MM_LOG_ERROR},
    [MM_FAULT_REJECTED] = {"rejected", false, MM_WEIGHT_NONE, MM_LOG_WARNING},
    [MM_FAULT_CUT] = {"cut", true, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_TOO_LONG] = {"too_long", false, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_INVALID] = {"invalid", false, MM_WEIGHT_FAILURE, MM_LOG_WARNING},
    [MM_FAULT_LANGUAGE] = {"language", false, MM_WEIGHT_NONE, MM_LOG_INFO},
    [MM_FAULT_UNACCEPTED] = {"unaccepted", false, MM_WEIGHT_NONE, MM_LOG_INFO},
};

static const struct {
	int status;
	enum mm_fault fault;
} statuses[] = {
    {200, MM_FAULT_NONE},     {400, MM_FAULT_REJECTED},   {401, MM_FAULT_KEY},
    {402, MM_FAULT_KEY},      {403, MM_FAULT_KEY},        {404, MM_FAULT_MODEL},
    {405, MM_FAULT_MODEL},    {408, MM_FAULT_OVERLOADED}, {409, MM_FAULT_OVERLOADED},
    {413, MM_FAULT_REJECTED}, {422, MM_FAULT_REJECTED},   {429, MM_FAULT_LIMITED},
};

/* What the providers call an error that comes inside a stream, after its 200. */
static const struct {
	const char *name;
	enum mm_fault fault;
} names[] = {
    {"overloaded_error", MM_FAULT_OVERLOADED},
    {"api_error", MM_FAULT_OVERLOADED},
    {"timeout_error", MM_FAULT_OVERLOADED},
    {"rate_limit_error", MM_FAULT_LIMITED},
    {"authentication_error", MM_FAULT_KEY},
    {"billing_error", MM_FAULT_KEY},
    {"permission_error", MM_FAULT_KEY},
    {"not_found_error", MM_FAULT_MODEL},
    {"invalid_request_error", MM_FAULT_REJECTED},
    {"request_too_large", MM_FAULT_REJECTED},
    {"UNAVAILABLE", MM_FAULT_OVERLOADED},
    {"INTERNAL", MM_FAULT_OVERLOADED},
    {"DEADLINE_EXCEEDED", MM_FAULT_OVERLOADED},
    {"RESOURCE_EXHAUSTED", MM_FAULT_LIMITED},
    {"PERMISSION_DENIED", MM_FAULT_KEY},
    {"UNAUTHENTICATED", MM_FAULT_KEY},
    {"NOT_FOUND", MM_FAULT_MODEL},
    {"INVALID_ARGUMENT", MM_FAULT_REJECTED},
    {"FAILED_PRECONDITION", MM_FAULT_REJECTED},
    {"server_error", MM_FAULT_OVERLOADED},
    {"rate_limit_exceeded", MM_FAULT_LIMITED},
    {"insufficient_quota", MM_FAULT_QUOTA},
};

const char *mm_fault_name(enum mm_fault fault)
{
	return faults[fault].name;
}

bool mm_fault_is_retryable(enum mm_fault fault)
{
	return faults[fault].is_retryable;
}

enum mm_fault_weight mm_fault_weight(enum mm_fault fault)
{
	return faults[fault].weight;
}

enum mm_log_level mm_fault_level(enum mm_fault fault)
{
	return faults[fault].level;
}

enum mm_fault mm_fault_of_http(int status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status)
			return statuses[i].fault;
	if (status >= 500)
		return MM_FAULT_OVERLOADED;
	if (status >= 400)
		return MM_FAULT_REJECTED;
	return status >= 300 ? MM_FAULT_REDIRECT : MM_FAULT_INVALID;
}

enum mm_fault mm_fault_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].fault;
	return MM_FAULT__MAX;
}
