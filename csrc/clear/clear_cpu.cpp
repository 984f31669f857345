#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "clear/clear.h"
#include "clear/ordered_assignment.h"
#include "common/parallel.h"

namespace ptfast {
namespace {

constexpr int64_t kNone = -1;

// Ranks of ids among the distinct ids of one sequence. Returns the number of distinct ids.
// ids, ranks: [count]
int64_t rank_ids(const int64_t* ids, int64_t count, int64_t* ranks) {
  std::vector<int64_t> names(ids, ids + count);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (int64_t i = 0; i < count; ++i) ranks[i] = std::lower_bound(names.begin(), names.end(), ids[i]) - names.begin();
  return static_cast<int64_t>(names.size());
}

// Ids of all rows as ranks within their sequence, so that an array can hold the state of each id.
struct RankedIds {
  std::vector<int64_t> ranks;  // [rows]
  std::vector<int64_t> names;  // [sequences] distinct ids

  RankedIds(const ClearInputs& in, const int64_t* ids, const int64_t* offsets) : names(in.sequences) {
    ranks.resize(offsets[in.sequence_offsets[in.sequences]]);
    parallel_for(in.sequences, 20, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        const int64_t first = offsets[in.sequence_offsets[s]], last = offsets[in.sequence_offsets[s + 1]];
        names[s] = rank_ids(ids + first, last - first, ranks.data() + first);
      }
    });
  }
};

// One channel of one sequence, frame after frame: each frame's matching depends on the one before. Channels and
// sequences are independent, so each is a task of its own. Where objects and hypotheses are indices here, they are
// ranks of ids.
class Channel {
 public:
  Channel(const ClearInputs& in, const ClearOutputs& out, const RankedIds& objects, const RankedIds& hypotheses,
          int64_t sequence, int64_t k)
      : in_(in),
        out_(out),
        object_ranks_(objects.ranks.data()),
        hypothesis_ranks_(hypotheses.ranks.data()),
        counts_(out.counts + (sequence * in.k + k) * kClearEvents),
        sums_(out.sums + (sequence * in.k + k) * 2),
        k_(k),
        hypothesis_of_(objects.names[sequence], kNone),
        object_of_(hypotheses.names[sequence], kNone),
        seen_(hypotheses.names[sequence], 0) {
    for (int64_t f = in.sequence_offsets[sequence]; f < in.sequence_offsets[sequence + 1]; ++f) frame(f);
  }

 private:
  void frame(int64_t f) {
    gather(in_.object_present, in_.object_offsets[f], in_.object_offsets[f + 1], rows_);
    gather(in_.hypothesis_present, in_.hypothesis_offsets[f], in_.hypothesis_offsets[f + 1], columns_);
    const int64_t pairs = counts_[kMatch] + counts_[kSwitch];
    if (!rows_.empty() && !columns_.empty()) {
      block(f);
      if (keep() < std::min(rows_.size(), columns_.size())) assign();
    }
    const int64_t made = counts_[kMatch] + counts_[kSwitch] - pairs;
    counts_[kMiss] += static_cast<int64_t>(rows_.size()) - made;
    counts_[kFalsePositive] += static_cast<int64_t>(columns_.size()) - made;
  }

  // The rows from first to last that are there in this channel.
  void gather(const uint8_t* present, int64_t first, int64_t last, std::vector<int64_t>& rows) const {
    rows.clear();
    for (int64_t row = first; row < last; ++row)
      if (present == nullptr || present[row * in_.k + k_] != 0) rows.push_back(row);
  }

  // Distances between the gathered rows, +inf where a pair is forbidden.
  void block(int64_t f) {
    const int64_t first = in_.hypothesis_offsets[f], width = in_.hypothesis_offsets[f + 1] - first;
    place_.assign(width, kNone);
    for (int64_t j = 0; j < static_cast<int64_t>(columns_.size()); ++j) place_[columns_[j] - first] = j;
    cost_.assign(rows_.size() * columns_.size(), std::numeric_limits<double>::infinity());
    for (int64_t i = 0; i < static_cast<int64_t>(rows_.size()); ++i)
      for (int64_t p = in_.pair_offsets[rows_[i]]; p < in_.pair_offsets[rows_[i] + 1]; ++p) {
        const double distance = in_.distances[p * in_.k + k_];
        const int64_t j = place_[in_.pair_columns[p] - first];
        if (j == kNone || !std::isfinite(distance)) continue;
        sums_[1] += distance;
        cost(i, j) = distance;
      }
  }

  double& cost(int64_t i, int64_t j) { return cost_[i * columns_.size() + j]; }

  // Gives every object its last hypothesis, unless an object before it took that. Returns the number of pairs.
  size_t keep() {
    size_t kept = 0;
    taken_.assign(columns_.size(), 0);
    for (int64_t i = 0; i < static_cast<int64_t>(rows_.size()); ++i) {
      const int64_t last = hypothesis_of_[object_ranks_[rows_[i]]];
      if (last == kNone) continue;
      for (int64_t j = 0; j < static_cast<int64_t>(columns_.size()); ++j) {
        if (taken_[j] != 0 || hypothesis_ranks_[columns_[j]] != last) continue;
        if (std::isfinite(cost(i, j))) {
          taken_[j] = 1;
          ++kept;
          pair(i, j, kMatch);
        }
        break;
      }
    }
    return kept;
  }

  // Assigns the rest. Where no object and no hypothesis has a choice, the admissible pairs are the assignment.
  void assign() {
    if (!leave_rest()) return;
    if (std::any_of(choices_.begin(), choices_.end(), [](int64_t choices) { return choices > 1; })) return solve_rest();
    for (const auto& [i, j] : rest_) pair_anew(i, j);
  }

  // Lists the admissible pairs of the rest, row by row, and counts those of each row and of each column.
  bool leave_rest() {
    const int64_t n = static_cast<int64_t>(rows_.size()), m = static_cast<int64_t>(columns_.size());
    rest_.clear();
    choices_.assign(n + m, 0);
    for (int64_t i = 0; i < n; ++i) {
      if (out_.matched[rows_[i] * in_.k + k_] != kNone) continue;
      for (int64_t j = 0; j < m; ++j) {
        if (taken_[j] != 0 || !std::isfinite(cost(i, j))) continue;
        rest_.push_back({i, j});
        ++choices_[i], ++choices_[n + j];
      }
    }
    return !rest_.empty();
  }

  // Solves the whole frame, kept pairs included as forbidden ones: py-motmetrics does, and which of several equally
  // good assignments it finds hangs on that, as on the cost that stands for a forbidden pair. One such pair costs more
  // than all others could together.
  void solve_rest() {
    const int64_t n = static_cast<int64_t>(rows_.size()), m = static_cast<int64_t>(columns_.size());
    double largest = 0;
    for (const auto& [i, j] : rest_) largest = std::max(largest, std::abs(cost(i, j)));
    const double forbidden = 2 * static_cast<double>(std::min(n, m)) * (largest + 1) + 1;
    whole_.assign(n * m, forbidden);
    for (const auto& [i, j] : rest_) whole_[i * m + j] = cost(i, j);
    const int64_t* partner = solver().solve(whole_.data(), n, m);
    for (const auto& [i, j] : rest_)
      if (partner[i] == j) pair_anew(i, j);
  }

  void pair_anew(int64_t i, int64_t j) {
    const int64_t object = object_ranks_[rows_[i]], hypothesis = hypothesis_ranks_[columns_[j]];
    const int64_t last = hypothesis_of_[object], owner = object_of_[hypothesis];
    const bool switches = last != kNone && last != hypothesis;
    if (switches && seen_[hypothesis] == 0) count(kAscend, cost(i, j));
    if (owner != kNone && owner != object) {
      count(kTransfer, cost(i, j));
      if (last == kNone) count(kMigrate, cost(i, j));
    }
    hypothesis_of_[object] = hypothesis;
    object_of_[hypothesis] = object;
    pair(i, j, switches ? kSwitch : kMatch);
  }

  void pair(int64_t i, int64_t j, ClearEvent event) {
    const int64_t entry = rows_[i] * in_.k + k_;
    out_.matched[entry] = columns_[j];
    out_.switched[entry] = event == kSwitch;
    seen_[hypothesis_ranks_[columns_[j]]] = 1;
    sums_[0] += cost(i, j);
    count(event, cost(i, j));
  }

  void count(ClearEvent event, double distance) {
    ++counts_[event];
    sums_[1] += distance;
  }

  static OrderedAssignment& solver() {
    static thread_local OrderedAssignment own;
    return own;
  }

  const ClearInputs& in_;
  const ClearOutputs& out_;
  const int64_t *object_ranks_, *hypothesis_ranks_;  // [n], [m]
  int64_t* counts_;                                  // [kClearEvents]
  double* sums_;                                     // [2]
  int64_t k_;
  std::vector<int64_t> hypothesis_of_;             // [object ids] last hypothesis, or kNone
  std::vector<int64_t> object_of_;                 // [hypothesis ids] object of the last new pair, or kNone
  std::vector<uint8_t> seen_;                      // [hypothesis ids] matched before
  std::vector<int64_t> rows_, columns_;            // of this frame and channel
  std::vector<int64_t> place_;                     // [hypotheses of the frame] in columns_, or kNone
  std::vector<double> cost_, whole_;               // [rows, columns]
  std::vector<uint8_t> taken_;                     // [columns]
  std::vector<std::pair<int64_t, int64_t>> rest_;  // positions in rows_ and columns_
  std::vector<int64_t> choices_;                   // [rows + columns] pairs of the rest
};

}  // namespace

void clear_match_cpu(const ClearInputs& in, const ClearOutputs& out) {
  const RankedIds objects(in, in.object_ids, in.object_offsets);
  const RankedIds hypotheses(in, in.hypothesis_ids, in.hypothesis_offsets);
  const int64_t tasks = in.sequences * in.k, frames = in.sequence_offsets[in.sequences];
  // A frame of one channel takes about half a microsecond and 20 ns for each pair.
  const double seconds =
      5e-7 * static_cast<double>(frames) + 2e-8 * static_cast<double>(in.pair_offsets[in.object_offsets[frames]]);
  const double each = seconds / static_cast<double>(std::max<int64_t>(1, in.sequences));
  parallel_for(tasks, std::max<int64_t>(1, static_cast<int64_t>(2e-4 / std::max(each, 1e-9))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task)
                   Channel(in, out, objects, hypotheses, task / in.k, task % in.k);
               });
}

}  // namespace ptfast
