// A process-wide pool of worker threads. Workers sleep on a condition variable; the caller always takes part itself.
//
// It survives fork() (the child starts a new pool when it first needs one) and the end of the process (workers are
// detached and own nothing).
#pragma once

namespace sardonyx {

int hardware_threads();  // the processors this process may use, at least 1

// Calls body(context) once on the calling thread and on up to threads - 1 workers, and returns when all calls returned.
// body pulls its pieces of work itself (an atomic counter) and must not throw. With fewer idle workers, fewer calls.
void run_on_threads(int threads, void (*body)(void*), void* context);

}  // namespace sardonyx
