#include "common/bindings.h"

#include <stdexcept>
#include <tuple>
#include <vector>

#include "common/checks.h"
#include "common/half.h"
#include "roi_align/roi_align.h"

namespace ptfast {
namespace {

using Strides = std::array<int64_t, 5>;                                  // batch, channel, frame, row, column
using Level = std::tuple<uintptr_t, Strides, int64_t, int64_t, double>;  // address, ..., height, width, spatial scale
using Levels = std::vector<Level>;
using Bins = std::tuple<uintptr_t, Strides>;  // address, strides
using Tubes = std::array<uintptr_t, 3>;       // tubes, batch_index, level
using Sizes = std::array<int64_t, 6>;         // m, batch, channels, frames, rows, columns

VideoStrides strides_of(const Strides& s) { return {s[0], s[1], s[2], s[3], s[4]}; }

template <typename S, typename T>
TubeRoiAlign<S, T> operation(const Levels& levels, const Bins& bins, const Tubes& tubes, const Sizes& s,
                             int64_t sampling_ratio, bool aligned) {
  if (levels.size() > kMaxLevels) throw std::invalid_argument("at most 8 levels");
  TubeRoiAlign<S, T> op{};
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto& [data, strides, height, width, scale] = levels[i];
    op.levels[i] = {pointer<S>(data), strides_of(strides), height, width, scale};
  }
  op.bins = pointer<S>(std::get<0>(bins));
  op.bin_strides = strides_of(std::get<1>(bins));
  op.tubes = pointer<const T>(tubes[0]);
  op.batch_index = pointer<const int64_t>(tubes[1]);
  op.level = pointer<const int64_t>(tubes[2]);
  op.level_count = static_cast<int64_t>(levels.size());
  op.m = s[0], op.batch = s[1], op.channels = s[2], op.frames = s[3];
  op.rows = s[4], op.columns = s[5], op.sampling_ratio = sampling_ratio;
  op.aligned = aligned;
  return op;
}

// A tube's features are found by its batch index and its level.
template <typename S, typename T>
void check_tubes(const TubeRoiAlign<S, T>& op) {
  check_index("batch_index", op.batch_index, op.m, op.batch);
  if (op.level != nullptr) check_index("level", op.level, op.m, op.level_count);
}

template <typename S, typename T>
void bind_cpu(py::module_& m, const std::string& dtype) {
  m.def(("tube_roi_align_cpu_" + dtype).c_str(),
        [](const Levels& levels, const Tubes& tubes, const Sizes& sizes, int64_t sampling_ratio, bool aligned,
           const Bins& out) {
          const auto op = operation<S, T>(levels, out, tubes, sizes, sampling_ratio, aligned);
          check_tubes(op);
          py::gil_scoped_release release;
          tube_roi_align_cpu(op);
        },
        "levels"_a, "tubes"_a, "sizes"_a, "sampling_ratio"_a, "aligned"_a, "out"_a);
  m.def(("tube_roi_align_backward_cpu_" + dtype).c_str(),
        [](const Bins& grad_out, const Tubes& tubes, const Sizes& sizes, int64_t sampling_ratio, bool aligned,
           const Levels& grads) {
          const auto op = operation<S, T>(grads, grad_out, tubes, sizes, sampling_ratio, aligned);
          check_tubes(op);
          py::gil_scoped_release release;
          tube_roi_align_backward_cpu(op);
        },
        "grad_out"_a, "tubes"_a, "sizes"_a, "sampling_ratio"_a, "aligned"_a, "grads"_a);
}

#if PTFAST_WITH_CUDA
template <typename S, typename T>
void bind_cuda(py::module_& m, const std::string& dtype) {
  m.def(("tube_roi_align_cuda_" + dtype).c_str(),
        [](const Levels& levels, const Tubes& tubes, const Sizes& sizes, int64_t sampling_ratio, bool aligned,
           const Bins& out, int device, uintptr_t stream) {
          return tube_roi_align_cuda(operation<S, T>(levels, out, tubes, sizes, sampling_ratio, aligned), device,
                                     pointer<void>(stream));
        },
        "levels"_a, "tubes"_a, "sizes"_a, "sampling_ratio"_a, "aligned"_a, "out"_a, "device"_a, "stream"_a);
  m.def(("tube_roi_align_backward_cuda_" + dtype).c_str(),
        [](const Bins& grad_out, const Tubes& tubes, const Sizes& sizes, int64_t sampling_ratio, bool aligned,
           const Levels& grads, int device, uintptr_t stream) {
          return tube_roi_align_backward_cuda(operation<S, T>(grads, grad_out, tubes, sizes, sampling_ratio, aligned),
                                              device, pointer<void>(stream));
        },
        "grad_out"_a, "tubes"_a, "sizes"_a, "sampling_ratio"_a, "aligned"_a, "grads"_a, "device"_a, "stream"_a);
}
#endif

template <typename S, typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  bind_cpu<S, T>(m, dtype);
#if PTFAST_WITH_CUDA
  bind_cuda<S, T>(m, dtype);
#endif
}

}  // namespace

void bind_roi_align(py::module_& m) {
  bind_dtype<float, float>(m, "float32");
  bind_dtype<double, double>(m, "float64");
  bind_dtype<Half, float>(m, "float16");
  bind_dtype<BFloat16, float>(m, "bfloat16");
}

}  // namespace ptfast
