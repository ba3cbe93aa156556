/* labels.c: the name tables and the risk matrix. No judgement is made here. */
#include "config.h"

#include "detect/labels.h"

#include <string.h>

static const char *const severity_names[MM_SEVERITY__MAX] = {
    [MM_SEVERITY_NONE] = "none",         [MM_SEVERITY_LOW] = "low",
    [MM_SEVERITY_MEDIUM] = "medium",     [MM_SEVERITY_HIGH] = "high",
    [MM_SEVERITY_CRITICAL] = "critical",
};

static const char *const category_names[MM_CATEGORY__MAX] = {
    [MM_CATEGORY_THREAT] = "threat",
    [MM_CATEGORY_VERBAL_ABUSE] = "verbal_abuse",
    [MM_CATEGORY_DEFAMATION] = "defamation",
    [MM_CATEGORY_INTIMIDATION] = "intimidation",
    [MM_CATEGORY_EXPOSURE_THREAT] = "exposure_threat",
    [MM_CATEGORY_DOGEZA_DEMAND] = "dogeza_demand",
    [MM_CATEGORY_PERSISTENCE] = "persistence",
    [MM_CATEGORY_RESTRAINT] = "restraint",
    [MM_CATEGORY_DISCRIMINATION] = "discrimination",
    [MM_CATEGORY_SEXUAL] = "sexual",
    [MM_CATEGORY_PERSONAL_ATTACK] = "personal_attack",
    [MM_CATEGORY_EXCESSIVE_DEMAND] = "excessive_demand",
};

/* For people: Japanese, English. */
static const char *const category_labels[MM_CATEGORY__MAX][2] = {
    [MM_CATEGORY_THREAT] = {"脅迫・身体的な攻撃の予告", "threat or announced physical attack"},
    [MM_CATEGORY_VERBAL_ABUSE] = {"侮辱・暴言・人格否定", "insult or verbal abuse"},
    [MM_CATEGORY_DEFAMATION] = {"中傷・名誉毀損", "defamation"},
    [MM_CATEGORY_INTIMIDATION] = {"威圧的な言動", "intimidation"},
    [MM_CATEGORY_EXPOSURE_THREAT] = {"SNS・報道への暴露をほのめかす威迫", "threat to expose"},
    [MM_CATEGORY_DOGEZA_DEMAND] = {"土下座の要求", "demand to kneel"},
    [MM_CATEGORY_PERSISTENCE] = {"継続的・執拗な言動", "persistence"},
    [MM_CATEGORY_RESTRAINT] = {"拘束的な行動", "detaining the worker"},
    [MM_CATEGORY_DISCRIMINATION] = {"差別的な言動", "discrimination"},
    [MM_CATEGORY_SEXUAL] = {"性的な言動", "sexual remark"},
    [MM_CATEGORY_PERSONAL_ATTACK] = {"従業員個人への攻撃・要求", "attack on a worker in person"},
    [MM_CATEGORY_EXCESSIVE_DEMAND] = {"過剰な要求", "excessive demand"},
};

static const char *const sentiment_names[MM_SENTIMENT__MAX] = {
    [MM_SENTIMENT_POSITIVE] = "positive",
    [MM_SENTIMENT_NEUTRAL] = "neutral",
    [MM_SENTIMENT_NEGATIVE] = "negative",
    [MM_SENTIMENT_ANGER] = "anger",
};

static const char *const signal_names[MM_SIGNAL__MAX] = {
    [MM_SIGNAL_URGENT] = "urgent",
    [MM_SIGNAL_LEGAL_MENTION] = "legal_mention",
    [MM_SIGNAL_CHURN] = "churn",
    [MM_SIGNAL_SELF_HARM] = "self_harm",
    [MM_SIGNAL_ACCOMMODATION] = "accommodation",
    [MM_SIGNAL_INJECTION] = "injection",
    [MM_SIGNAL_PII_PRESENT] = "pii_present",
    [MM_SIGNAL_HUMAN_REQUESTED] = "human_requested",
};

static const char *const intent_names[MM_INTENT__MAX] = {
    [MM_INTENT_SHIPPING] = "shipping", [MM_INTENT_RETURNS] = "returns",
    [MM_INTENT_DEFECT] = "defect",     [MM_INTENT_ACCOUNT] = "account",
    [MM_INTENT_BILLING] = "billing",   [MM_INTENT_GREETING] = "greeting",
    [MM_INTENT_THANKS] = "thanks",     [MM_INTENT_COMPLAINT] = "complaint",
};

static const char *const intent_issues[MM_INTENT__MAX] = {
    [MM_INTENT_SHIPPING] = "配送", [MM_INTENT_RETURNS] = "返品・返金",
    [MM_INTENT_DEFECT] = "品質",   [MM_INTENT_ACCOUNT] = "アカウント",
    [MM_INTENT_BILLING] = "料金",  [MM_INTENT_GREETING] = NULL,
    [MM_INTENT_THANKS] = NULL,     [MM_INTENT_COMPLAINT] = "対応不満",
};

/* Rows: severity. Columns: positive, neutral, negative, anger. */
static const enum mm_severity risk_matrix[MM_SEVERITY__MAX][MM_SENTIMENT__MAX] = {
    [MM_SEVERITY_NONE] = {MM_SEVERITY_NONE, MM_SEVERITY_NONE, MM_SEVERITY_LOW, MM_SEVERITY_MEDIUM},
    [MM_SEVERITY_LOW] = {MM_SEVERITY_LOW, MM_SEVERITY_LOW, MM_SEVERITY_MEDIUM, MM_SEVERITY_MEDIUM},
    [MM_SEVERITY_MEDIUM] = {MM_SEVERITY_LOW, MM_SEVERITY_MEDIUM, MM_SEVERITY_MEDIUM,
			    MM_SEVERITY_HIGH},
    [MM_SEVERITY_HIGH] = {MM_SEVERITY_MEDIUM, MM_SEVERITY_HIGH, MM_SEVERITY_HIGH,
			  MM_SEVERITY_CRITICAL},
    [MM_SEVERITY_CRITICAL] = {MM_SEVERITY_HIGH, MM_SEVERITY_CRITICAL, MM_SEVERITY_CRITICAL,
			      MM_SEVERITY_CRITICAL},
};

static const char *name_at(const char *const *names, int max, int value)
{
	return value >= 0 && value < max ? names[value] : "";
}

static int find_name(const char *const *names, int max, const char *name, size_t length)
{
	for (int value = 0; value < max; value++)
		if (strlen(names[value]) == length && memcmp(names[value], name, length) == 0)
			return value;
	return -1;
}

const char *mm_severity_name(enum mm_severity severity)
{
	return name_at(severity_names, MM_SEVERITY__MAX, (int)severity);
}

bool mm_severity_parse(const char *name, size_t length, enum mm_severity *out)
{
	int value = find_name(severity_names, MM_SEVERITY__MAX, name, length);

	if (value < 0)
		return false;
	*out = (enum mm_severity)value;
	return true;
}

const char *mm_category_name(enum mm_category category)
{
	return name_at(category_names, MM_CATEGORY__MAX, (int)category);
}

const char *mm_category_label_ja(enum mm_category category)
{
	return (int)category >= 0 && category < MM_CATEGORY__MAX ? category_labels[category][0]
								 : "";
}

const char *mm_category_label_en(enum mm_category category)
{
	return (int)category >= 0 && category < MM_CATEGORY__MAX ? category_labels[category][1]
								 : "";
}

bool mm_category_parse(const char *name, size_t length, enum mm_category *out)
{
	int value = find_name(category_names, MM_CATEGORY__MAX, name, length);

	if (value < 0)
		return false;
	*out = (enum mm_category)value;
	return true;
}

const char *mm_sentiment_name(enum mm_sentiment sentiment)
{
	return name_at(sentiment_names, MM_SENTIMENT__MAX, (int)sentiment);
}

bool mm_sentiment_parse(const char *name, size_t length, enum mm_sentiment *out)
{
	int value = find_name(sentiment_names, MM_SENTIMENT__MAX, name, length);

	if (value < 0)
		return false;
	*out = (enum mm_sentiment)value;
	return true;
}

const char *mm_signal_name(enum mm_signal signal)
{
	return name_at(signal_names, MM_SIGNAL__MAX, (int)signal);
}

bool mm_signal_parse(const char *name, size_t length, enum mm_signal *out)
{
	int value = find_name(signal_names, MM_SIGNAL__MAX, name, length);

	if (value < 0)
		return false;
	*out = (enum mm_signal)value;
	return true;
}

const char *mm_intent_name(enum mm_intent intent)
{
	return name_at(intent_names, MM_INTENT__MAX, (int)intent);
}

const char *mm_intent_issue_ja(enum mm_intent intent)
{
	return (int)intent >= 0 && intent < MM_INTENT__MAX ? intent_issues[intent] : NULL;
}

bool mm_intent_parse(const char *name, size_t length, enum mm_intent *out)
{
	int value = find_name(intent_names, MM_INTENT__MAX, name, length);

	if (value < 0)
		return false;
	*out = (enum mm_intent)value;
	return true;
}

enum mm_severity mm_risk_combine(enum mm_severity severity, enum mm_sentiment sentiment)
{
	if ((int)severity < 0 || severity >= MM_SEVERITY__MAX || (int)sentiment < 0 ||
	    sentiment >= MM_SENTIMENT__MAX)
		return MM_SEVERITY_NONE;
	return risk_matrix[severity][sentiment];
}
