#pragma once
#include <cstdint>

namespace ptfast {

// Descending order of the scores of each group. Equal scores come in the order of a certain unstable quicksort, read
// from its end, so that average precision equals the official evaluator's on every machine (see ptfast.ops.ranking).
// scores: [offsets[groups]], no NaN; offsets: [groups + 1]; order: [offsets[groups]], positions in scores
void rank_scores_cpu(const double* scores, const int64_t* offsets, int64_t groups, int64_t* order);

}  // namespace ptfast
