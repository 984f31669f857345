#include <algorithm>

#include "assignment/assignment.h"
#include "assignment/moderate.h"
#include "assignment/packing.h"
#include "assignment/solver.h"
#include "common/simd.h"

namespace ptfast {
namespace {

PTFAST_CLONES bool solve_f32(const Costs<float>& costs, const Problem<float>& problem) {
  const bool fits = pack_rows(costs, reals(problem.cost));
  if (fits) solve(problem);
  return fits;
}
PTFAST_CLONES bool solve_f64(const Costs<double>& costs, const Problem<double>& problem) {
  const bool fits = pack_rows(costs, reals(problem.cost));
  if (fits) solve(problem);
  return fits;
}
bool solve(const Costs<float>& costs, const Problem<float>& problem) { return solve_f32(costs, problem); }
bool solve(const Costs<double>& costs, const Problem<double>& problem) { return solve_f64(costs, problem); }

// Costs above max_cost count as max_cost: leaving both sides alone then costs as much as the pair.
template <typename T>
Costs<T> readable(const T* values, int64_t rows, int64_t columns, T max_cost) {
  return {values, rows, columns, max_cost, max_cost, -kLargestCost<T>, kLargestCost<T>};
}

PTFAST_CLONES void to_moderate_f32(const Costs<float>& costs, double* out) { to_moderate(costs, out); }
PTFAST_CLONES void to_moderate_f64(const Costs<double>& costs, double* out) { to_moderate(costs, out); }
void run_to_moderate(const Costs<float>& costs, double* out) { to_moderate_f32(costs, out); }
void run_to_moderate(const Costs<double>& costs, double* out) { to_moderate_f64(costs, out); }

// The problem for a second attempt, where costs are not numbers that the solver can add up.
template <typename T>
Costs<double> in_moderate_numbers(const Costs<T>& costs, ScratchMemory& memory) {
  const int64_t count = costs.rows * costs.columns;
  memory.reserve(memory.size_of<double>(count));
  auto* numbers = memory.take<double>(count);
  run_to_moderate(costs, numbers);
  return readable(numbers, costs.rows, costs.columns, kInfinity<double>);
}

// cost: [n, m] -> [m, n]
template <typename T>
const T* transpose(const T* cost, int64_t n, int64_t m, ScratchMemory& memory) {
  memory.reserve(memory.size_of<T>(n * m));
  auto* out = memory.take<T>(n * m);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j) out[j * n + i] = cost[i * m + j];
  return out;
}

// Writes the pairs that are allowed. column_of_row: [n], all -1
template <typename T, typename S>
void write_pairs(const Costs<T>& costs, const Problem<S>& solved, bool transposed, int64_t* column_of_row) {
  for (int64_t row = 0; row < solved.rows; ++row) {
    const int64_t column = solved.column[row];
    if (!costs.allows(row, column)) continue;
    column_of_row[transposed ? column : row] = transposed ? row : column;
  }
}

}  // namespace

template <typename T>
bool hungarian(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row,
               AssignmentWorkspace<T>& workspace) {
  std::fill_n(column_of_row, n, int64_t(-1));
  if (n == 0 || m == 0) return true;
  const bool transposed = n > m;
  if (transposed) cost = transpose(cost, n, m, workspace.transposed);
  const Costs<T> costs = readable(cost, std::min(n, m), std::max(n, m), max_cost);
  const auto problem = make_problem<T>(costs.rows, costs.columns, workspace.solver);
  if (solve(costs, problem)) {
    write_pairs(costs, problem, transposed, column_of_row);
    return true;
  }
  const Costs<double> numbers = in_moderate_numbers(costs, workspace.moderate);
  const auto replaced = make_problem<double>(costs.rows, costs.columns, workspace.solver);
  solve(numbers, replaced);
  write_pairs(costs, replaced, transposed, column_of_row);
  return std::all_of(cost, cost + n * m, [](T value) { return value > -kInfinity<T>; });
}

template bool hungarian(const float*, int64_t, int64_t, float, int64_t*, AssignmentWorkspace<float>&);
template bool hungarian(const double*, int64_t, int64_t, double, int64_t*, AssignmentWorkspace<double>&);

}  // namespace ptfast
