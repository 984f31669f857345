#include "common/bindings.h"

#include "linking/online.h"

namespace ptfast {
namespace {

// Addresses of keypoints, visible, boxes, areas and head sizes, as in FrameView.
FrameView view(const std::array<uintptr_t, 5>& p, int64_t count) {
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
    std::copy(costs.begin(), costs.end(), out);
  };
}

}  // namespace

void bind_linking(py::module_& m) {
  py::class_<LinkOptions>(m, "LinkOptions")
      .def(py::init(&options), py::kw_only(), py::arg("cost"), py::arg("greedy"), py::arg("velocity"),
           py::arg("lookback"), py::arg("horizon"), py::arg("max_cost"), py::arg("joints"), py::arg("sigmas"),
           py::arg("max_tracks"));
  m.def("link_video", [](const std::array<uintptr_t, 5>& columns, int64_t count, uintptr_t frame_offsets,
                         int64_t frames, const LinkOptions& options, const py::object& function, uintptr_t ids) {
    const CostFunction callable = cost_function(function);
    py::gil_scoped_release release;
    link_video({view(columns, count), pointer<const int64_t>(frame_offsets), frames}, options, callable,
               pointer<int64_t>(ids));
  });
  py::class_<OnlineLinker>(m, "OnlineLinker")
      .def(py::init([](const LinkOptions& options, const py::object& function) {
        return std::make_unique<OnlineLinker>(options, cost_function(function));
      }))
      .def("update",
           [](OnlineLinker& self, const std::array<uintptr_t, 5>& columns, int64_t count, uintptr_t ids) {
             py::gil_scoped_release release;
             self.update(view(columns, count), pointer<int64_t>(ids));
           })
      .def("reset", &OnlineLinker::reset)
      .def("lost_tracks", &OnlineLinker::lost_tracks);
}

}  // namespace ptfast
