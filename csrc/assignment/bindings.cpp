#include "common/bindings.h"

#include <string>

#include "assignment/assignment.h"

namespace ptfast {
namespace {

using Sizes = std::array<int64_t, 3>;  // problems, n, m

AssignmentMethod method_of(bool greedy) { return greedy ? AssignmentMethod::kGreedy : AssignmentMethod::kHungarian; }

template <typename T>
int64_t assign(py::handle costs, const Sizes& sizes, T max_cost, bool greedy, py::handle column_of_row) {
  const auto* in = pointer<const T>(address(costs));
  auto* out = pointer<int64_t>(address(column_of_row));
  py::gil_scoped_release release;
  return assign_cpu(in, sizes[0], sizes[1], sizes[2], max_cost, method_of(greedy), out);
}

template <typename T>
int64_t assign_ragged(py::handle costs, int64_t problems, py::handle rows, py::handle columns, T max_cost, bool greedy,
                      py::handle column_of_row) {
  const auto* in = pointer<const T>(address(costs));
  const auto *n = pointer<const int64_t>(address(rows)), *m = pointer<const int64_t>(address(columns));
  auto* out = pointer<int64_t>(address(column_of_row));
  py::gil_scoped_release release;
  return assign_ragged_cpu(in, problems, n, m, max_cost, method_of(greedy), out);
}

#if PTFAST_WITH_CUDA
template <typename T>
int assign_on_device(uintptr_t costs, const Sizes& sizes, T max_cost, bool greedy, uintptr_t column_of_row, int device,
                     uintptr_t stream) {
  return assign_cuda(pointer<const T>(costs), sizes[0], sizes[1], sizes[2], max_cost, method_of(greedy),
                     pointer<int64_t>(column_of_row), device, pointer<void>(stream));
}
#endif

}  // namespace

void bind_assignment(py::module_& m) {
  m.def("assign_cpu_float32", &assign<float>);
  m.def("assign_cpu_float64", &assign<double>);
  m.def("assign_ragged_cpu_float32", &assign_ragged<float>);
  m.def("assign_ragged_cpu_float64", &assign_ragged<double>);
  m.attr("assign_cuda_most") = kMostOnGpu;
#if PTFAST_WITH_CUDA
  m.def("assign_cuda_float32", &assign_on_device<float>);
  m.def("assign_cuda_float64", &assign_on_device<double>);
#endif
}

}  // namespace ptfast
