#include "common/bindings.h"

#include "assignment/assignment.h"
#include "common/checks.h"

namespace ptfast {
namespace {

using Sizes = std::array<int64_t, 3>;  // problems, n, m

AssignmentMethod method_of(bool greedy) { return greedy ? AssignmentMethod::kGreedy : AssignmentMethod::kHungarian; }

// The sum of rows, whose problems must fit the number of costs.
// rows: [problems], columns: [problems]
int64_t count_rows(const Span<const int64_t>& rows, const Span<const int64_t>& columns, int64_t costs) {
  int64_t sum = 0, cells = 0;
  check_size("columns", columns.size, rows.size);
  for (int64_t i = 0; i < rows.size; ++i) {
    sum = checked_sum("rows", sum, rows.data[i]);
    cells = checked_sum("rows * columns", cells, checked_product("rows * columns", rows.data[i], columns.data[i]));
  }
  if (cells != costs)
    throw std::invalid_argument("flat_costs must hold sum(rows * columns) = " + std::to_string(cells) + " costs, got " +
                                std::to_string(costs));
  return sum;
}

// The CPU's functions take the arrays themselves: asking for their addresses in Python would take as long as solving a
// small problem.
template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("assign_cpu_" + dtype).c_str(),
        [](py::handle costs, const Sizes& s, T max_cost, bool greedy, py::handle column_of_row) {
          const Span<const T> in(costs);
          const Span<int64_t> out(column_of_row);
          check_size("column_of_row", out.size, checked_product("sizes", s[0], s[1]));
          check_size("costs", in.size, checked_product("sizes", out.size, s[2]));
          py::gil_scoped_release release;
          return assign_cpu(in.data, s[0], s[1], s[2], max_cost, method_of(greedy), out.data);
        },
        "costs"_a, "sizes"_a, "max_cost"_a, "greedy"_a, "column_of_row"_a);
  m.def(("assign_ragged_cpu_" + dtype).c_str(),
        [](py::handle costs, py::handle rows, py::handle columns, T max_cost, bool greedy, py::handle column_of_row) {
          const Span<const T> in(costs);
          const Span<const int64_t> n(rows), m(columns);
          const Span<int64_t> out(column_of_row);
          check_size("column_of_row", out.size, count_rows(n, m, in.size));
          py::gil_scoped_release release;
          return assign_ragged_cpu(in.data, n.data, m.data, n.size, max_cost, method_of(greedy), out.data);
        },
        "costs"_a, "rows"_a, "columns"_a, "max_cost"_a, "greedy"_a, "column_of_row"_a);
#if PTFAST_WITH_CUDA
  m.def(("assign_cuda_" + dtype).c_str(),
        [](uintptr_t costs, const Sizes& s, T max_cost, bool greedy, uintptr_t column_of_row, int device,
           uintptr_t stream) {
          return assign_cuda(pointer<const T>(costs), s[0], s[1], s[2], max_cost, method_of(greedy),
                             pointer<int64_t>(column_of_row), device, pointer<void>(stream));
        },
        "costs"_a, "sizes"_a, "max_cost"_a, "greedy"_a, "column_of_row"_a, "device"_a, "stream"_a);
#endif
}

}  // namespace

void bind_assignment(py::module_& m) {
  m.attr("assign_cuda_max") = kMaxOnGpu;
  m.def(
      "count_rows",
      [](py::handle rows, py::handle columns, int64_t costs) {
        return count_rows(Span<const int64_t>(rows), Span<const int64_t>(columns), costs);
      },
      "rows"_a, "columns"_a, "costs"_a);
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
