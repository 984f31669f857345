#include "fibers.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <new>

namespace cuda_emulator {
namespace {

constexpr size_t kStackBytes = 128 << 10;

Fiber* starting = nullptr;

size_t page() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

// The page below the stack stays forbidden, so that an overflow ends at once instead of changing something else.
Fiber::Fiber()
    : stack_(mmap(nullptr, kStackBytes + page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  if (stack_ == MAP_FAILED || mprotect(stack_, page(), PROT_NONE) != 0) throw std::bad_alloc();
}

Fiber::~Fiber() { munmap(stack_, kStackBytes + page()); }

bool Fiber::enter(void (*work)(const void*), const void* context) {
  work_ = work;
  context_ = context;
  done_ = false;
  if (_setjmp(outside_) == 0) {
    if (begun_) _longjmp(inside_, 1);
    begin();
  }
  return done_;
}

void Fiber::leave() {
  if (_setjmp(inside_) == 0) _longjmp(outside_, 1);
}

void Fiber::begin() {
  begun_ = true;
  starting = this;
  ucontext_t own;
  getcontext(&own);
  own.uc_stack.ss_sp = static_cast<char*>(stack_) + page();
  own.uc_stack.ss_size = kStackBytes;
  own.uc_link = nullptr;
  makecontext(&own, &Fiber::main, 0);
  setcontext(&own);
}

void Fiber::main() {
  Fiber* const self = starting;
  for (;;) {
    self->work_(self->context_);
    self->done_ = true;
    self->leave();
  }
}

}  // namespace cuda_emulator
