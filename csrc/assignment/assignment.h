#pragma once
#include <cstdint>

#include "assignment/scratch.h"

namespace ptfast {

// Work space of one thread. It grows to the largest problem met, so that most calls allocate nothing.
template <typename T>
struct AssignmentWorkspace {
  ScratchMemory transposed, moderate, solver;
};

// Optimal assignment of one problem. +inf forbids a pair, and so do NaN and a cost above max_cost. With a finite
// max_cost, minimises the sum of (cost - max_cost) over the pairs made; with +inf, makes as many pairs as possible and
// minimises their cost. Of equally near columns an unmatched one goes first, then the lowest (of rows, where n > m).
// Any input gives a valid assignment. Returns false for one that held a NaN or -inf.
// cost: [n, m], column_of_row: [n], -1 for a row left alone
template <typename T>
bool hungarian(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row,
               AssignmentWorkspace<T>& workspace);

// Makes the pair of the lowest cost, then of the lowest row, then of the lowest column, until those left are forbidden
// or above max_cost. Otherwise as above; -inf is the lowest cost there is.
template <typename T>
bool greedy(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row, AssignmentWorkspace<T>& workspace);

enum class AssignmentMethod { kHungarian, kGreedy };

// Many problems of one size. Returns the first problem that held a NaN or -inf, or -1.
// costs: [problems, n, m], column_of_row: [problems, n]
template <typename T>
int64_t assign_cpu(const T* costs, int64_t problems, int64_t n, int64_t m, T max_cost, AssignmentMethod method,
                   int64_t* column_of_row);

// Many problems of rows[i] x columns[i], one after the other in costs and column_of_row.
// costs: [sum of rows * columns], rows, columns: [problems], column_of_row: [sum of rows]
template <typename T>
int64_t assign_ragged_cpu(const T* costs, const int64_t* rows, const int64_t* columns, int64_t problems, T max_cost,
                          AssignmentMethod method, int64_t* column_of_row);

constexpr int64_t kMaxOnGpu = 64;  // rows or columns of a problem

// assign_cpu for problems of up to kMaxOnGpu rows and columns on `device` and `stream` (a cudaStream_t): the same
// result bit for bit. A problem that holds a NaN or -inf gives -1 for all its rows. Returns a cudaError_t as int.
template <typename T>
int assign_cuda(const T* costs, int64_t problems, int64_t n, int64_t m, T max_cost, AssignmentMethod method,
                int64_t* column_of_row, int device, void* stream);

}  // namespace ptfast
