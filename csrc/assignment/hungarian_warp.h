#pragma once
#include "assignment/warp_costs.h"

// The algorithm of solver.h by one warp, a lane for one column or two, operation by operation, so that the result is
// the same bit for bit. A whole warp calls every function with equal arguments. A search needs one reduction of the
// warp a step, where a single thread would scan all columns.

namespace ptfast {

// Costs as pack_rows of packing.h gives them, and as moderate.h does. + 0 turns -0 into 0.
template <typename T>
struct PlainCosts {
  using Real = T;
  const WarpCosts<T>& in;
  __device__ __forceinline__ T operator()(int row, int column) const {
    const T cost = in.values[row * in.columns + column];
    return (cost <= in.max_cost ? cost : in.max_cost) + T(0);
  }
};
template <typename T>
struct ModerateCosts {
  using Real = double;
  const WarpCosts<T>& in;
  ModerateScale scale;
  __device__ __forceinline__ double operator()(int row, int column) const {
    const T cost = in.values[row * in.columns + column];
    return (is_moderate(cost, in.max_cost) ? static_cast<double>(cost) * scale.factor : scale.forbidden) + 0.0;
  }
};

// Problem of solver.h, rows <= columns, in registers: entry l + 32 s of every array in slot s of lane l.
template <typename Costs, int kSlots>
struct WarpSolver {
  using T = typename Costs::Real;
  const Costs& cost;
  const int rows, columns;
  T row_minimum[kSlots] = {}, column_dual[kSlots] = {}, row_dual[kSlots] = {}, distance[kSlots] = {};
  int column_of[kSlots], row_of[kSlots], previous[kSlots];
  unsigned matched[kSlots] = {};  // columns that have a row, the same in all lanes

  __device__ WarpSolver(const Costs& costs, int row_count, int column_count)
      : cost(costs), rows(row_count), columns(column_count) {
    for (int s = 0; s < kSlots; ++s) column_of[s] = row_of[s] = previous[s] = -1;
  }

  __device__ __forceinline__ void reduce_columns() {
    if (rows != columns) return;
    for (int s = 0; s < kSlots; ++s) {
      const int column = lane_number() + s * kWarp;
      if (column >= columns) continue;
      column_dual[s] = cost(0, column);
      for (int row = 1; row < rows; ++row) {
        const T other = cost(row, column);
        column_dual[s] = other < column_dual[s] ? other : column_dual[s];
      }
    }
  }

  // Fills `left`, the rows that found their nearest column taken.
  __device__ __forceinline__ void reduce_rows(unsigned (&left)[kSlots]) {
    for (int row = 0; row < rows; ++row) {
      Key<T> keys[kSlots];
      for (int s = 0; s < kSlots; ++s) {
        const int column = lane_number() + s * kWarp;
        keys[s] = column < columns ? key_of(cost(row, column) - column_dual[s] + T(0)) : kNoKey<T>;
      }
      const Key<T> low = lowest_of(keys);
      unsigned nearest[kSlots];
      for (int s = 0; s < kSlots; ++s) nearest[s] = __ballot_sync(kWholeWarp, keys[s] == low);
      const int column = first_bit(nearest);
      const T minimum = real_of_key<T>(low);
      set_held(row_minimum, row, minimum);
      if (has(matched, column)) {
        add(left, row);
        continue;
      }
      add(matched, column);
      set_held(column_of, row, column);
      set_held(row_of, column, row);
      set_held(row_dual, column, minimum);
    }
  }

  // Dijkstra's algorithm from row `root` to the nearest unmatched column, which it returns, at distance `reached`.
  __device__ __forceinline__ int nearest_unmatched(int root, T& reached) {
    unsigned closed[kSlots] = {};
    for (int s = 0; s < kSlots; ++s) distance[s] = kInfinity<T>;
    int row = root;
    T offset = -held(row_minimum, root);
    for (reached = T(0);;) {
      Key<T> keys[kSlots];
      for (int s = 0; s < kSlots; ++s) {
        const int column = lane_number() + s * kWarp;
        keys[s] = kNoKey<T>;
        if (column >= columns || (closed[s] >> lane_number() & 1) != 0) continue;
        const T sum = cost(row, column) - column_dual[s] + offset;
        const T length = sum > reached ? sum : reached;  // rounding must not lead back
        if (length < distance[s]) distance[s] = length, previous[s] = row;
        keys[s] = key_of(distance[s]);
      }
      const Key<T> low = lowest_of(keys);
      reached = real_of_key<T>(low);
      unsigned nearest[kSlots], unmatched[kSlots];
      for (int s = 0; s < kSlots; ++s) {
        nearest[s] = __ballot_sync(kWholeWarp, keys[s] == low);
        unmatched[s] = nearest[s] & ~matched[s];
      }
      const int found = first_bit(unmatched);
      if (found >= 0) return found;
      const int column = first_bit(nearest);
      add(closed, column);
      row = held(row_of, column);
      offset = reached - held(row_dual, column);
    }
  }

  // Restores the duals after a search that ended at `column`, and shifts the matching along its path to match `root`.
  __device__ __forceinline__ void augment(int root, int column, T reached) {
    for (int s = 0; s < kSlots; ++s) {
      const T lead = reached - distance[s], change = lead > T(0) ? lead : T(0);
      column_dual[s] -= change;
      row_dual[s] += change;
    }
    add(matched, column);
    for (;;) {
      const int row = held(previous, column), next = held(column_of, row);
      set_held(row_of, column, row);
      set_held(column_of, row, column);
      if (row == root) break;
      set_held(row_dual, column, held(row_dual, next));
      column = next;
    }
    set_held(row_dual, column, held(row_minimum, root) + reached);
  }

  __device__ __forceinline__ void solve() {
    unsigned left[kSlots] = {};
    reduce_columns();
    reduce_rows(left);
    for (int row = first_bit(left); row >= 0; row = first_bit(left)) {
      T reached;
      const int column = nearest_unmatched(row, reached);
      augment(row, column, reached);
      for (int s = 0; s < kSlots; ++s)
        if (row / kWarp == s) left[s] &= left[s] - 1;
    }
  }

 private:
  __device__ static bool has(const unsigned (&bits)[kSlots], int index) {
    return ((index < kWarp ? bits[0] : bits[kSlots - 1]) >> index % kWarp & 1) != 0;
  }
  __device__ static void add(unsigned (&bits)[kSlots], int index) {
    for (int s = 0; s < kSlots; ++s)
      if (index / kWarp == s) bits[s] |= 1u << index % kWarp;
  }
};

// Solves, and writes each row's column before forbidden pairs are taken out.
template <int kSlots, typename Costs>
__device__ __forceinline__ void solve_with(const Costs& cost, bool transposed, int (&partner)[kSlots]) {
  WarpSolver<Costs, kSlots> solver(cost, cost.in.rows, cost.in.columns);
  solver.solve();
  for (int s = 0; s < kSlots; ++s) partner[s] = transposed ? solver.row_of[s] : solver.column_of[s];
}

template <typename T>
__device__ __forceinline__ ModerateScale scale_of(const WarpCosts<T>& in) {
  Key<T> magnitude = key_of(T(0));
  for (int i = lane_number(); i < in.rows * in.columns; i += kWarp) {
    const T cost = in.values[i];
    const Key<T> key = key_of(cost < T(0) ? -cost : cost);
    if (is_moderate(cost, in.max_cost) && key > magnitude) magnitude = key;
  }
  return moderate_scale(real_of_key<T>(~warp_min(~magnitude)), in.max_cost, in.rows);
}

// The optimal assignment, by the contract of hungarian in assignment.h. `in` has rows <= columns, so a problem of more
// rows than columns comes transposed. `fits` is that of CostCheck, the same in all lanes.
// partner: for row lane + 32 s of the problem before it was transposed, its column or -1
template <int kSlots, typename T>
__device__ __forceinline__ void hungarian_warp(const WarpCosts<T>& in, bool transposed, bool fits,
                                               int (&partner)[kSlots]) {
  if (fits)
    solve_with(PlainCosts<T>{in}, transposed, partner);
  else
    solve_with(ModerateCosts<T>{in, scale_of(in)}, transposed, partner);
  for (int s = 0; s < kSlots; ++s) {
    const int own = lane_number() + s * kWarp;
    if (partner[s] >= 0 && !(transposed ? in.allows(partner[s], own) : in.allows(own, partner[s]))) partner[s] = -1;
  }
}

}  // namespace ptfast
