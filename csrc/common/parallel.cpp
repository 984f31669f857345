#include "common/parallel.h"

#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace ptfast {
namespace {

int default_threads() {
  if (const char* text = std::getenv("PTFAST_NUM_THREADS")) {
    const int n = std::atoi(text);
    if (n > 0) return n;
  }
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

// One call of parallel_for. Threads take pieces by advancing `next` until none is left.
struct Job {
  void (*body)(const void*, int64_t, int64_t);
  const void* context;
  int64_t n, piece;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error{};  // the first one, for the caller to throw again; the pieces that are left are not begun

  void run() noexcept {
    try {
      for (int64_t begin; (begin = next.fetch_add(piece)) < n;) body(context, begin, std::min(n, begin + piece));
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
      next.store(n);
    }
  }
};

// True on threads that run a body. A call from there stays on its thread, since waiting for the pool would be waiting
// for itself.
thread_local bool inside_pool = false;

// Workers sleep on `wake` until `generation` moves, take pieces of `job`, and the last one out signals `done`.
class Pool {
 public:
  void run(Job& job, int threads) {
    grow(threads - 1);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      seats_ = std::min(threads - 1, size_);
      ++generation_;
    }
    wake_.notify_all();
    inside_pool = true;
    job.run();
    inside_pool = false;
    std::unique_lock<std::mutex> lock(mutex_);
    seats_ = 0;  // a worker that has not woken yet is no longer needed
    done_.wait(lock, [this] { return busy_ == 0; });
    job_ = nullptr;
  }

 private:
  // Starts workers until there are so many, or until the system gives no further thread: the caller's is enough.
  void grow(int workers) try {
    for (; size_ < workers; ++size_) std::thread([this] { work(); }).detach();
  } catch (const std::system_error&) {
  }

  void work() {
    inside_pool = true;
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return generation_ != seen && (seen = generation_, seats_ > 0); });
      --seats_;
      ++busy_;
      Job* job = job_;
      lock.unlock();
      job->run();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  uint64_t generation_ = 0;
  int seats_ = 0, busy_ = 0, size_ = 0;
};

// The pool is never destroyed: detached workers may wait on it while the process exits.
Pool* pool = nullptr;
std::mutex* pool_owner = new std::mutex;
std::atomic<int> chosen_threads{0};

// Only the forking thread lives on in a child: its pool has no workers and perhaps a held lock, so it starts afresh.
void reset_in_child() {
  pool = nullptr;
  pool_owner = new std::mutex;
  inside_pool = false;
}

}  // namespace

int num_threads() {
  int n = chosen_threads.load();
  if (n < 1) chosen_threads.store(n = default_threads());
  return n;
}

void set_num_threads(int n) { chosen_threads.store(n < 1 ? default_threads() : n); }

void parallel_for(int64_t n, int64_t grain, void (*body)(const void*, int64_t, int64_t), const void* context) {
  if (n <= 0) return;
  const int64_t pieces = std::max<int64_t>(1, n / std::max<int64_t>(1, grain));
  const int threads = static_cast<int>(std::min<int64_t>(num_threads(), pieces));
  std::unique_lock<std::mutex> owner(*pool_owner, std::defer_lock);
  if (threads == 1 || inside_pool || !owner.try_lock()) return body(context, 0, n);
  if (pool == nullptr) {
    static const int registered = pthread_atfork(nullptr, nullptr, reset_in_child);
    (void)registered;
    pool = new Pool;
  }
  // Four pieces a thread even out uneven work; never less than `grain` each.
  const int64_t piece = std::max((n + 4 * threads - 1) / (4 * threads), std::max<int64_t>(1, grain));
  Job job{body, context, n, piece};
  pool->run(job, threads);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace ptfast
