#include "common/bindings.h"

#include "assignment/assignment.h"

namespace ptfast {
namespace {

using Sizes = std::array<int64_t, 3>;  // problems, n, m

AssignmentMethod method_of(bool greedy) { return greedy ? AssignmentMethod::kGreedy : AssignmentMethod::kHungarian; }

// The CPU's functions take the arrays themselves: asking for their addresses in Python would take as long as solving a
// small problem.
template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("assign_cpu_" + dtype).c_str(),
        [](py::handle costs, const Sizes& s, T max_cost, bool greedy, py::handle column_of_row) {
          const auto* in = pointer<const T>(address(costs));
          auto* out = pointer<int64_t>(address(column_of_row));
          py::gil_scoped_release release;
          return assign_cpu(in, s[0], s[1], s[2], max_cost, method_of(greedy), out);
        },
        "costs"_a, "sizes"_a, "max_cost"_a, "greedy"_a, "column_of_row"_a);
  m.def(("assign_ragged_cpu_" + dtype).c_str(),
        [](py::handle costs, py::handle rows, py::handle columns, int64_t problems, T max_cost, bool greedy,
           py::handle column_of_row) {
          const auto* in = pointer<const T>(address(costs));
          const auto *n = pointer<const int64_t>(address(rows)), *m = pointer<const int64_t>(address(columns));
          auto* out = pointer<int64_t>(address(column_of_row));
          py::gil_scoped_release release;
          return assign_ragged_cpu(in, n, m, problems, max_cost, method_of(greedy), out);
        },
        "costs"_a, "rows"_a, "columns"_a, "problems"_a, "max_cost"_a, "greedy"_a, "column_of_row"_a);
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
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
