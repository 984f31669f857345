#pragma once
#include "assignment/lanes.h"
#include "assignment/packing.h"
#include "assignment/scratch.h"

namespace ptfast {

// Matches all rows at the least cost by shortest augmenting paths over reduced costs (Jonker and Volgenant 1987, Crouse
// 2016): cost - row dual - column dual is never negative, and 0 for matched pairs. Arrays are indexed by column, so
// that each step of a search is one pass of vectors over all columns.
template <typename T>
struct Problem {
  int64_t rows, columns;  // rows <= columns
  int64_t vectors;        // of kLanes columns
  T* cost;                // [rows, vectors * kLanes], finite, +inf beyond the columns
  T* row_minimum;         // [rows]
  int32_t* column;        // [rows], matched with the row, or -1
  // One entry a column, [vectors * kLanes]:
  T* column_dual;
  T* row_dual;           // of the row matched with it
  T* distance;           // from the row that seeks a column
  Integer<T>* row;       // matched with it, or -1
  Integer<T>* previous;  // the row before it on the shortest path
  Integer<T>* closed;    // kHighest where the distance is final, else 0
  Integer<T>* label;     // its number, plus kMatched: of equally near columns an unmatched one goes first
};

constexpr int32_t kMatched = 1 << 30;

template <typename T>
Problem<T> make_problem(int64_t rows, int64_t columns, ScratchMemory& memory) {
  Problem<T> p{};
  p.rows = rows, p.columns = columns, p.vectors = vectors_for<T>(columns);
  const int64_t width = p.vectors * kLanes<T>;
  memory.reserve(memory.size_of<T>(rows * width) + memory.size_of<T>(rows) + memory.size_of<int32_t>(rows) +
                 7 * memory.size_of<T>(width));
  p.cost = memory.take<T>(rows * width);
  p.row_minimum = memory.take<T>(rows);
  p.column = memory.take<int32_t>(rows);
  for (T** array : {&p.column_dual, &p.row_dual, &p.distance}) *array = memory.take<T>(width);
  for (Integer<T>** array : {&p.row, &p.previous, &p.closed, &p.label}) *array = memory.take<Integer<T>>(width);
  return p;
}

// Makes each column's lowest reduced cost 0. Only where every column gets a row: others must keep a dual of 0.
template <typename T>
PTFAST_INLINE void reduce_columns(const Problem<T>& p) {
  const Reals<T>* cost = reals(p.cost);
  Reals<T>* dual = reals(p.column_dual);
  const bool square = p.rows == p.columns;
  for (int64_t v = 0; v < p.vectors; ++v) dual[v] = square ? cost[v] : Reals<T>{};
  if (!square) return;
  for (int64_t i = 1; i < p.rows; ++i) {
    cost += p.vectors;
    for (int64_t v = 0; v < p.vectors; ++v) dual[v] = cost[v] < dual[v] ? cost[v] : dual[v];
  }
  for (int64_t j = p.columns; j < p.vectors * kLanes<T>; ++j) p.column_dual[j] = T(0);
}

// Matches each row with its nearest column unless an earlier row has it. Returns the number of rows left, which are few
// in a tracker's problems: only those need a search.
template <typename T>
PTFAST_INLINE int64_t reduce_rows(const Problem<T>& p) {
  const Reals<T>*cost = reals(p.cost), *dual = reals(p.column_dual);
  int64_t left = 0;
  for (int64_t v = 0; v < p.vectors; ++v) integers<T>(p.row)[v] = ~Integers<T>{};
  for (int64_t i = 0; i < p.rows; ++i, cost += p.vectors) {
    Lowest<T> lowest;
    Integers<T> number = lane_numbers<T>();
    for (int64_t v = 0; v < p.vectors; ++v, number += kLanes<T>)
      lowest.add(ordered<T>((Integers<T>)(cost[v] - dual[v] + T(0))), number);
    Integer<T> low;
    int64_t nearest;
    lowest.find(low, nearest);
    const bool taken = p.row[nearest] >= 0;
    p.row_minimum[i] = real_of<T>(ordered<T>(low));
    p.column[i] = taken ? -1 : static_cast<int32_t>(nearest);
    left += taken;
    if (taken) continue;
    p.row[nearest] = static_cast<Integer<T>>(i);
    p.row_dual[nearest] = p.row_minimum[i];
  }
  return left;
}

// Labels by which a search orders equally near columns: its number, plus kMatched where the column has a row.
template <typename T>
PTFAST_INLINE void label_columns(const Problem<T>& p) {
  Integers<T> number = lane_numbers<T>();
  for (int64_t v = 0; v < p.vectors; ++v, number += kLanes<T>)
    integers<T>(p.label)[v] = integers<T>(p.row)[v] < 0 ? number : number + kMatched;
}

// Dijkstra's algorithm from row `root` to the nearest unmatched column, which it returns, at distance `reached`. Each
// step relaxes all columns from one row and finds the nearest open one in the same pass. A closed column has the
// highest key, so it is never found again.
template <typename T>
PTFAST_INLINE int64_t nearest_unmatched(const Problem<T>& p, int64_t root, T& reached) {
  const Reals<T>* dual = reals(p.column_dual);
  Reals<T>* distance = reals(p.distance);
  Integers<T>*previous = integers<T>(p.previous), *closed = integers<T>(p.closed);
  for (int64_t v = 0; v < p.vectors; ++v) distance[v] = Reals<T>{} + kInfinity<T>, closed[v] = Integers<T>{};
  int64_t row = root;
  T offset = -p.row_minimum[root];
  for (reached = T(0);;) {
    const Reals<T>* cost = reals(p.cost) + row * p.vectors;
    const Reals<T> nearest = Reals<T>{} + reached;
    Lowest<T> lowest;
    for (int64_t v = 0; v < p.vectors; ++v) {
      const Reals<T> sum = cost[v] - dual[v] + offset;
      const Reals<T> length = sum > nearest ? sum : nearest;  // rounding must not lead back
      const Integers<T> shorter = length < distance[v];
      distance[v] = shorter ? length : distance[v];
      previous[v] = shorter ? Integers<T>{} + static_cast<Integer<T>>(row) : previous[v];
      lowest.add((Integers<T>)distance[v] | closed[v], integers<T>(p.label)[v]);
    }
    Integer<T> low;
    int64_t at;
    lowest.find(low, at);
    reached = real_of<T>(low);
    if (at < kMatched) return at;
    at -= kMatched;
    row = p.row[at];
    offset = reached - p.row_dual[at];
    Integers<T> number = lane_numbers<T>();
    for (int64_t v = 0; v < p.vectors; ++v, number += kLanes<T>)
      closed[v] = number == static_cast<Integer<T>>(at) ? Integers<T>{} + kHighest<T> : closed[v];
  }
}

// Restores the duals after a search that ended at `column`, and shifts the matching along its path to match `root` too.
template <typename T>
PTFAST_INLINE void augment(const Problem<T>& p, int64_t root, int64_t column, T reached) {
  Integers<T> number = lane_numbers<T>();
  for (int64_t v = 0; v < p.vectors; ++v, number += kLanes<T>) {
    const Reals<T> lead = reached - reals(p.distance)[v], change = lead > 0 ? lead : Reals<T>{};
    reals(p.column_dual)[v] -= change;
    reals(p.row_dual)[v] += change;
    Integers<T>& label = integers<T>(p.label)[v];
    label = number == static_cast<Integer<T>>(column) ? number + kMatched : label;
  }
  for (;;) {
    const Integer<T> row = p.previous[column];
    const int32_t next = p.column[row];
    p.row[column] = row;
    p.column[row] = static_cast<int32_t>(column);
    if (row == root) break;
    p.row_dual[column] = p.row_dual[next];
    column = next;
  }
  p.row_dual[column] = p.row_minimum[root] + reached;
}

template <typename T>
PTFAST_INLINE void solve(const Problem<T>& p) {
  reduce_columns(p);
  int64_t left = reduce_rows(p);
  if (left > 0) label_columns(p);
  for (int64_t row = 0; left > 0; ++row) {
    if (p.column[row] >= 0) continue;
    T reached;
    const int64_t column = nearest_unmatched(p, row, reached);
    augment(p, row, column, reached);
    --left;
  }
}

}  // namespace ptfast
