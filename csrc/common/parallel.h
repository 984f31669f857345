#pragma once
#include <cstdint>

namespace ptfast {

// Threads that parallel_for may use: PTFAST_NUM_THREADS if set, else as many as the scheduler allows this process.
int num_threads();

// Sets num_threads; n < 1 restores the default.
void set_num_threads(int n);

// Runs body(context, begin, end) over pieces of [0, n) of at least `grain` items. A small n, a call from inside a body,
// a call while another Python thread has the pool, and one where the system gives no further thread all stay on the
// calling thread, so this never waits for itself. An exception of body comes out of here once all threads have stopped.
// `grain` should be worth about 200 us: waking a thread costs more than that on a busy machine.
void parallel_for(int64_t n, int64_t grain, void (*body)(const void* context, int64_t begin, int64_t end),
                  const void* context);

// parallel_for for a callable f(begin, end). The work itself belongs in a PTFAST_CLONES function that f calls.
template <typename F>
void parallel_for(int64_t n, int64_t grain, const F& f) {
  parallel_for(
      n, grain, [](const void* context, int64_t begin, int64_t end) { (*static_cast<const F*>(context))(begin, end); },
      &f);
}

}  // namespace ptfast
