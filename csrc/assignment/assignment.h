#pragma once
#include <cstdint>
#include <limits>
#include <vector>

namespace ptfast {

// Scratch memory of one thread. It grows to the largest problem met, so that repeated calls allocate nothing.
template <typename T>
struct AssignmentWorkspace {
  std::vector<double> cost, row_dual, column_dual, distance;
  std::vector<int64_t> row_of_column, previous;
  std::vector<uint8_t> scanned;
};

// Optimal assignment of one problem. +inf (and NaN) forbids a pair, and so does a cost above max_cost. With a finite
// max_cost, minimises the sum of (cost - max_cost) over the pairs made; with +inf, makes as many pairs as possible and
// minimises their total cost. Any input gives a valid assignment.
// cost: [n, m], column_of_row: [n], -1 where a row stays alone
template <typename T>
void hungarian(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row,
               AssignmentWorkspace<T>& workspace);

// Makes the pair of the lowest cost, then of the lowest row, then of the lowest column, until none is left that is
// neither forbidden nor above max_cost. Arguments as above.
template <typename T>
void greedy(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row, AssignmentWorkspace<T>& workspace);

}  // namespace ptfast
