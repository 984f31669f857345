#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace ptfast {

constexpr int kWord = 64;  // items that are settled among themselves, a bit each in a word of the mask

// Greedy suppression from the overlaps of n items, by descending score. Bit j of mask[i][w] is set where item i
// overlaps item 64 w + j by too much. Words before i's own are not read. An item's bit for itself is set where not all
// of its numbers are finite.
// mask: [n, ceil(n / 64)], order: [n] the items' indices, kept: [n] those of the kept ones, then -1
// status: [2], the number of kept items, and 1 where all numbers are finite, else 0
cudaError_t sweep_mask(const uint64_t* mask, const int64_t* order, int64_t n, int64_t* kept, int64_t* status,
                       void* stream);

}  // namespace ptfast
