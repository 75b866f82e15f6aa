#include "runtime/threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
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

using Clock = std::chrono::steady_clock;

constexpr auto kLongestWatch = std::chrono::microseconds(50);
constexpr int kLooks = 32;       // between two looks at the clock
constexpr int kCloseCalls = 4;   // that make a burst
constexpr int kPatience = 2000;  // looks, about 50 µs, before a caller sleeps until its workers are done

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Lives on the caller's stack; linked into the pool while it still wants workers.
struct Job {
  void (*body)(void*);
  void* context;
  int wanted;                  // calls no worker has taken yet
  std::atomic<int> active{0};  // calls being run by workers; whoever makes it 0 touches the job no more
  Job* next = nullptr;
};

#if defined(__linux__)
inline int this_processor() { return sched_getcpu(); }

// A worker's processors: all but its caller's, on which Linux is fond of waking it. There it waits for the caller's
// turn to end, and where threads of another library spin elsewhere after their work, it stays.
class Processors {
 public:
  Processors* next = nullptr;

  Processors() : worker_(pthread_self()) {}

  // Of one caller at a time. Without success nothing is worse than before.
  void keep_off(int callers) {
    if (callers == kept_off_) return;
    kept_off_ = callers;
    cpu_set_t now;
    if (pthread_getaffinity_np(worker_, sizeof now, &now) != 0) return;
    if (!CPU_EQUAL(&now, &chosen_)) all_ = now;  // somebody else's wish
    chosen_ = all_;
    CPU_CLR(callers, &chosen_);
    if (CPU_COUNT(&chosen_) > 0) static_cast<void>(pthread_setaffinity_np(worker_, sizeof chosen_, &chosen_));
  }

 private:
  const pthread_t worker_;
  cpu_set_t all_{}, chosen_{};
  int kept_off_ = -1;
};
#else
inline int this_processor() { return 0; }

class Processors {
 public:
  Processors* next = nullptr;
  void keep_off(int) {}
};
#endif

// Held for a few instructions only: whoever comes at the same moment had better not be put to sleep.
class Brief {
 public:
  explicit Brief(std::mutex& mutex) : lock_(mutex, std::try_to_lock) {
    for (int i = 0; i < kLooks && !lock_.owns_lock(); ++i) {
      relax();
      static_cast<void>(lock_.try_lock());
    }
    if (!lock_.owns_lock()) lock_.lock();
  }
  std::unique_lock<std::mutex>& operator*() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

class Pool {
 public:
  int awake() const { return awake_.load(std::memory_order_relaxed); }

  void run(int helpers, Job& job) {
    int wanted = 0;
    {
      Brief lock(mutex_);
      hire(helpers);
      wanted = job.wanted = std::min(helpers, workers_);
      keep_off_this_processor();
      append(job);
    }
    posted_.fetch_add(1);
    const int asleep = wanted - awake_.load();  // whoever falls asleep after this sees the job first
    if (asleep > 1) wake_.notify_all();
    if (asleep == 1) wake_.notify_one();
    job.body(job.context);
    {
      Brief lock(mutex_);
      remove(job);  // nobody joins any more: the work is handed out
    }
    for (int i = 0; i < kPatience && job.active.load() != 0; ++i) relax();
    if (job.active.load() == 0) return;
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&job] { return job.active.load() == 0; });
  }

  void wake(int workers) {
    {
      Brief lock(mutex_);
      hire(workers);
      keep_off_this_processor();
    }
    workers > 1 ? wake_.notify_all() : wake_.notify_one();
  }

 private:
  void keep_off_this_processor() {
    for (Processors* p = processors_; p != nullptr; p = p->next) p->keep_off(this_processor());
  }

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
    Clock::duration patience = kLongestWatch;
    std::uint32_t seen = 0;
    Processors processors;
    {
      Brief lock(mutex_);
      processors.next = processors_;
      processors_ = &processors;
    }
    for (;;) {
      if (!watch(seen, patience)) sleep();
      patience = kLongestWatch;
      for (;;) {
        seen = posted_.load();  // before looking: what is posted after it ends the watch
        Job* job = next();
        if (job == nullptr) break;
        const auto start = Clock::now();
        job->body(job->context);
        patience = std::min<Clock::duration>(Clock::now() - start, kLongestWatch);
        Brief lock(mutex_);
        if (job->active.fetch_sub(1) == 1) done_.notify_all();
      }
    }
  }

  // Whether more jobs are posted than were seen.
  bool watch(std::uint32_t seen, Clock::duration patience) {
    const auto end = Clock::now() + patience;
    awake_.fetch_add(1);
    bool posted = false;
    while (!posted && Clock::now() < end) {
      for (int i = 0; i < kLooks && !posted; ++i) {
        relax();
        posted = posted_.load(std::memory_order_relaxed) != seen;
      }
    }
    awake_.fetch_sub(1);
    return posted;
  }

  void sleep() {
    std::unique_lock lock(mutex_);
    if (first_ == nullptr) wake_.wait(lock);
  }

  // The job that waits longest, joined; nullptr if there is none.
  Job* next() {
    Brief lock(mutex_);
    Job* job = first_;
    if (job == nullptr) return nullptr;
    job->active.fetch_add(1);
    if (--job->wanted == 0) remove(*job);
    return job;
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
  Processors* processors_ = nullptr;                  // on the stacks of workers, which never end
  alignas(64) std::atomic<std::uint32_t> posted_{0};  // jobs so far: what workers that are awake look at
  std::atomic<int> awake_{0};
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

// Of the calls of one thread that took long enough to be looked at.
struct Recent {
  Clock::time_point end{};
  Clock::duration took{};
  int close = 0;  // calls that followed their predecessors closely, one after the other
};

thread_local Recent recent;

}  // namespace

int hardware_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

int workers_awake() {
  const Pool* current = pool.load(std::memory_order_acquire);
  return current == nullptr ? 0 : current->awake();
}

void wake_workers(int workers) {
  if (workers > 0) the_pool().wake(workers);
}

void run_on_threads(int threads, void (*body)(void*), void* context) {
  if (threads <= 1) return body(context);
  Job job{body, context, 0};
  the_pool().run(threads - 1, job);
}

Burst::Burst() : start_(Clock::now()) {
  const bool close = start_ - recent.end <= std::min<Clock::duration>(recent.took, kLongestWatch);
  recent.close = close ? recent.close + 1 : 0;
}

Burst::~Burst() {
  recent.end = Clock::now();
  recent.took = recent.end - start_;
}

// Less and less often: a worker that was woken but finds no processor is not there for the next call either.
bool Burst::goes_on() const { return recent.close >= kCloseCalls && (recent.close & (recent.close - 1)) == 0; }

void Burst::joined() { recent.close = 0; }

double Burst::nanoseconds() const { return std::chrono::duration<double, std::nano>(Clock::now() - start_).count(); }

}  // namespace sardonyx
