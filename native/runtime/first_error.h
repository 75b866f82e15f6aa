// What went wrong on several threads: of their errors, the first in the order of rows.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

namespace sardonyx {

class FirstError {
 public:
  // Keeps the current exception; to be called in a catch block.
  void keep(std::int64_t row) {
    const std::lock_guard lock(mutex_);
    if (error_ != nullptr && row_ < row) return;
    row_ = row;
    error_ = std::current_exception();
  }

  // To be called when all threads are done.
  void rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::int64_t row_ = -1;
  std::exception_ptr error_;
};

}  // namespace sardonyx
