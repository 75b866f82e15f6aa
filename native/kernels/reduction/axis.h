// What kernels along one axis of a row share (see Axis in check.h).
#pragma once

#include "kernels/check.h"

namespace sardonyx {
namespace {

template <class T>
inline bool is_nan(T x) {
  return x != x;
}

[[maybe_unused]] void check_axis(const Step& step, const char* kernel, int params) {
  require_counts(step, kernel, 1, 1, params);
  require_row_output(step, kernel);
  require(!step.inputs[0].constant, kernel, "the input is a constant");
  const Axis axis = axis_of(step);
  require(covers(axis.outer, axis.n, axis.inner, step.inputs[0].width), kernel, "params do not fit the input");
}

// The place of an index on an axis of n: a negative one counts from the end, one beyond is refused.
[[maybe_unused]] inline std::int64_t wrapped(std::int64_t index, std::int64_t n, const char* kernel) {
  const std::int64_t at = index < 0 ? index + n : index;
  if (!in_range(at, 0, n - 1)) {
    fail("%s: index %lld is out of range for an axis of %lld", kernel, static_cast<long long>(index),
         static_cast<long long>(n));
  }
  return at;
}

}  // namespace
}  // namespace sardonyx
