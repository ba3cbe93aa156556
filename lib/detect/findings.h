/*
 * findings: what a verdict rests on, place by place (floor 2, private to this folder).
 *
 * Own      the list lives in the reading's arena
 */
#ifndef MM_DETECT_FINDINGS_H
#define MM_DETECT_FINDINGS_H

#include "detect/resolve.h"

/*
 * Lists the rules' findings by position, at most MM_FINDINGS_MAX, the most severe of them. None is
 * more severe than `severity`: what the model overruled is lowered, or left out where the verdict
 * is no harassment. With `by_model` not 0, those categories, of the stretch that the model judges
 * by, make one more. There is room for one finding behind the last.
 */
enum mm_status mm_findings_list(struct mm_reading *reading, enum mm_severity severity,
				unsigned by_model, struct mm_harassment *result,
				struct mm_error *err);

/* The bytes of the plain view that the model judges by: its strongest stretch, widened to whole
 * clauses. False when the view is empty. */
bool mm_stretch_find(const struct mm_reading *reading, uint32_t *from_out, uint32_t *to_out);

#endif
