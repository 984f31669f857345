#include "common/bindings.h"

#include "common/checks.h"
#include "ranking/ranking.h"

namespace ptfast {

void bind_ranking(py::module_& m) {
  m.def(
      "rank_scores_cpu",
      [](py::handle scores, py::handle offsets, py::handle order) {
        const Span<const double> in(scores);
        const Span<const int64_t> ends(offsets);
        const Span<int64_t> out(order);
        check_size("order", out.size, in.size);
        check_offsets("offsets", ends.data, ends.size - 1, in.size);
        py::gil_scoped_release release;
        rank_scores_cpu(in.data, ends.data, ends.size - 1, out.data);
      },
      "scores"_a, "offsets"_a, "order"_a);
}

}  // namespace ptfast
