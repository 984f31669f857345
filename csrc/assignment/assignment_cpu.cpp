#include <algorithm>
#include <atomic>
#include <vector>

#include "assignment/assignment.h"
#include "common/parallel.h"

namespace ptfast {
namespace {

template <typename T>
struct OneProblem {
  const T* cost;  // [n, m]
  int64_t n, m;
  int64_t* column_of_row;  // [n]
};

// Number of problems that take about 200 us. One of 15 x 15 takes up to 0.6 us, and the time grows a little faster than
// n m.
int64_t grain_for(int64_t problems, int64_t cells) {
  const int64_t nanoseconds = 100 + 2 * cells / std::max<int64_t>(1, problems);
  return std::max<int64_t>(1, 200000 / nanoseconds);
}

// Solves problems in parallel, where problem_at(i) gives the OneProblem i. Returns the first that held a NaN or -inf,
// or -1: threads lower first_bad by compare and exchange, so that the result does not depend on who comes first. Each
// thread keeps its work space from call to call.
template <typename T, typename ProblemAt>
int64_t solve_all(int64_t problems, int64_t cells, T max_cost, AssignmentMethod method, const ProblemAt& problem_at) {
  std::atomic<int64_t> first_bad{problems};
  const auto solve = method == AssignmentMethod::kGreedy ? greedy<T> : hungarian<T>;
  parallel_for(problems, grain_for(problems, cells), [&](int64_t begin, int64_t end) {
    static thread_local AssignmentWorkspace<T> workspace;
    for (int64_t i = begin; i < end; ++i) {
      const OneProblem<T> one = problem_at(i);
      if (solve(one.cost, one.n, one.m, max_cost, one.column_of_row, workspace)) continue;
      int64_t seen = first_bad;
      while (i < seen && !first_bad.compare_exchange_weak(seen, i)) {
      }
    }
  });
  return first_bad == problems ? -1 : first_bad.load();
}

}  // namespace

template <typename T>
int64_t assign_cpu(const T* costs, int64_t problems, int64_t n, int64_t m, T max_cost, AssignmentMethod method,
                   int64_t* column_of_row) {
  return solve_all<T>(problems, problems * n * m, max_cost, method,
                      [&](int64_t i) { return OneProblem<T>{costs + i * n * m, n, m, column_of_row + i * n}; });
}

template <typename T>
int64_t assign_ragged_cpu(const T* costs, const int64_t* rows, const int64_t* columns, int64_t problems, T max_cost,
                          AssignmentMethod method, int64_t* column_of_row) {
  std::vector<OneProblem<T>> all(problems);
  int64_t cells = 0;
  for (int64_t i = 0; i < problems; ++i) {
    all[i] = {costs + cells, rows[i], columns[i], column_of_row};
    cells += rows[i] * columns[i];
    column_of_row += rows[i];
  }
  return solve_all<T>(problems, cells, max_cost, method, [&](int64_t i) { return all[i]; });
}

template int64_t assign_cpu(const float*, int64_t, int64_t, int64_t, float, AssignmentMethod, int64_t*);
template int64_t assign_cpu(const double*, int64_t, int64_t, int64_t, double, AssignmentMethod, int64_t*);
template int64_t assign_ragged_cpu(const float*, const int64_t*, const int64_t*, int64_t, float, AssignmentMethod,
                                   int64_t*);
template int64_t assign_ragged_cpu(const double*, const int64_t*, const int64_t*, int64_t, double, AssignmentMethod,
                                   int64_t*);

}  // namespace ptfast
