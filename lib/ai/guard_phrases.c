/* guard_phrases: the table. Words stand here as folding makes them. */
#include "config.h"

#include "ai/guard_phrases.h"

#define JA_DOES                                                                                                                        \
	"いたします|致します|します|させていただきます|させて頂きます|いたしました|致しました|" \
	"しました|させていただきました|お約束|保証|確約|承りました|手配済|完了し|できます|"        \
	"可能です|対象です|お受けします|受けられます|お支払い|差し上げ|進呈|付与|お送り|お渡し|" \
	"お付け|発行"
/* Between the two: it is only looked into, explained or refused. */
#define JA_LOOKS                                                                                                                   \
	"案内|確認|説明|可否|方法|相談|担当|検討|について|に関|規定|希望|調査|審査|問い合わせ|" \
	"お調べ|転送|引き継|つきまして|お伝え|お答え|連絡|条件|ぽりしー|ません|かね|申請|"       \
	"手続きは|受け付け|どうか"
#define JA_CONDITION                                                                                                          \
	"場合|であれば|かどうか|可能性|でしたら|次第|ご覧|かもしれ|いただければ|頂ければ|" \
	"いただくと"
#define EN_WILL                                                                                           \
	"we will|we'll|we’ll|i will|i'll|i’ll|we have|we've|we’ve|i have|i've|i’ve|we can|i can|" \
	"you will get|you'll get|you will receive|you'll receive|you will be|guarantee|"                  \
	"we promise|i promise|"                                                                           \
	"you are entitled to|we are going to|we are happy to|i am happy to|we're happy to|"               \
	"let me|going to|we are sending|we are issuing|i am issuing|i'm issuing"
#define EN_LOOKS                                                                                      \
	"check|look into|review|ask|pass|forward|tell|explain|whether|if |about|regarding|"           \
	"escalat|cannot|can't|can’t|not |n't|n’t|policy|policies|how |team|connect|request|find " \
	"out|see |someone|colleague|note|information|help you with|options|status"
#define EN_CONDITION                                                                               \
	"cannot |can't |can’t |if |whether|may |might|could |depend|eligib|unless|once "

const struct mm_guard_phrase mm_guard_phrases[] = {
    /* code, first, second, gap, between, unless */
    {MM_GUARD_REFUND,
     "返金|払い戻し|払戻し|払戻|全額お返し|全額をお返し|代金をお返し|代金をお戻し|料金をお返し|"
     "ご返却代金",
     JA_DOES, 48, JA_LOOKS, JA_CONDITION},
    {MM_GUARD_REFUND,
     "全額お返しします|全額お返しいたします|代金をお返しします|お金はお返しし|"
     "代金をお返しいたします|お金をお返しし|お金をお返しいたし",
     NULL, 0, NULL, JA_CONDITION},
    {MM_GUARD_REFUND, EN_WILL, "refund|money back|reimburse|return your money|give you back", 48,
     EN_LOOKS, EN_CONDITION},
    {MM_GUARD_REFUND, "refund|reimbursement|money",
     "has been issued|has been processed|has been approved|is approved|is guaranteed|"
     "will be issued|will be processed|will be paid|will be sent|is on its way|will arrive|"
     "will be returned|will be credited|has been credited",
     40, EN_LOOKS, EN_CONDITION},
    {MM_GUARD_COMPENSATION,
     "補償|賠償|弁償|慰謝料|お詫びの品|見舞金|迷惑料|くーぽん|割引|値引き|お値引|ぽいんとを|"
     "ぎふとかーど|商品券|金券|無償で交換|送料を無料|料金を無料|半額",
     JA_DOES, 48, JA_LOOKS, JA_CONDITION},
    {MM_GUARD_COMPENSATION, EN_WILL,
     "compensat|pay you|pay for the damage|cover the damage|cover the cost|discount|voucher|"
     "coupon|gift card|store credit|credit your account|free of charge|waive|for free",
     48, EN_LOOKS, EN_CONDITION},
    {MM_GUARD_COMPENSATION, "compensation|damages|discount|voucher|gift card|store credit",
     "has been issued|has been approved|has been added|will be added|will be issued|"
     "will be paid|is guaranteed",
     40, EN_LOOKS, EN_CONDITION},
    {MM_GUARD_LEGAL,
     "法的責任|法的な責任|法的に責任|違法です|違法には|違法では|違法と|合法です|法律違反|法令違反|"
     "訴えることが|訴訟を起こ|告訴でき|提訴でき|弊社の過失|当社の過失|弊社に過失|当社に過失|"
     "弊社に責任が|当社に責任が|責任を認め|過失を認め|弊社の責任です|当社の責任です|裁判で|"
     "裁判を起こ|法律上|法的には|法的に有効|法的に問題|消費者契約法により|民法上|民法により|"
     "製造物責任法により|くーりんぐおふできます|くーりんぐおふが可能|損害賠償を請求|"
     "契約は無効|契約違反です|債務不履行",
     NULL, 0, NULL,
     "お答えでき|判断でき|判断いたし|申し上げられ|わかりかね|分かりかね|ご案内でき|いたしかね|"
     "できかね|弁護士|専門家|法律相談|てらす"},
    {MM_GUARD_LEGAL,
     "legally liable|legally responsible|legal liability|admit liability|accept liability|"
     "we are liable|our liability|we are at fault|we were negligent|our negligence|"
     "it is illegal|it's illegal|is unlawful|is against the law|is legal|you can sue|"
     "you could sue|you have the right to sue|you may sue|take us to court|take legal action|"
     "you have a legal right|your legal rights|under the law|by law|as a matter of law|"
     "breach of contract|the contract is void|in court|legally entitled|my legal advice",
     NULL, 0, NULL,
     "cannot|can't|can’t|unable|not able|lawyer|attorney|legal professional|legal advisor"},
};

const size_t mm_guard_phrase_count = sizeof(mm_guard_phrases) / sizeof(mm_guard_phrases[0]);
