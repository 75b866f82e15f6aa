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

// Lives on the caller's stack; on desks and in the pool's list while it still wants workers.
struct Job {
  void (*body)(void*);
  void* context;
  int wanted = 0;              // in the list: calls no worker has taken yet
  std::atomic<int> active{0};  // calls that workers run or are offered; whoever makes it 0 touches the job no more
  Job* next = nullptr;
};

constexpr int kSleeper = 1 << 16;  // in `active`: the caller sleeps, and wants to be told
constinit Job nothing{nullptr, nullptr};

#if defined(__linux__)
inline int this_processor() { return sched_getcpu(); }

// A worker's processors: all but its caller's, on which Linux is fond of waking it. There it waits for the caller's
// turn to end, and where threads of another library spin elsewhere after their work, it stays.
class Processors {
 public:
  Processors() : worker_(pthread_self()) {}

  bool keeps_off(int callers) const { return kept_off_.load(std::memory_order_relaxed) == callers; }

  // Of one caller at a time. Without success nothing is worse than before.
  void keep_off(int callers) {
    if (keeps_off(callers)) return;
    kept_off_.store(callers, std::memory_order_relaxed);
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
  std::atomic<int> kept_off_{-1};
};
#else
inline int this_processor() { return 0; }

class Processors {
 public:
  bool keeps_off(int) const { return true; }
  void keep_off(int) {}
};
#endif

// Where a worker that is awake finds its next job without a lock. It alone has its line of the cache, until a caller
// lays a job down; whoever changes the place from the job's address has the job: the worker, or its caller, once there
// is nothing left to do.
//
//   nullptr ◀──leave── nothing ──offer──▶ job ──take──▶ nullptr
//      └────sit_down────▶  ◀────withdraw───┘
class alignas(64) Desk {
 public:
  Processors processors;
  Desk* next = nullptr;

  bool is_empty() const { return there() == &nothing; }
  void sit_down() { place_.store(&nothing, std::memory_order_release); }
  bool leave() { return change(&nothing, nullptr); }
  bool offer(Job& job) { return change(&nothing, &job); }
  bool withdraw(Job& job) { return there() == &job && change(&job, &nothing); }

  Job* take() {
    Job* job = there();
    return job != &nothing && change(job, nullptr) ? job : nullptr;
  }

 private:
  Job* there() const { return place_.load(std::memory_order_relaxed); }
  bool change(Job* from, Job* to) { return place_.compare_exchange_strong(from, to, std::memory_order_acq_rel); }

  alignas(64) std::atomic<Job*> place_{nullptr};
};

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

 private:
  std::unique_lock<std::mutex> lock_;
};

class Pool {
 public:
  int awake() const {
    int found = 0;
    for (const Desk* desk = first_desk(); desk != nullptr; desk = desk->next) found += desk->is_empty() ? 1 : 0;
    return found;
  }

  void run(int helpers, Job& job) {
    const int offered = offer(helpers, job);
    const bool posted = offered < helpers && post(helpers - offered, job);
    job.body(job.context);
    // Nobody joins any more: the work is handed out.
    if (offered > 0) withdraw(job);
    if (posted) {
      Brief lock(mutex_);
      remove(job);
    }
    wait_for_workers(job);
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
  Desk* first_desk() const { return desks_.load(std::memory_order_acquire); }

  // ---- callers ------------------------------------------------------------------------------------------------------

  // Lays the job on desks; returns on how many.
  int offer(int helpers, Job& job) {
    const int here = this_processor();
    int found = 0;
    for (Desk* desk = first_desk(); desk != nullptr && found < helpers; desk = desk->next) {
      if (!desk->is_empty() || !desk->processors.keeps_off(here)) continue;
      job.active.fetch_add(1, std::memory_order_relaxed);
      if (desk->offer(job)) {
        ++found;
      } else {
        job.active.fetch_sub(1, std::memory_order_relaxed);
      }
    }
    return found;
  }

  void withdraw(Job& job) {
    for (Desk* desk = first_desk(); desk != nullptr; desk = desk->next) {
      if (desk->withdraw(job)) job.active.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  // Puts the job into the list, and wakes workers. False: there are none.
  bool post(int wanted, Job& job) {
    int asleep = 0;
    {
      Brief lock(mutex_);
      hire(wanted);
      job.wanted = std::min(wanted, workers_);
      if (job.wanted == 0) return false;
      keep_off_this_processor();
      append(job);
      asleep = std::min(job.wanted, asleep_);
    }
    posted_.fetch_add(1);  // whoever falls asleep after this sees the job first
    if (asleep > 1) wake_.notify_all();
    if (asleep == 1) wake_.notify_one();
    return true;
  }

  void wait_for_workers(Job& job) {
    for (int i = 0; job.active.load(std::memory_order_acquire) != 0; ++i) {
      if (i == kPatience) return sleep_until_done(job);
      relax();
    }
  }

  void sleep_until_done(Job& job) {
    std::unique_lock lock(mutex_);
    if (job.active.fetch_add(kSleeper) == 0) return;
    done_.wait(lock, [&job] { return job.active.load() == kSleeper; });
  }

  void keep_off_this_processor() {
    for (Desk* desk = first_desk(); desk != nullptr; desk = desk->next) desk->processors.keep_off(this_processor());
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

  // ---- workers ------------------------------------------------------------------------------------------------------

  void work() {
    Desk desk;
    {
      Brief lock(mutex_);
      desk.next = first_desk();
      desks_.store(&desk, std::memory_order_release);
    }
    Clock::duration patience = kLongestWatch;
    std::uint32_t seen = posted_.load() - 1;  // there may be a job already
    for (;;) {
      Job* job = listed(seen);
      if (job == nullptr) job = watch(desk, seen, patience);
      if (job != nullptr) {
        const auto start = Clock::now();
        job->body(job->context);
        finish(*job);
        patience = std::min<Clock::duration>(Clock::now() - start, kLongestWatch);
      } else {
        if (posted_.load() == seen) sleep();
        patience = kLongestWatch;
      }
    }
  }

  void finish(Job& job) {
    if (job.active.fetch_sub(1, std::memory_order_acq_rel) != kSleeper + 1) return;
    const std::lock_guard lock(mutex_);  // the caller waits by now
    done_.notify_all();
  }

  // The job of the list that waits longest, joined; nullptr if nothing was posted since the list was seen to be empty.
  Job* listed(std::uint32_t& seen) {
    const std::uint32_t now = posted_.load();
    if (now == seen) return nullptr;
    Job* job = next();
    if (job == nullptr) seen = now;
    return job;
  }

  // The job that is laid on the desk; nullptr when one is posted, or at the end of the patience.
  Job* watch(Desk& desk, std::uint32_t seen, Clock::duration patience) {
    const auto end = Clock::now() + patience;
    desk.sit_down();
    for (int looks = 1;; ++looks) {
      relax();
      if (Job* job = desk.take()) return job;
      const bool late = looks % kLooks == 0 && Clock::now() >= end;
      if ((late || posted_.load(std::memory_order_relaxed) != seen) && desk.leave()) return nullptr;
    }
  }

  void sleep() {
    std::unique_lock lock(mutex_);
    if (first_ != nullptr) return;
    ++asleep_;
    wake_.wait(lock);
    --asleep_;
  }

  // ---- the list -----------------------------------------------------------------------------------------------------

  Job* next() {
    Brief lock(mutex_);
    Job* job = first_;
    if (job == nullptr) return nullptr;
    job->active.fetch_add(1);
    if (--job->wanted == 0) remove(*job);
    return job;
  }

  void append(Job& job) {
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
  int workers_ = 0, asleep_ = 0;
  std::atomic<Desk*> desks_{nullptr};                 // on the stacks of workers, which never end
  alignas(64) std::atomic<std::uint32_t> posted_{0};  // jobs of the list so far
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
  Job job{body, context};
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
