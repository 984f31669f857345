#pragma once
#include <setjmp.h>

namespace cuda_emulator {

// A function that can be left in the middle and gone on with later. swapcontext would ask the kernel for each change;
// here contexts only give a fiber its stack, and jumps do the rest.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Goes on with the fiber until it calls leave() or its work is done; whether it is done. The next call then begins
  // anew, with the work given.
  bool enter(void (*work)(const void*), const void* context);

  // Called inside the fiber: back to where enter was called.
  void leave();

 private:
  static void main();
  void begin();

  jmp_buf inside_, outside_;
  void* stack_;
  bool begun_ = false, done_ = false;
  void (*work_)(const void*) = nullptr;
  const void* context_ = nullptr;
};

}  // namespace cuda_emulator
