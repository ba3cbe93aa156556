/* bench_detect.c: what detection costs. Usage: bench_detect RULES_DIR MODEL_DIR [SECONDS]. Prints the load
 * times, the sizes, the median and mean time of messages of about 100 characters on one thread, and
 * the slowest of the awkward messages of 10,000 characters. It judges no verdicts. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "detect/detector.h"
#include "text/utf8.h"

enum { LONG_CHARACTERS = 10000, SAMPLES_MAX = 20000 };

/* Ordinary messages, complaints and abuse, as a support chat sees them: mostly harmless. */
static const char *const messages[] = {
    "先日そちらの通販サイトで購入した炊飯器についてお伺いしたいのですが、説明書に書かれている"
    "保温時間の目安が見当たりません。何時間くらいまで保温しても問題ないでしょうか。教えて"
    "いただけると助かります。",
    "注文番号 ORD-20931 の商品がまだ届いていません。追跡番号で確認すると三日前から営業所に保管中"
    "のままになっているようです。配送業者に問い合わせていただくか、再配達の手配をお願いできます"
    "でしょうか。よろしくお願いします。",
    "アプリのパスワードを忘れてしまい、再設定のメールを何度送っても届きません。迷惑メールフォルダ"
    "も確認しましたが見つかりませんでした。登録しているメールアドレスが古い可能性もあるので、変更"
    "する方法を教えてください。",
    "昨日電話で対応してくださった担当の方がとても丁寧で、こちらの要望を最後まで聞いてくれました。"
    "おかげさまで無事に返品の手続きが終わりました。本当にありがとうございました。またぜひ利用させて"
    "いただきたいと思います。",
    "もう三回も同じ説明をしています。そのたびに担当者が変わって最初から話をさせられるのは、正直かな"
    "り"
    "疲れます。履歴を残して引き継いでいただけないのでしょうか。早く解決してほしいです。今週中に"
    "ご回答ください。",
    "サイズを間違えて注文してしまったので、発送前であればキャンセルか変更をお願いしたいです。もし"
    "発送済みの場合は、届いてからの交換で構いません。送料がこちらの負担になるかどうかも併せて教えて"
    "いただけますか。",
    "いつまで待たせるんだ、いい加減にしろ。こっちは仕事を休んで待ってるんだぞ。お前らみたいな無能が"
    "対応してるから話が進まないんだろうが。責任者を出せ。今すぐ出せないなら本社に乗り込むからな、覚"
    "悟"
    "しておけよ。",
    "クレジットカードの明細を見たところ、同じ金額が二重に請求されているようです。9月12日と9月13日に"
    "それぞれ4,"
    "980円が引き落とされています。こちらの勘違いでなければ返金の手続きをお願いいたします。",
    "引っ越しに伴って住所変更の手続きをしたいのですが、マイページのどこから変更できるのか分かりませ"
    "ん。"
    "定期便の次回のお届けにも反映されるのか心配です。来週の火曜日には新居に移る予定なので急いで"
    "います。",
    "パソコンが急に動かなくなってしまって困っています。電源ボタンを押してもファンが回るだけで画面が"
    "真っ暗なままです。保証期間はまだ残っているはずなのですが、修理に出すときはデータを消した方が"
    "いいのでしょうか。",
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double rss_mib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	if (file) {
		if (fscanf(file, "%ld %ld", &size, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void must(enum mm_status status, const struct mm_error *err)
{
	if (status == MM_OK)
		return;
	fprintf(stderr, "bench_detect: %s %s\n", err->message, err->cause);
	exit(1);
}

static struct mm_detector *load(const char *dir, const char *model_dir)
{
	char cache[] = "/tmp/bench-detect-XXXXXX", command[64];
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;
	struct mm_detector *detector;
	double started = now_us(), compiled, cached;

	if (!mkdtemp(cache))
		exit(1);
	must(mm_rules_compile(dir, NULL, cache, &err), &err);
	compiled = now_us();
	must(mm_rules_load(dir, NULL, cache, &rules, &err), &err);
	cached = now_us();
	snprintf(command, sizeof(command), "rm -rf %s", cache);
	if (system(command) != 0)
		fprintf(stderr, "bench_detect: %s stays\n", cache);
	struct mm_rules_size size = mm_rules_size(rules);
	printf("rules %zu  patterns %zu  needles %zu + %zu  databases %zu KiB  programs %zu KiB\n",
	       size.rules, size.patterns, size.needles, size.squeezed_needles,
	       size.database_bytes / 1024, size.program_bytes / 1024);
	printf("compile %.0f ms  load from cache %.0f ms\n", (compiled - started) / 1e3,
	       (cached - compiled) / 1e3);
	must(mm_detector_new(rules, &detector, &err), &err);
	started = now_us();
	must(mm_detector_use_models(detector, model_dir, &err), &err);
	printf("load models %.1f ms\n", (now_us() - started) / 1e3);
	return detector;
}

static void detect(struct mm_detector *detector, const char *text, size_t length,
		   struct mm_arena *arena)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_analysis analysis;

	must(mm_detect(detector, text, length, NULL, &analysis, arena, &err), &err);
	mm_arena_reset(arena);
}

static void measure_ordinary(struct mm_detector *detector, struct mm_arena *arena, double seconds)
{
	static double samples[SAMPLES_MAX];
	size_t count = 0, kinds = sizeof(messages) / sizeof(messages[0]), characters = 0;
	double deadline = now_us() + seconds * 1e6, total = 0.0;

	for (size_t i = 0; i < kinds; i++)
		characters += mm_utf8_count(messages[i], strlen(messages[i]));
	while (count < SAMPLES_MAX && (count < 1000 || now_us() < deadline)) {
		double started = now_us();

		for (size_t i = 0; i < kinds; i++)
			detect(detector, messages[i], strlen(messages[i]), arena);
		samples[count] = (now_us() - started) / (double)characters * 100.0;
		total += samples[count++];
	}
	qsort(samples, count, sizeof(samples[0]), by_value);
	printf("100 characters: best tenth %.2f us  median %.2f us  mean %.2f us  p99 %.2f us\n",
	       samples[count / 10], samples[count / 2], total / (double)count,
	       samples[count * 99 / 100]);
}

/* Repeats `unit` to 10,000 characters. */
static void measure_long(struct mm_detector *detector, struct mm_arena *arena, const char *unit)
{
	size_t unit_length = strlen(unit), unit_count = mm_utf8_count(unit, unit_length);
	size_t times = LONG_CHARACTERS / unit_count + 1, length = 0;
	char *text = malloc(unit_length * times + 1);
	double best = 1e18;

	if (!text)
		exit(1);
	for (size_t i = 0; i < times; i++, length += unit_length)
		memcpy(text + length, unit, unit_length);
	length = mm_utf8_offset(text, length, LONG_CHARACTERS);
	for (int i = 0; i < 3; i++) {
		double started = now_us(), took;

		detect(detector, text, length, arena);
		took = now_us() - started;
		if (took < best)
			best = took;
	}
	printf("10,000 characters of %-24.24s %7.2f ms\n", unit, best / 1e3);
	free(text);
}

int main(int argc, char **argv)
{
	static const char *const units[] = {
	    "あ", "ー", "の", "a ", "バカ", "ば・か、", "お前", "お前は無能。", "死ね", "「", "!?",
	    "1", "殺すぞと言われました", "カスタマー", "とても丁寧な対応でした。", "責任者を出せ",
	    "ばぁーーか", "ゃ", "😀", "いつまで待たせるんだ、いい加減にしろ、お前ら、責任者",
	    /* disguises: masks, look-alikes, spellings, both ways */
	    "○", "*", "死○", "○バ", "バ○カ*a○", "f*", "4@$!13", "a4", "k1ll y0u ", "іdіоt ",
	    "ⓢⓗⓘⓝⓔ", "タヒね力スﾀﾋ", "ころす", "k o r o s u ", "kakorosu", "ねしかば",
	    "氏ね4ね56す"};
	struct mm_detector *detector;
	struct mm_arena *arena = mm_arena_new(0);

	if (argc < 3 || !arena) {
		fprintf(stderr, "usage: bench_detect RULES_DIR MODEL_DIR [SECONDS]\n");
		return 2;
	}
	detector = load(argv[1], argv[2]);
	measure_ordinary(detector, arena, argc > 3 ? atof(argv[3]) : 2.0);
	printf("resident %.1f MiB\n", rss_mib());
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		measure_long(detector, arena, units[i]);
	mm_detector_free(detector);
	mm_arena_free(arena);
	return 0;
}
