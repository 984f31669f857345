#include "common/bindings.h"

#include "common/checks.h"
#include "linking/online.h"

namespace ptfast {
namespace {

// Addresses of keypoints, visible, boxes, areas and head sizes, as in FrameView.
using Columns = std::array<uintptr_t, 5>;

FrameView view(const Columns& p, int64_t count) {
  return {0,
          count,
          pointer<const float>(p[0]),
          pointer<const uint8_t>(p[1]),
          pointer<const float>(p[2]),
          pointer<const float>(p[3]),
          pointer<const float>(p[4])};
}

LinkOptions options(const std::string& cost, bool greedy, bool velocity, int64_t lookback, int64_t horizon,
                    float max_cost, int64_t joints, std::vector<float> sigmas, int64_t max_tracks) {
  const LinkCost kind = cost == "iou"    ? LinkCost::kIou
                        : cost == "oks"  ? LinkCost::kOks
                        : cost == "pckh" ? LinkCost::kPckh
                                         : LinkCost::kCallable;
  return {kind, greedy, velocity, lookback, horizon, max_cost, joints, std::move(sigmas), max_tracks};
}

// A Python function (earlier frame, its rows, their shifts, current frame, its rows) -> flat list of costs.
CostFunction cost_function(const py::object& function) {
  if (function.is_none()) return {};
  return [function](const PoseSubset& earlier, const PoseSubset& current, float* out) {
    py::gil_scoped_acquire acquire;
    std::vector<float> shift;
    if (earlier.shift != nullptr) shift.assign(earlier.shift, earlier.shift + 2 * earlier.rows->size());
    const auto costs = function(earlier.frame->frame, *earlier.rows, shift, current.frame->frame, *current.rows)
                           .cast<std::vector<float>>();
    check_size("costs", static_cast<int64_t>(costs.size()),
               static_cast<int64_t>(earlier.rows->size() * current.rows->size()));
    std::copy(costs.begin(), costs.end(), out);
  };
}

}  // namespace

void bind_linking(py::module_& m) {
  py::class_<LinkOptions>(m, "LinkOptions")
      .def(py::init(&options), py::kw_only(), py::arg("cost"), py::arg("greedy"), py::arg("velocity"),
           py::arg("lookback"), py::arg("horizon"), py::arg("max_cost"), py::arg("joints"), py::arg("sigmas"),
           py::arg("max_tracks"));
  m.def(
      "link_video",
      [](const Columns& columns, py::handle frame_offsets, const LinkOptions& options, const py::object& function,
         py::handle ids) {
        const CostFunction callable = cost_function(function);
        const Span<const int64_t> offsets(frame_offsets);
        const Span<int64_t> out(ids);
        check_offsets("frame_offsets", offsets.data, offsets.size - 1, out.size);
        py::gil_scoped_release release;
        return link_video({view(columns, out.size), offsets.data, offsets.size - 1}, options, callable, out.data);
      },
      py::arg("columns"), py::arg("frame_offsets"), py::arg("options"), py::arg("function"), py::arg("ids"));
  m.def(
      "hand_down_ids",
      [](py::handle frame_offsets, int64_t max_tracks, py::handle ids) {
        const Span<const int64_t> offsets(frame_offsets);
        const Span<int64_t> out(ids);
        check_offsets("frame_offsets", offsets.data, offsets.size - 1, out.size);
        for (int64_t row = 0; row < out.size; ++row)
          if (out.data[row] >= row) throw std::invalid_argument("ids must be of earlier rows");
        py::gil_scoped_release release;
        hand_down_ids(offsets.data, offsets.size - 1, max_tracks, out.data);
      },
      py::arg("frame_offsets"), py::arg("max_tracks"), py::arg("ids"));
#if PTFAST_WITH_CUDA
  // sizes: frames, poses in the largest frame, joints
  m.def(
      "find_predecessors_cuda_float32",
      [](const Columns& columns, uintptr_t frame_offsets, uintptr_t sigmas, uintptr_t joints_seen,
         const std::array<int64_t, 3>& sizes, const std::string& cost, bool greedy, int64_t lookback, float max_cost,
         uintptr_t predecessor, uintptr_t has_successor, int device, uintptr_t stream) {
        const LinkOptions how = options(cost, greedy, false, lookback, 0, max_cost, sizes[2], {}, 0);
        return find_predecessors_cuda({view(columns, 0), pointer<const int64_t>(frame_offsets), sizes[0]},
                                      pointer<const float>(sigmas), pointer<const int32_t>(joints_seen), sizes[1], how,
                                      pointer<int64_t>(predecessor), pointer<uint8_t>(has_successor), device,
                                      pointer<void>(stream));
      },
      py::arg("columns"), py::arg("frame_offsets"), py::arg("sigmas"), py::arg("joints_seen"), py::arg("sizes"),
      py::arg("cost"), py::arg("greedy"), py::arg("lookback"), py::arg("max_cost"), py::arg("predecessor"),
      py::arg("has_successor"), py::arg("device"), py::arg("stream"));
#endif
  py::class_<OnlineLinker>(m, "OnlineLinker")
      .def(py::init([](const LinkOptions& options, const py::object& function, int64_t first_id) {
             return std::make_unique<OnlineLinker>(options, cost_function(function), first_id);
           }),
           py::arg("options"), py::arg("function"), py::arg("first_id"))
      .def(
          "update",
          [](OnlineLinker& self, const Columns& columns, int64_t count, uintptr_t ids) {
            py::gil_scoped_release release;
            self.update(view(columns, count), pointer<int64_t>(ids));
          },
          py::arg("columns"), py::arg("count"), py::arg("ids"))
      .def("next_id", &OnlineLinker::next_id)
      .def("lost_tracks", &OnlineLinker::lost_tracks)
      .def("pairs", &OnlineLinker::pairs);
}

}  // namespace ptfast
