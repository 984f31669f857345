#pragma once
#include <cstdint>
#include <vector>

namespace ptfast {

// Assignment of least total cost, where equally good pairs are chosen as SciPy's linear_sum_assignment chooses them.
// CLEAR MOT by py-motmetrics rests on that choice where poses or people coincide. The faster `hungarian` chooses
// others. Rows are matched one after the other along shortest augmenting paths (Crouse 2016).
class OrderedAssignment {
 public:
  // Returns the column of each row, or -1, of a problem [rows, columns] of finite costs. The pointer holds until the
  // next call.
  // cost: [rows, columns]
  const int64_t* solve(const double* cost, int64_t rows, int64_t columns);

 private:
  void reset(int64_t rows, int64_t columns);
  int64_t find_free_column(int64_t row);
  int64_t open_next(int64_t row);
  void update_duals(int64_t row);
  void flip_path(int64_t row, int64_t column);

  const double* cost_ = nullptr;  // [rows, columns], rows <= columns
  int64_t columns_ = 0;
  double reached_ = 0;                  // length of the shortest path so far
  std::vector<double> transposed_;      // [columns, rows]
  std::vector<double> row_dual_;        // [rows]
  std::vector<double> column_dual_;     // [columns]
  std::vector<double> distance_;        // [columns] from the row that seeks a column
  std::vector<int64_t> previous_;       // [columns] row before it on the shortest path
  std::vector<int64_t> row_of_column_;  // [columns], or -1
  std::vector<int64_t> column_of_row_;  // [rows], or -1
  std::vector<int64_t> open_, closed_;  // columns that no shortest path is known of, and the others in their order
};

}  // namespace ptfast
