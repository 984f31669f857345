#include "common/bindings.h"

#include "ranking/ranking.h"

namespace ptfast {

void bind_ranking(py::module_& m) {
  m.def(
      "rank_scores_cpu",
      [](uintptr_t scores, uintptr_t offsets, int64_t groups, uintptr_t order) {
        py::gil_scoped_release release;
        rank_scores_cpu(pointer<const double>(scores), pointer<const int64_t>(offsets), groups,
                        pointer<int64_t>(order));
      },
      "scores"_a, "offsets"_a, "groups"_a, "order"_a);
}

}  // namespace ptfast
