// The one exception of the core: a program, or a value given to it, is refused.
#pragma once

#include <stdexcept>
#include <string>

namespace sardonyx {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sardonyx
