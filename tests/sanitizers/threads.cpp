// The thread pool and what runs on it, from several threads at once, for the thread sanitizer: calls that have the
// pool, calls that find it taken, errors in a body, calls inside one, and linking, whose passes share predecessors.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "assignment/assignment.h"
#include "common/parallel.h"
#include "linking/linking.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

void sum_in_pieces() {
  std::vector<int64_t> values(100000, 1);
  std::atomic<int64_t> sum{0};
  ptfast::parallel_for(100000, 1000, [&](int64_t begin, int64_t end) {
    int64_t own = 0;
    for (int64_t i = begin; i < end; ++i) own += values[i]++;
    ptfast::parallel_for(end - begin, 1, [&](int64_t first, int64_t last) { sum += last - first; });
    sum += own;
  });
  require(sum == 200000, "each piece runs once");
}

void throw_in_a_piece() {
  try {
    ptfast::parallel_for(1000, 1, [](int64_t, int64_t end) {
      if (end > 500) throw std::runtime_error("from the pool");
    });
  } catch (const std::runtime_error&) {
    return;
  }
  require(false, "an error in a body comes out");
}

// A video of `frames` frames of five wandering people, some of them missed.
struct Video {
  std::vector<float> keypoints, boxes, areas;
  std::vector<uint8_t> visible;
  std::vector<int64_t> offsets{0};

  explicit Video(int64_t frames) {
    std::mt19937 random(15);
    std::uniform_real_distribution<float> unit(0.f, 1.f);
    for (int64_t f = 0; f < frames; ++f) {
      for (int64_t person = 0; person < 5; ++person) {
        if (unit(random) < 0.2f) continue;
        const float x = 100.f * static_cast<float>(person) + 5.f * unit(random), y = 9.f * unit(random);
        for (const float number : {x, y, x + 40.f, y + 80.f}) {
          keypoints.push_back(number);
          boxes.push_back(number);
        }
        areas.push_back(3200.f);
        visible.insert(visible.end(), {1, static_cast<uint8_t>(unit(random) < 0.9f)});
      }
      offsets.push_back(static_cast<int64_t>(areas.size()));
    }
  }

  std::vector<int64_t> link(bool velocity, bool greedy) const {
    ptfast::LinkOptions options;
    options.velocity = velocity, options.greedy = greedy;
    options.lookback = 4, options.joints = 2, options.sigmas = {0.1f, 0.2f};
    std::vector<int64_t> ids(areas.size());
    const ptfast::FrameView columns{
        0,           static_cast<int64_t>(areas.size()), keypoints.data(), visible.data(), boxes.data(), areas.data(),
        areas.data()};
    ptfast::link_video({columns, offsets.data(), static_cast<int64_t>(offsets.size()) - 1}, options, {}, ids.data());
    return ids;
  }
};

void assign_many() {
  std::vector<double> costs(3000 * 8 * 8);
  for (size_t i = 0; i < costs.size(); ++i) costs[i] = static_cast<double>(i * 7919 % 1009);
  std::vector<int64_t> columns(3000 * 8);
  const int64_t bad =
      ptfast::assign_cpu(costs.data(), 3000, 8, 8, 1e9, ptfast::AssignmentMethod::kHungarian, columns.data());
  require(bad < 0, "good costs are no error");
}

}  // namespace

int main() {
  const Video video(1500);
  ptfast::set_num_threads(1);
  const auto in_passes = video.link(false, false), in_order = video.link(true, true);
  ptfast::set_num_threads(4);
  const auto work = [&] {
    for (int round = 0; round < 5; ++round) {
      sum_in_pieces();
      throw_in_a_piece();
      assign_many();
      require(video.link(false, false) == in_passes, "threads do not change ids");
      require(video.link(true, true) == in_order, "threads do not change ids in order");
      ptfast::set_num_threads(2 + round % 3);
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back(work);
  for (auto& caller : callers) caller.join();
  std::puts("no race");
}
