#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/parallel.h"
#include "ranking/ranking.h"

// The order of equal scores is that of NumPy 1.26's argsort on processors with AVX-512, whose registers hold eight
// numbers. The sizes, the reading order and the strictness of comparisons below decide it and must stay as they are.
namespace ptfast {
namespace {

constexpr int64_t kLanes = 8;      // numbers in a register
constexpr int64_t kNetwork = 64;   // runs up to this length go through a sorting network
constexpr int64_t kUnroll = 4;     // registers read at a time in a long run
constexpr int64_t kLongRun = 256;  // longest run that is read one register at a time

// Bitonic network whose merges compare mirrored positions first. Equal scores are never exchanged. Positions beyond
// `count` would hold infinity and stay where they are.
void sort_short(const double* scores, int64_t* order, int64_t count) {
  const auto exchange = [&](int64_t low, int64_t high) {
    if (high < count && scores[order[low]] > scores[order[high]]) std::swap(order[low], order[high]);
  };
  for (int64_t block = 2; block < 2 * count; block *= 2) {
    for (int64_t first = 0; first < count; first += block)
      for (int64_t i = 0; i < block / 2; ++i) exchange(first + i, first + block - 1 - i);
    for (int64_t stride = block / 4; stride > 0; stride /= 2)
      for (int64_t first = 0; first < count; first += 2 * stride)
        for (int64_t i = 0; i < stride; ++i) exchange(first + i, first + i + stride);
  }
}

// Writes the positions in one register that are below the pivot to `left`, the others so that they end at `right_end`,
// both in order. Returns the number of those that went left.
int64_t write_register(const double* scores, const int64_t* lanes, double pivot, int64_t* left, int64_t* right_end) {
  int64_t below = 0;
  for (int64_t i = 0; i < kLanes; ++i) below += scores[lanes[i]] < pivot;
  int64_t* right = right_end - (kLanes - below);
  for (int64_t i = 0; i < kLanes; ++i) *(scores[lanes[i]] < pivot ? left : right)++ = lanes[i];
  return below;
}

// Moves the scores below the pivot to the front of [begin, end) and returns where the others begin. The outermost
// registers are held back, which frees room to write; then registers are read from the side with less room, and the
// outermost ones are written last.
int64_t partition(const double* scores, int64_t* order, int64_t begin, int64_t end, double pivot) {
  const int64_t step = (end - begin > kLongRun ? kUnroll : 1) * kLanes;
  for (int64_t rest = (end - begin) % step; rest > 0; --rest) {
    if (scores[order[begin]] < pivot)
      ++begin;
    else
      std::swap(order[begin], order[--end]);
  }
  int64_t low = begin, high = end;  // positions outside [low, high) are written already
  const auto write = [&](const int64_t* lanes) {
    for (const int64_t* last = lanes + step; lanes < last; lanes += kLanes) {
      const int64_t below = write_register(scores, lanes, pivot, order + low, order + high);
      low += below;
      high -= kLanes - below;
    }
  };
  int64_t first[kUnroll * kLanes], last[kUnroll * kLanes], middle[kUnroll * kLanes];
  int64_t left = std::min(begin + step, end), right = std::max(left, end - step);
  std::copy(order + begin, order + left, first);
  std::copy(order + right, order + end, last);
  while (left < right) {
    const bool from_right = high - right < left - low;
    std::copy_n(order + (from_right ? right - step : left), step, middle);
    (from_right ? right : left) += from_right ? -step : step;
    write(middle);
  }
  if (end - begin >= step) write(first);
  if (end - begin >= 2 * step) write(last);
  return low;
}

// The fifth smallest of eight scores at equal distances.
double pivot_of(const double* scores, const int64_t* order, int64_t begin, int64_t end) {
  double sample[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) sample[i] = scores[order[begin + (i + 1) * ((end - 1 - begin) / kLanes)]];
  std::nth_element(sample, sample + kLanes / 2, sample + kLanes);
  return sample[kLanes / 2];
}

void sort_ascending(const double* scores, int64_t* order, int64_t begin, int64_t end, int64_t depth) {
  const auto less = [&](int64_t a, int64_t b) { return scores[a] < scores[b]; };
  if (depth <= 0) return std::sort(order + begin, order + end, less);
  if (end - begin <= kNetwork) return sort_short(scores, order + begin, end - begin);
  const auto [lowest, highest] = std::minmax_element(order + begin, order + end, less);
  const double low = scores[*lowest], high = scores[*highest], pivot = pivot_of(scores, order, begin, end);
  const int64_t middle = partition(scores, order, begin, end, pivot);
  if (pivot != low) sort_ascending(scores, order, begin, middle, depth - 1);
  if (pivot != high) sort_ascending(scores, order, middle, end, depth - 1);
}

void rank_group(const double* scores, int64_t* order, int64_t begin, int64_t end) {
  std::iota(order + begin, order + end, begin);
  if (end - begin > 1) sort_ascending(scores, order, begin, end, 2 * static_cast<int64_t>(std::log2(end - begin)));
  std::reverse(order + begin, order + end);
}

}  // namespace

void rank_scores_cpu(const double* scores, const int64_t* offsets, int64_t groups, int64_t* order) {
  const int64_t mean = std::max<int64_t>(1, offsets[groups] / std::max<int64_t>(1, groups));
  parallel_for(groups, std::max<int64_t>(1, 5000 / mean), [&](int64_t first, int64_t last) {
    for (int64_t g = first; g < last; ++g) rank_group(scores, order, offsets[g], offsets[g + 1]);
  });
}

}  // namespace ptfast
