// Calls that take Python's lock again: here a daemon thread learns that Python has ended.
//
// Before 3.14 Python ends such a thread by pthread_exit, which unwinds its stack: our destructors would let go of
// objects that are no more, without the lock. The thread sleeps instead, as in 3.14, until the process is gone.
#pragma once

#if !defined(_WIN32)
#include <unistd.h>
#endif

#include <type_traits>
#include <utility>

namespace sardonyx::python {

class Unending {
 public:
  Unending() = default;
  ~Unending() {
#if !defined(_WIN32)  // which unwinds nothing
    while (!returned_) ::pause();
#endif
  }
  Unending(const Unending&) = delete;
  Unending& operator=(const Unending&) = delete;
  void returned() { returned_ = true; }

 private:
  bool returned_ = false;
};

// Calls a function of Python's, none of which throws.
template <class Result, class... Expected, class... Given>
Result unending(Result (*function)(Expected...), Given&&... given) {
  Unending call;
  if constexpr (std::is_void_v<Result>) {
    function(std::forward<Given>(given)...);
    call.returned();
  } else {
    Result result = function(std::forward<Given>(given)...);
    call.returned();
    return result;
  }
}

}  // namespace sardonyx::python
