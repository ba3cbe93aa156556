/* fusion.c: products of evidence and coefficients; what follows from them is harassment.c's. */
#include "config.h"

#include "detect/fusion.h"

#include <math.h>

double mm_fusion_odds(const struct mm_fusion *fusion, enum mm_model_output question,
		      const struct mm_evidence *evidence)
{
	const float *coefficients = fusion->coefficients[question];
	double odds = 0.0;

	for (int i = 0; i < MM_EVIDENCE__MAX; i++)
		odds += (double)coefficients[i] * evidence->items[i];
	return odds;
}

double mm_fusion_probability(double odds)
{
	return 1.0 / (1.0 + exp(-odds));
}
