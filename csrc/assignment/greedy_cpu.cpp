#include <algorithm>

#include "assignment/assignment.h"
#include "assignment/packing.h"
#include "common/simd.h"

namespace ptfast {
namespace {

// Rows carry the ordered bits of their lowest cost. Columns only disappear, so a row whose nearest column has gone
// keeps a lower bound of its cost, and is looked at again when it comes first.
template <typename T>
struct GreedyState {
  int64_t column_vectors, row_vectors;
  T* cost;            // [rows, column_vectors * kLanes], +inf where forbidden
  Integer<T>* taken;  // [column_vectors * kLanes], all ones where the column has a row
  Integer<T>* key;    // [row_vectors * kLanes], kHighest where the row has a column
  int32_t* nearest;   // [rows], column
};

// Finds a row's nearest free column, the lowest of equal ones.
template <typename T>
PTFAST_INLINE void find_nearest(const GreedyState<T>& state, int64_t row) {
  Lowest<T> lowest;
  Integers<T> number = lane_numbers<T>();
  for (int64_t v = 0; v < state.column_vectors; ++v, number += kLanes<T>) {
    const Integers<T> key = ordered<T>((Integers<T>)reals(state.cost)[row * state.column_vectors + v]);
    lowest.add(integers<T>(state.taken)[v] ? Integers<T>{} + kHighest<T> : key, number);
  }
  int64_t column;
  lowest.find(state.key[row], column);
  state.nearest[row] = static_cast<int32_t>(column);
}

// The row with the lowest key, the first of equal ones.
template <typename T>
PTFAST_INLINE int64_t first_row(const GreedyState<T>& state) {
  Lowest<T> lowest;
  Integers<T> number = lane_numbers<T>();
  for (int64_t v = 0; v < state.row_vectors; ++v, number += kLanes<T>) lowest.add(integers<T>(state.key)[v], number);
  Integer<T> key;
  int64_t row;
  lowest.find(key, row);
  return row;
}

// Takes the row with the lowest key again and again. Its nearest column is free, or the row is searched once more:
// lazily, so that a taken column costs no search for rows that never come first.
template <typename T>
PTFAST_INLINE bool match_greedily(const Costs<T>& costs, const GreedyState<T>& state, int64_t* column_of_row) {
  const bool valid = pack_rows(costs, reals(state.cost));
  for (int64_t v = 0; v < state.column_vectors; ++v) integers<T>(state.taken)[v] = Integers<T>{};
  for (int64_t v = 0; v < state.row_vectors; ++v) integers<T>(state.key)[v] = Integers<T>{} + kHighest<T>;
  for (int64_t row = 0; row < costs.rows; ++row) find_nearest(state, row);
  const Integer<T> forbidden = bits_of(kInfinity<T>);
  for (;;) {
    const int64_t row = first_row(state), column = state.nearest[row];
    if (state.key[row] >= forbidden) return valid;
    if (state.taken[column]) {
      find_nearest(state, row);
      continue;
    }
    column_of_row[row] = column;
    state.key[row] = kHighest<T>;
    state.taken[column] = -1;
  }
}

PTFAST_CLONES bool greedy_f32(const Costs<float>& costs, const GreedyState<float>& state, int64_t* column_of_row) {
  return match_greedily(costs, state, column_of_row);
}
PTFAST_CLONES bool greedy_f64(const Costs<double>& costs, const GreedyState<double>& state, int64_t* column_of_row) {
  return match_greedily(costs, state, column_of_row);
}
bool run(const Costs<float>& costs, const GreedyState<float>& state, int64_t* column_of_row) {
  return greedy_f32(costs, state, column_of_row);
}
bool run(const Costs<double>& costs, const GreedyState<double>& state, int64_t* column_of_row) {
  return greedy_f64(costs, state, column_of_row);
}

}  // namespace

template <typename T>
bool greedy(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row,
            AssignmentWorkspace<T>& workspace) {
  std::fill_n(column_of_row, n, int64_t(-1));
  if (n == 0 || m == 0) return true;
  GreedyState<T> state;
  state.column_vectors = vectors_for<T>(m), state.row_vectors = vectors_for<T>(n);
  const int64_t columns = state.column_vectors * kLanes<T>, rows = state.row_vectors * kLanes<T>;
  ScratchMemory& memory = workspace.solver;
  memory.reserve(memory.size_of<T>(n * columns) + memory.size_of<Integer<T>>(columns) +
                 memory.size_of<Integer<T>>(rows) + memory.size_of<int32_t>(n));
  state.cost = memory.take<T>(n * columns);
  state.taken = memory.take<Integer<T>>(columns);
  state.key = memory.take<Integer<T>>(rows);
  state.nearest = memory.take<int32_t>(n);
  const Costs<T> costs{cost, n, m, max_cost, kInfinity<T>, std::numeric_limits<T>::lowest(), kInfinity<T>};
  return run(costs, state, column_of_row);
}

template bool greedy(const float*, int64_t, int64_t, float, int64_t*, AssignmentWorkspace<float>&);
template bool greedy(const double*, int64_t, int64_t, double, int64_t*, AssignmentWorkspace<double>&);

}  // namespace ptfast
