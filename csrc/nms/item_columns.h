#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "common/simd.h"

namespace ptfast {

// Items as columns of a matrix whose rows are their numbers, so that lanes run over items. Rows are padded with zeros
// to a multiple of kBlock, so that a block needs no remainder.
template <typename T>
struct ItemColumns {
  int64_t rows, size, stride;
  std::vector<T> data;         // [rows, stride]
  std::vector<int64_t> index;  // [size], the caller's index of each item

  ItemColumns(int64_t rows_, std::vector<int64_t> index_)
      : rows(rows_),
        size(static_cast<int64_t>(index_.size())),
        stride((size + kBlock - 1) / kBlock * kBlock),
        data(rows * stride),
        index(std::move(index_)) {}

  T* row(int64_t r) { return &data[r * stride]; }
  const T* row(int64_t r) const { return &data[r * stride]; }
  int64_t blocks() const { return (size + kBlock - 1) / kBlock; }

  // Keeps the items from `first` on that are not dead, in their order, and moves them to the front. The count rises by
  // a comparison's result instead of a branch, which no processor could foresee here. dead: [size]
  void compact(const T* dead, int64_t first) {
    std::vector<int64_t> alive(size - first);
    int64_t count = 0;
    for (int64_t j = first; j < size; ++j) {
      alive[count] = j;
      count += dead[j] == T(0);
    }
    for (int64_t r = 0; r < rows; ++r) {
      T* values = row(r);
      for (int64_t j = 0; j < count; ++j) values[j] = values[alive[j]];
    }
    for (int64_t j = 0; j < count; ++j) index[j] = index[alive[j]];
    size = count;
  }
};

}  // namespace ptfast
