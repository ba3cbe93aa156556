/* fuzz_detect.c: any bytes as a message, with the rules of the folder in MM_FUZZ_RULES (else a few
 * of its own). Checks what every analysis promises: places inside the message and in order, scores
 * that sum to one, the same answer twice. The rows of tests/detect are good seeds. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/order_number.h"
#include "text/utf8.h"
#include "replay.h"

static const char own_rules[] =
    "[a]\nkind = harassment\nseverity = critical\ncategory = threat\npattern = 殺す(ぞ|よ)?\n"
    "pattern = お前 ~ (死|し)ね ~~ よ\nguard = プロセスを殺す\nunless = quote\n"
    "[b]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\npattern = バカ|アホ+|ks\n"
    "pattern = [あ-ん]{3}だよ\nguard = バカンス\n"
    "[c]\nkind = context\ncontext = quote\nside = around\nwithin = 9\npattern = と言\n"
    "[e]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\nsqueeze = hidden\n"
    "requires = quote\npattern = カス|idiot|殺す\n"
    "[f]\nkind = context\ncontext = confirm\nwithin = 9\npattern = この\n"
    "[d]\nkind = sentiment\nsentiment = negative\npattern = [0-9]{2,}円|困.*る\n";

static const char own_table[] =
    "[letters]\na = 4 @ а\ni = 1 ! |\no = 0\ns = 5 $\n[masks]\n○ * # _\n[masked]\nカス idiot 殺す\n"
    "[after]\nよ や\n[keep]\nm1d\n[words]\nカス = ?力ス <かす\n殺す = 56す ころ💀\nの = +no\n"
    "[short]\nyou = yew\n[readings]\n殺す = ?ころす こ_ろ_す\n"
    "[romaji]\nか = ka ca\nす = su\nこ = ko\nろ = ro lo\nの = no\n";

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static struct mm_rules *make_rules(void)
{
	char folder[] = "/tmp/mamori-fuzz-XXXXXX", path[64], table[64];
	const char *shipped = getenv("MM_FUZZ_RULES");
	struct mm_rules *rules;
	struct mm_error err = {.status = MM_OK};

	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/a.rules", folder);
	snprintf(table, sizeof(table), "%s/a.disguise", folder);
	write_file(path, own_rules);
	write_file(table, own_table);
	if (mm_rules_load(shipped ? shipped : folder, NULL, NULL, &rules, &err) != MM_OK) {
		fprintf(stderr, "%s %s\n", err.message, err.cause);
		abort();
	}
	remove(path);
	remove(table);
	remove(folder);
	return rules;
}

static void must(int is_true)
{
	if (!is_true)
		abort();
}

static void check(const struct mm_analysis *analysis, const char *text, size_t length)
{
	const struct mm_harassment *harassment = &analysis->harassment;
	size_t count = mm_utf8_count(text, length), before = 0;
	double sum = 0.0;

	must(harassment->finding_count <= MM_FINDINGS_MAX + 1);
	for (size_t i = 0; i < harassment->finding_count; i++) {
		const struct mm_finding *finding = &harassment->findings[i];

		must(finding->start >= before && finding->start < finding->end &&
		     finding->end <= count);
		must(finding->text == text + mm_utf8_offset(text, length, finding->start));
		must(finding->text + finding->text_length ==
		     text + mm_utf8_offset(text, length, finding->end));
		must(finding->severity <= harassment->severity);
		before = finding->start;
	}
	for (int i = 0; i < MM_SENTIMENT__MAX; i++)
		sum += analysis->sentiment.scores[i];
	must(fabs(sum - 1.0) < 1e-9);
	must(harassment->confidence >= 0.5 && harassment->confidence <= 0.99);
	must(harassment->is_harassment == (harassment->severity >= MM_SEVERITY_MEDIUM));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mm_detector *detector;
	static struct mm_arena *arena;
	const char *text = (const char *)data;
	struct mm_analysis first, second;
	struct mm_order_number *orders;
	size_t order_count;
	struct mm_error err = {.status = MM_OK};

	if (!detector) {
		arena = mm_arena_new(0);
		must(mm_detector_new(make_rules(), &detector, &err) == MM_OK);
	}
	mm_arena_reset(arena);
	if (!mm_utf8_is_valid(text, size, NULL)) {
		must(mm_detect(detector, text, size, NULL, &first, arena, &err) == MM_BAD_INPUT);
		return 0;
	}
	struct mm_past_message message = {
	    .text = text, .length = size, .utc_ms = 1000, .is_customer = true};
	const struct mm_past past = {&message, 1, 2000};
	must(mm_detect(detector, text, size, NULL, &first, arena, &err) == MM_OK);
	must(mm_detect(detector, text, size, &past, &second, arena, &err) == MM_OK);
	check(&first, text, size);
	check(&second, text, size);
	must(first.harassment.finding_count == second.harassment.finding_count);
	must(mm_order_number_find(text, size, &orders, &order_count, arena, &err) == MM_OK);
	for (size_t i = 0; i < order_count; i++)
		must(orders[i].start < orders[i].end && orders[i].end <= size);
	return 0;
}
