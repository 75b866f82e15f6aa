#include "runtime/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace sardonyx {
namespace {

// Lives on the caller's stack; linked into the pool while it still wants workers.
struct Job {
  void (*body)(void*);
  void* context;
  int wanted;      // calls no worker has taken yet
  int active = 0;  // calls being run by workers
  Job* next = nullptr;
};

class Pool {
 public:
  void run(int helpers, Job& job) {
    {
      const std::lock_guard lock(mutex_);
      hire(helpers);
      job.wanted = std::min(helpers, workers_);
      append(job);
    }
    if (job.wanted > 1) wake_.notify_all();
    if (job.wanted == 1) wake_.notify_one();
    job.body(job.context);
    std::unique_lock lock(mutex_);
    remove(job);  // nobody joins any more: the work is handed out
    done_.wait(lock, [&job] { return job.active == 0; });
  }

 private:
  void hire(int wanted) {
    while (workers_ < wanted) {
      try {
        std::thread(&Pool::work, this).detach();
      } catch (const std::system_error&) {
        return;  // the system gives no more threads: the caller does the work
      }
      ++workers_;
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return first_ != nullptr; });
      Job& job = *first_;
      if (--job.wanted == 0) remove(job);
      ++job.active;
      lock.unlock();
      job.body(job.context);
      lock.lock();
      if (--job.active == 0) done_.notify_all();
    }
  }

  void append(Job& job) {
    if (job.wanted == 0) return;
    Job** end = &first_;
    while (*end != nullptr) end = &(*end)->next;
    *end = &job;
  }

  void remove(Job& job) {
    for (Job** at = &first_; *at != nullptr; at = &(*at)->next) {
      if (*at != &job) continue;
      *at = job.next;
      return;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* first_ = nullptr;
  int workers_ = 0;
};

// Never deleted: workers may outlive static destruction, and after fork() its threads and locks are lost in the child.
std::atomic<Pool*> pool{nullptr};

#if !defined(_WIN32)
void forget_pool() { pool.store(nullptr, std::memory_order_relaxed); }
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, forget_pool);
#endif

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current != nullptr) return *current;
  auto* made = new Pool;
  if (pool.compare_exchange_strong(current, made)) return *made;
  delete made;
  return *current;
}

}  // namespace

int hardware_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

void run_on_threads(int threads, void (*body)(void*), void* context) {
  if (threads <= 1) return body(context);
  Job job{body, context, 0};
  the_pool().run(threads - 1, job);
}

}  // namespace sardonyx
