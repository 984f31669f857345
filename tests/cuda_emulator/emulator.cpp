#include "emulator.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator/warp.h"
#include "fibers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
const int warpSize = 32;

// Of unknown size, as what lies between them is one after the other.
extern __thread char shared_begin[], shared_end[];

namespace cuda_emulator {
namespace {

constexpr size_t kGuardBytes = 1024;  // around dynamic shared memory
constexpr unsigned char kGuard = 0xa5;

enum class State { kReady, kWaiting, kDone };

// One CUDA thread of the block that runs.
struct Thread {
  Fiber fiber;
  State state = State::kDone;
  // The call that it waits at.
  const char* name = nullptr;
  bool at_barrier = false;
  unsigned mask = 0;
  Site site{};
  Combine combine = nullptr;
  Offer offer{};
  uint64_t result = 0;
};

struct alignas(16) SharedUnit {
  unsigned char bytes[16];
};

struct Device {
  std::mutex mutex;
  std::vector<std::unique_ptr<Thread>> threads;  // grows to the largest block so far
  int count = 0, current = 0;                    // threads in the block, and the one that runs
  int at_barrier = 0;                            // how many wait at a barrier
  unsigned waiting[32] = {};                     // for each warp, the lanes that wait at an intrinsic
  std::vector<SharedUnit> shared;                // guard, memory, guard
  size_t shared_bytes = 0;
  std::map<const void*, size_t> allowed_shared;
  Order order = Order::kForward;
  std::mt19937_64 random;
  std::string failure;
};

Device device;

unsigned char* shared_bytes() { return device.shared[0].bytes; }

[[noreturn]] void fail_inside(const std::string& message) {
  device.failure = message;
  for (;;) device.threads[device.current]->fiber.leave();
}

void fill_shared() {
  std::fill_n(shared_bytes(), device.shared.size() * sizeof(SharedUnit), kGuard);
  std::fill_n(dynamic_shared(), device.shared_bytes, 0xff);
  std::fill(shared_begin, shared_end, '\xff');
}

void check_guards() {
  const unsigned char *begin = shared_bytes(), *end = begin + device.shared.size() * sizeof(SharedUnit);
  const auto changed = [](unsigned char byte) { return byte != kGuard; };
  const unsigned char *low = dynamic_shared(), *high = low + device.shared_bytes;
  if (std::find_if(begin, low, changed) == low && std::find_if(high, end, changed) == end) return;
  std::ostringstream text;
  text << "block (" << blockIdx.x << ", " << blockIdx.y << ", " << blockIdx.z << ") wrote outside the "
       << device.shared_bytes << " bytes of dynamic shared memory that its kernel was launched with";
  throw std::runtime_error(text.str());
}

// 0 .. count - 1 in the order to take them.
std::vector<int64_t> turns(int64_t count) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), int64_t(0));
  if (device.order == Order::kReverse) std::reverse(order.begin(), order.end());
  if (device.order == Order::kShuffled) std::shuffle(order.begin(), order.end(), device.random);
  return order;
}

uint3 unflatten(int64_t index, const dim3& size) {
  return {static_cast<unsigned>(index % size.x), static_cast<unsigned>(index / size.x % size.y),
          static_cast<unsigned>(index / size.x / size.y)};
}

bool same_call(const Thread& a, const Thread& b) {
  return a.at_barrier == b.at_barrier && a.mask == b.mask && a.site.line == b.site.line &&
         std::strcmp(a.site.file, b.site.file) == 0 && std::strcmp(a.name, b.name) == 0;
}

bool waits_with(int index, const Thread& other) {
  return index < device.count && device.threads[index]->state == State::kWaiting &&
         same_call(*device.threads[index], other);
}

// Describes the calls that keep the block from going on.
std::string deadlock() {
  std::ostringstream text;
  text << "block (" << blockIdx.x << ", " << blockIdx.y << ", " << blockIdx.z << ") cannot go on";
  int returned = 0, told = 0;
  for (int i = 0; i < device.count; ++i) returned += device.threads[i]->state == State::kDone;
  std::vector<bool> seen(device.count);
  for (int i = 0; i < device.count; ++i) {
    const Thread& own = *device.threads[i];
    if (seen[i] || own.state != State::kWaiting) continue;
    const int end = own.at_barrier ? device.count : std::min(device.count, i / 32 * 32 + 32);
    int alike = 0;
    for (int j = i; j < end; ++j)
      if (waits_with(j, own)) seen[j] = true, ++alike;
    if (++told > 4) continue;
    text << "; " << alike << (alike == 1 ? " thread, " : " threads, the first is ") << i << ", at " << own.name << " ("
         << own.site.file << ":" << own.site.line;
    if (!own.at_barrier) text << ", mask 0x" << std::hex << own.mask << std::dec;
    text << ")";
  }
  if (told > 4) text << "; and " << told - 4 << " groups more";
  text << "; " << returned << " of " << device.count << " threads have returned";
  return text.str();
}

// Each lane of a warp goes on until it waits or returns; whether any could.
bool run_lanes(int64_t first, void (*work)(const void*), const void* context) {
  bool moved = false;
  for (const int64_t lane : turns(std::min<int64_t>(32, device.count - first))) {
    Thread& thread = *device.threads[first + lane];
    if (thread.state != State::kReady) continue;
    moved = true;
    device.current = static_cast<int>(first + lane);
    threadIdx = unflatten(first + lane, blockDim);
    if (thread.fiber.enter(work, context)) thread.state = State::kDone;
    if (!device.failure.empty()) throw std::runtime_error(device.failure);
  }
  return moved;
}

// Runs the block's threads until all have returned. Unless the order is shuffled, a warp goes as far as it can before
// the next has its turn: that sets them as far apart as barriers allow.
void run_block(void (*work)(const void*), const void* context) {
  fill_shared();
  for (int i = 0; i < device.count; ++i) device.threads[i]->state = State::kReady;
  device.at_barrier = 0;
  std::fill(std::begin(device.waiting), std::end(device.waiting), 0u);
  for (bool moved = true; moved;) {
    moved = false;
    for (const int64_t warp : turns((device.count + 31) / 32)) {
      while (run_lanes(32 * warp, work, context)) {
        moved = true;
        if (device.order == Order::kShuffled) break;
      }
    }
  }
  const auto waits = [](const auto& thread) { return thread->state == State::kWaiting; };
  if (std::any_of(device.threads.begin(), device.threads.begin() + device.count, waits))
    throw std::runtime_error(deadlock());
  check_guards();
}

// Leaves the current thread until whoever completes its call has made it ready.
uint64_t wait() {
  Thread& own = *device.threads[device.current];
  own.fiber.leave();
  return own.result;
}

Thread& arrive(const char* name, bool at_barrier, unsigned mask, Offer offer, Combine combine, Site site) {
  Thread& own = *device.threads[device.current];
  own.state = State::kWaiting;
  own.name = name;
  own.at_barrier = at_barrier;
  own.mask = mask;
  own.site = site;
  own.combine = combine;
  own.offer = offer;
  if (at_barrier)
    ++device.at_barrier;
  else
    device.waiting[device.current / 32] |= 1u << lane_number();
  return own;
}

}  // namespace

int thread_number() { return device.current; }

unsigned char* dynamic_shared() { return shared_bytes() + kGuardBytes; }

void set_order(Order order, uint64_t seed) {
  const std::lock_guard<std::mutex> lock(device.mutex);
  device.order = order;
  device.random.seed(seed);
}

uint64_t collective(const char* name, unsigned mask, Offer offer, Combine combine, Site site) {
  const int lane = lane_number(), first = device.current - lane;
  if ((mask >> lane & 1u) == 0) {
    std::ostringstream text;
    text << "thread " << device.current << " calls " << name << " (" << site.file << ":" << site.line
         << ") with mask 0x" << std::hex << mask << ", which does not name its lane";
    fail_inside(text.str());
  }
  const Thread& own = arrive(name, false, mask, offer, combine, site);
  if ((mask & ~device.waiting[first / 32]) != 0) return wait();
  Offer offers[32];
  for (int i = 0; i < 32; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    if (!waits_with(first + i, own)) return wait();
    offers[i] = device.threads[first + i]->offer;
  }
  for (int i = 0; i < 32; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    device.threads[first + i]->result = combine(offers, mask, i);
    device.threads[first + i]->state = State::kReady;
  }
  device.waiting[first / 32] &= ~mask;
  return own.result;
}

int barrier(const char* name, bool predicate, Site site) {
  const Thread& own = arrive(name, true, 0, {uint64_t(predicate), -1}, nullptr, site);
  if (device.at_barrier < device.count) return static_cast<int>(wait());
  uint64_t holds = 0;
  for (int i = 0; i < device.count; ++i) {
    if (!waits_with(i, own)) return static_cast<int>(wait());
    holds += device.threads[i]->offer.value;
  }
  for (int i = 0; i < device.count; ++i) {
    device.threads[i]->result = holds;
    device.threads[i]->state = State::kReady;
  }
  device.at_barrier = 0;
  return static_cast<int>(holds);
}

void allow_shared(const void* kernel, size_t bytes) {
  const std::lock_guard<std::mutex> lock(device.mutex);
  device.allowed_shared[kernel] = bytes;
}

cudaError_t run(const Launch& launch, void (*thread)(const void*), const void* context) {
  const std::lock_guard<std::mutex> lock(device.mutex);
  const auto &grid = launch.grid, &block = launch.block;
  const int64_t count = int64_t(block.x) * block.y * block.z, blocks = int64_t(grid.x) * grid.y * grid.z;
  const bool fits = grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535 && block.z <= 64;
  if (blocks == 0 || count == 0 || count > kMaxThreads || !fits) return cudaErrorInvalidConfiguration;
  const auto allowed = device.allowed_shared.find(launch.kernel);
  if (launch.shared > (allowed == device.allowed_shared.end() ? kShared : allowed->second))
    return cudaErrorInvalidValue;
  gridDim = grid;
  blockDim = block;
  device.count = static_cast<int>(count);
  device.shared_bytes = launch.shared;
  device.shared.resize((launch.shared + 2 * kGuardBytes + 15) / 16);
  device.failure.clear();
  while (device.threads.size() < static_cast<size_t>(count)) device.threads.push_back(std::make_unique<Thread>());
  try {
    for (const int64_t i : turns(blocks)) {
      blockIdx = unflatten(i, grid);
      run_block(thread, context);
    }
  } catch (const std::runtime_error&) {
    device.threads.clear();  // they stand in the middle of the kernel
    throw;
  }
  return cudaSuccess;
}

}  // namespace cuda_emulator
