/* recommendation.c: what to do at each severity, in the words of the ministry's manual: protect the
 * person, keep a record, do not stay alone with it. */
#include "config.h"

#include "detect/judge.h"

static const struct {
	const char *ja, *en;
} recommendations[MM_SEVERITY__MAX] = {
    [MM_SEVERITY_NONE] = {"", ""},
    [MM_SEVERITY_LOW] =
	{"お客様の不満や困りごとを受け止め、事実を確認し、解決策と見通しをお伝えください。",
	 "Acknowledge the complaint, check the facts, and say what will be done and by when."},
    [MM_SEVERITY_MEDIUM] =
	{"一人で対応せず上長に共有してください。応じられることと応じられないことを明確に伝え、"
	 "やり取りを記録してください。",
	 "Do not handle this alone: inform a supervisor. State clearly what can and cannot be "
	 "done, "
	 "and keep a record."},
    [MM_SEVERITY_HIGH] =
	{"上長または専任の担当者に引き継いでください。言動をやめるよう一度だけ伝え、続く場合は対応"
	 "を"
	 "終了し、記録を保存してください。",
	 "Hand over to a supervisor. Ask once that the behaviour stop; if it goes on, end the "
	 "contact and keep the record."},
    [MM_SEVERITY_CRITICAL] =
	{"直ちに対応を中断し、責任者に報告してください。記録を保全し、警察や弁護士への相談と従業員"
	 "の"
	 "安全確保を行ってください。",
	 "Stop at once and report to the person in charge. Preserve the record, consult the police "
	 "or a lawyer, and make sure that staff are safe."},
};

static bool is_known(enum mm_severity severity)
{
	return (int)severity >= 0 && severity < MM_SEVERITY__MAX;
}

const char *mm_recommendation_ja(enum mm_severity severity)
{
	return is_known(severity) ? recommendations[severity].ja : "";
}

const char *mm_recommendation_en(enum mm_severity severity)
{
	return is_known(severity) ? recommendations[severity].en : "";
}
