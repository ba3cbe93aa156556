/* test_reply_check: languages told by their letters, and where the last sentence ends. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "ai/reply_check.h"

static const struct {
	const char *question, *reply;
	bool want;
} pairs[] = {
    {"荷物はどこですか", "お調べいたします。少々お待ちください。", true},
    {"荷物はどこですか", "We will look into it for you.", false},
    {"荷物はどこですか", "您好，感谢您的咨询，我们会尽快为您确认。", false},
    {"荷物はどこですか", "안녕하세요 문의해 주셔서 감사합니다", false},
    {"荷物はどこですか", "ORD-12345", true},
    {"荷物はどこですか", "https://example.com/ をご覧ください。商品名は Mamori Pro Max です。",
     true},
    {"返品希望 ORD-1", "ご返品を承ります。詳しくお聞かせください。", true},
    {"返品希望", "您好，感谢您的咨询，我们会尽快为您确认。", true},
    {"Where is my parcel?", "We will look into it for you.", true},
    {"Where is my parcel?", "お調べいたします。少々お待ちください。", false},
    {"Where is my 荷物?", "We will look into your 荷物 at once.", true},
    {"¿Dónde está mi paquete?", "Vamos a buscar su paquete.", true},
    {"안녕하세요, 제 소포는 어디에 있나요?", "We will look into it for you.", false},
    {"12345", "We will look into it for you.", true},
    {"", "We will look into it for you.", true},
};

static void language__each_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (mm_reply_matches_language(pairs[i].question, strlen(pairs[i].question),
					      pairs[i].reply,
					      strlen(pairs[i].reply)) != pairs[i].want)
			fail_msg("%s: %s", pairs[i].question, pairs[i].reply);
}

static const struct {
	const char *text, *want;
} sentences[] = {
    {"一文目です。二文目の", "一文目です。"},
    {"本当ですか？はい！でも", "本当ですか？はい！"},
    {"First. Second is not", "First."},
    {"- one\n- two\n- thr", "- one\n- two\n"},
    {"whole.", "whole."},
    {"no end", ""},
    {"", ""},
};

static void sentences__each_text__is_cut_after_the_last_whole_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
		const char *text = sentences[i].text;
		if (mm_reply_whole_sentences(text, strlen(text)) != strlen(sentences[i].want))
			fail_msg("%s", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(language__each_pair),
	    cmocka_unit_test(sentences__each_text__is_cut_after_the_last_whole_one),
	};
	return cmocka_run_group_tests_name("reply_check", tests, NULL, NULL);
}
