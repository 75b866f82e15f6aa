// A process-wide pool of worker threads; the caller always takes part itself.
//
//   asleep ──woken, 50 µs───▶ working ──▶ awake: looks out for the next call ──▶ asleep
//                                ▲            │    as long as its last work took, at most kLongestWatch
//                                └──0.3 µs────┘
//
// A worker that stays awake never wastes more time than it worked, and one whose process has nothing to do sleeps.
// Workers are kept off their caller's processor (Linux).
//
// The pool survives fork() (the child starts a new one when it first needs it) and the end of the process (workers are
// detached and own nothing).
#pragma once

#include <chrono>

namespace sardonyx {

int hardware_threads();  // the processors this process may use, at least 1

int workers_awake();  // those that would join a call at once

// Wakes up to `workers` that sleep, too late for the call that is being made, for the sake of the next ones.
void wake_workers(int workers);

// Calls body(context) once on the calling thread and on up to threads - 1 workers, and returns when all calls returned.
// body pulls its pieces of work itself (an atomic counter) and must not throw. With fewer idle workers, fewer calls.
void run_on_threads(int threads, void (*body)(void*), void* context);

// One call among those that its thread makes: where they follow each other closely, workers are worth waking for the
// next ones' sake. Lives for as long as the call.
class Burst {
 public:
  Burst();
  ~Burst();
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;
  bool goes_on() const;
  void joined();               // workers were awake: once they sleep again, it is counted anew
  double nanoseconds() const;  // since the call began

 private:
  std::chrono::steady_clock::time_point start_;
};

}  // namespace sardonyx
