#include "clear/ordered_assignment.h"

#include <algorithm>
#include <limits>
#include <utility>

// Which of several equally good assignments comes out hangs on the order in which columns are looked at, on the
// comparisons' strictness and on the order of the sums below: these must stay as they are.
namespace ptfast {
namespace {

constexpr int64_t kNone = -1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

const int64_t* OrderedAssignment::solve(const double* cost, int64_t rows, int64_t columns) {
  const bool transposed = columns < rows;
  if (transposed) {
    transposed_.resize(rows * columns);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) transposed_[j * rows + i] = cost[i * columns + j];
  }
  cost_ = transposed ? transposed_.data() : cost;
  reset(std::min(rows, columns), std::max(rows, columns));
  for (int64_t row = 0; row < std::min(rows, columns); ++row) {
    const int64_t column = find_free_column(row);
    update_duals(row);
    flip_path(row, column);
  }
  return transposed ? row_of_column_.data() : column_of_row_.data();
}

void OrderedAssignment::reset(int64_t rows, int64_t columns) {
  columns_ = columns;
  row_dual_.assign(rows, 0);
  column_dual_.assign(columns, 0);
  row_of_column_.assign(columns, kNone);
  column_of_row_.assign(rows, kNone);
}

// Follows shortest paths from a row until one ends in a column without a row.
int64_t OrderedAssignment::find_free_column(int64_t row) {
  reached_ = 0;
  distance_.assign(columns_, kInfinity);
  previous_.assign(columns_, row);  // so that a path leads back even where costs overflow
  closed_.clear();
  open_.resize(columns_);
  for (int64_t j = 0; j < columns_; ++j) open_[j] = columns_ - 1 - j;
  for (;;) {
    const int64_t column = open_next(row);
    if (row_of_column_[column] == kNone) return column;
    row = row_of_column_[column];
  }
}

// Extends the paths by one row and closes the column that is nearest then. Of equally near ones the last that has no
// row is taken, else the first. The last open column takes the place of the closed one.
int64_t OrderedAssignment::open_next(int64_t row) {
  const double* cost = cost_ + row * columns_;
  const double dual = row_dual_[row], reached = reached_;
  double lowest = kInfinity;
  size_t nearest = 0;
  for (size_t at = 0; at < open_.size(); ++at) {
    const int64_t j = open_[at];
    const double distance = reached + cost[j] - dual - column_dual_[j];
    if (distance < distance_[j]) {
      previous_[j] = row;
      distance_[j] = distance;
    }
    if (distance_[j] < lowest || (distance_[j] == lowest && row_of_column_[j] == kNone)) {
      lowest = distance_[j];
      nearest = at;
    }
  }
  reached_ = lowest;
  const int64_t column = open_[nearest];
  open_[nearest] = open_.back();
  open_.pop_back();
  closed_.push_back(column);
  return column;
}

// Keeps reduced costs from falling below 0 and those of matched pairs at 0.
void OrderedAssignment::update_duals(int64_t row) {
  row_dual_[row] += reached_;
  for (const int64_t j : closed_) {
    if (row_of_column_[j] != kNone) row_dual_[row_of_column_[j]] += reached_ - distance_[j];
    column_dual_[j] -= reached_ - distance_[j];
  }
}

// Matches the path's pairs anew, from its free column back to the row that it began at.
void OrderedAssignment::flip_path(int64_t row, int64_t column) {
  for (int64_t i = kNone; i != row;) {
    i = previous_[column];
    row_of_column_[column] = i;
    std::swap(column_of_row_[i], column);
  }
}

}  // namespace ptfast
