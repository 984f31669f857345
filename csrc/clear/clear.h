#pragma once
#include <cstdint>

namespace ptfast {

// Frame f holds the objects object_offsets[f] to object_offsets[f + 1], likewise the hypotheses. Object i's distances
// are pair_offsets[i] to pair_offsets[i + 1]; other pairs are forbidden. Sequence s holds the frames
// sequence_offsets[s] to sequence_offsets[s + 1].
struct ClearInputs {
  const double* distances;            // [p, k], not finite where a pair is forbidden
  const int64_t* pair_columns;        // [p] the hypotheses' rows, rising within an object
  const int64_t* object_ids;          // [n]
  const int64_t* hypothesis_ids;      // [m]
  const int64_t* object_offsets;      // [frames + 1]
  const int64_t* hypothesis_offsets;  // [frames + 1]
  const int64_t* pair_offsets;        // [n + 1]
  const int64_t* sequence_offsets;    // [sequences + 1]
  const uint8_t* object_present;      // [n, k], or null: everywhere
  const uint8_t* hypothesis_present;  // [m, k], or null
  int64_t sequences, k;
};

enum ClearEvent { kMatch, kSwitch, kMiss, kFalsePositive, kTransfer, kAscend, kMigrate, kClearEvents };

struct ClearOutputs {
  int64_t* matched;   // [n, k] row of the hypothesis that an object got; left as it is where it got none
  uint8_t* switched;  // [n, k] 1 where that is a switch; left as it is elsewhere
  int64_t* counts;    // [sequences, k, kClearEvents]
  double* sums;       // [sequences, k, 2] distances of matches and switches; of all events and admissible pairs
};

// CLEAR MOT matching of every sequence in every channel k, as py-motmetrics does it. An object keeps its last
// hypothesis where it can, in row order. The rest are assigned, as many pairs as possible and then the nearest, and of
// equally good assignments the one that SciPy's solver finds.
void clear_match_cpu(const ClearInputs& in, const ClearOutputs& out);

}  // namespace ptfast
