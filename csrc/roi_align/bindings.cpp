#include "common/bindings.h"

#include <stdexcept>
#include <tuple>
#include <vector>

#include "common/half.h"
#include "roi_align/roi_align.h"

namespace ptfast {
namespace {

// Address, strides (batch, channel, frame, row, column), height, width, spatial scale.
using Strides = std::array<int64_t, 5>;
using Level = std::tuple<uintptr_t, Strides, int64_t, int64_t, double>;
// Tubes, batch indices, levels of tubes, result.
using Addresses = std::array<uintptr_t, 4>;
// Tubes, batch, channels, frames, rows, columns, sampling_ratio.
using Sizes = std::array<int64_t, 7>;

VideoStrides strides_of(const Strides& s) { return {s[0], s[1], s[2], s[3], s[4]}; }

template <typename S, typename T>
TubeRoiAlign<S, T> operation(const std::vector<Level>& levels, const Addresses& p, const Strides& out, const Sizes& s,
                             bool aligned) {
  if (levels.size() > kMostLevels) throw std::invalid_argument("at most 8 levels");
  TubeRoiAlign<S, T> op{};
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto& [data, strides, height, width, scale] = levels[i];
    op.levels[i] = {pointer<S>(data), strides_of(strides), height, width, scale};
  }
  op.tubes = pointer<const T>(p[0]);
  op.batch_index = pointer<const int64_t>(p[1]);
  op.level = pointer<const int64_t>(p[2]);
  op.out = pointer<S>(p[3]);
  op.out_strides = strides_of(out);
  op.level_count = static_cast<int64_t>(levels.size());
  op.m = s[0], op.batch = s[1], op.channels = s[2], op.frames = s[3];
  op.rows = s[4], op.columns = s[5], op.sampling_ratio = s[6];
  op.aligned = aligned;
  return op;
}

template <typename S, typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  const auto define = [&m, &dtype](const char* name, void (*run)(const TubeRoiAlign<S, T>&)) {
    m.def((name + dtype).c_str(), [run](const std::vector<Level>& levels, const Addresses& addresses,
                                        const Strides& out, const Sizes& sizes, bool aligned) {
      py::gil_scoped_release release;
      run(operation<S, T>(levels, addresses, out, sizes, aligned));
    });
  };
  define("tube_roi_align_cpu_", &tube_roi_align_cpu<S, T>);
  define("tube_roi_align_backward_cpu_", &tube_roi_align_backward_cpu<S, T>);
#if PTFAST_WITH_CUDA
  const auto define_cuda = [&m, &dtype](const char* name, int (*run)(const TubeRoiAlign<S, T>&, int, void*)) {
    m.def((name + dtype).c_str(),
          [run](const std::vector<Level>& levels, const Addresses& addresses, const Strides& out, const Sizes& sizes,
                bool aligned, int device, uintptr_t stream) {
            return run(operation<S, T>(levels, addresses, out, sizes, aligned), device, pointer<void>(stream));
          });
  };
  define_cuda("tube_roi_align_cuda_", &tube_roi_align_cuda<S, T>);
  define_cuda("tube_roi_align_backward_cuda_", &tube_roi_align_backward_cuda<S, T>);
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
