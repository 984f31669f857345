#pragma once
#include "assignment/warp_costs.h"

namespace ptfast {

// Makes the pair of the lowest cost, then of the lowest row, then of the lowest column, until those left are forbidden.
// Each lane keeps the nearest free row of its columns and looks for another one when that is taken. Three reductions of
// the warp break ties: the lowest key, the lowest row among its lanes, the lowest column among those.
// partner: for row lane + 32 s, its column or -1
template <int kSlots, typename T>
__device__ __forceinline__ void greedy_warp(const WarpCosts<T>& in, int (&partner)[kSlots]) {
  Key<T> keys[kSlots];
  int nearest[kSlots];
  uint64_t free_rows = in.rows == 0 ? 0 : ~uint64_t{0} >> (64 - in.rows);
  const auto find_nearest = [&](int s) {
    keys[s] = kNoKey<T>;
    for (uint64_t rest = free_rows; rest != 0; rest &= rest - 1) {
      const int row = __ffsll(static_cast<long long>(rest)) - 1;
      const T cost = in.values[row * in.columns + lane_number() + s * kWarp];
      const Key<T> key = key_of(cost <= in.max_cost ? cost + T(0) : kInfinity<T>);
      if (key < keys[s]) keys[s] = key, nearest[s] = row;
    }
  };
  for (int s = 0; s < kSlots; ++s) {
    partner[s] = nearest[s] = -1;
    keys[s] = kNoKey<T>;
    if (lane_number() + s * kWarp < in.columns) find_nearest(s);
  }
  for (;;) {
    const Key<T> low = lowest_of(keys);
    if (low >= key_of(kInfinity<T>)) return;
    uint32_t rows[kSlots];
    for (int s = 0; s < kSlots; ++s) rows[s] = keys[s] == low ? static_cast<uint32_t>(nearest[s]) : ~0u;
    const auto row = static_cast<int>(lowest_of(rows));
    unsigned columns[kSlots];
    for (int s = 0; s < kSlots; ++s) columns[s] = __ballot_sync(kWholeWarp, keys[s] == low && nearest[s] == row);
    const int column = first_bit(columns);
    set_held(partner, row, column);
    free_rows &= ~(uint64_t{1} << row);
    for (int s = 0; s < kSlots; ++s) {
      if (lane_number() + s * kWarp == column)
        keys[s] = kNoKey<T>, nearest[s] = -1;
      else if (nearest[s] == row)
        find_nearest(s);
    }
  }
}

}  // namespace ptfast
