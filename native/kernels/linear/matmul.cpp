// Matrix products inside a row: y[b, i, j] = sum over p of a[b, i, p] * b[b, p, j].
//
// Params [batch, m, k, n, a_batched, b_batched]: an operand that is not batched is one matrix for the whole batch.
// Either operand may be rows or a constant. (Vectors times a constant matrix are Linear, in linear.cpp.)
//
// Of floats and matrices that are not very small, b is laid out in panels first (panels.h): that is read once for many
// rows of a.
#include "kernels/check.h"
#include "kernels/linear/panels.h"

namespace sardonyx {
namespace {

struct Sizes {
  std::int64_t batch, m, k, n;
  bool a_batched, b_batched;
};

inline Sizes sizes_of(const Step& step) {
  const Param* p = step.params;
  return {p[0].i, p[1].i, p[2].i, p[3].i, p[4].i != 0, p[5].i != 0};
}

void check_matmul(const Step& step) {
  require_counts(step, "MatMul", 2, 1, 6);
  require_row_output(step, "MatMul");
  const Sizes s = sizes_of(step);
  const DType t = step.inputs[0].dtype;
  require(is_number(t) && step.inputs[1].dtype == t && step.outputs[0].dtype == t, "MatMul",
          "needs numbers of one type");
  require(covers(s.a_batched ? s.batch : 1, s.m, s.k, step.inputs[0].width), "MatMul",
          "params do not fit the left side");
  require(covers(s.b_batched ? s.batch : 1, s.k, s.n, step.inputs[1].width), "MatMul",
          "params do not fit the right side");
  require(covers(s.batch, s.m, s.n, step.outputs[0].width), "MatMul", "params do not fit the output");
}

// Along rows of b, so that the innermost loop is contiguous, four of them at a time; the sum over p runs from first to
// last. Small unsigned integers would be promoted to int, which may overflow.
template <class T>
inline void multiply(const T* a, const T* b, T* __restrict y, const Sizes& s) {
  using Factor = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  for (std::int64_t i = 0; i < s.m; ++i, y += s.n) {
    for (std::int64_t j = 0; j < s.n; ++j) y[j] = 0;
    const T* left = a + i * s.k;
    std::int64_t p = 0;
    for (; p + 4 <= s.k; p += 4) {
      const Factor f0 = left[p], f1 = left[p + 1], f2 = left[p + 2], f3 = left[p + 3];
      const T *b0 = b + p * s.n, *b1 = b0 + s.n, *b2 = b1 + s.n, *b3 = b2 + s.n;
      for (std::int64_t j = 0; j < s.n; ++j) {
        T sum = static_cast<T>(y[j] + f0 * b0[j]);
        sum = static_cast<T>(sum + f1 * b1[j]);
        sum = static_cast<T>(sum + f2 * b2[j]);
        y[j] = static_cast<T>(sum + f3 * b3[j]);
      }
    }
    for (; p < s.k; ++p) {
      const Factor factor = left[p];
      for (std::int64_t j = 0; j < s.n; ++j) y[j] = static_cast<T>(y[j] + factor * b[p * s.n + j]);
    }
  }
}

constexpr std::int64_t kLeastRows = 4, kLeastFactors = 64;  // of a, and of b, that are worth it

inline bool in_panels(const Step& step) {
  const Sizes s = sizes_of(step);
  return is_float(step.inputs[0].dtype) && s.m >= kLeastRows && s.k > 0 && s.n > 1 && s.k * s.n >= kLeastFactors;
}

template <class T>
inline void run_panels_as(const Step& step, std::int64_t rows, T* panels) {
  const Sizes s = sizes_of(step);
  T *zeros = panels + s.k * round_up(s.n, kLanes<T>), *y = data_of<T>(step.outputs[0]);
  for (std::int64_t j = 0; j < round_up(s.n, kLanes<T>); ++j) zeros[j] = T{0};
  const Part<T> part{s.k, s.n, s.n, s.k, panels, zeros, -static_cast<T>(__builtin_inf())};
  const T* packed = nullptr;
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* a = data_of<T>(step.inputs[0]) + r * row_stride(step.inputs[0]);
    const T* b = data_of<T>(step.inputs[1]) + r * row_stride(step.inputs[1]);
    for (std::int64_t batch = 0; batch < s.batch; ++batch, y += s.m * s.n) {
      const T* const next = b + (s.b_batched ? batch * s.k * s.n : 0);
      if (next != packed) pack_rows(next, s.k, s.n, panels);
      packed = next;
      run_panels(part, a + (s.a_batched ? batch * s.m * s.k : 0), s.m, y);
    }
  }
}

template <class T>
inline void run_matmul_as(const Step& step, std::int64_t rows) {
  const Sizes s = sizes_of(step);
  const std::int64_t a_next = s.a_batched ? s.m * s.k : 0, b_next = s.b_batched ? s.k * s.n : 0;
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* a = data_of<T>(step.inputs[0]) + r * row_stride(step.inputs[0]);
    const T* b = data_of<T>(step.inputs[1]) + r * row_stride(step.inputs[1]);
    for (std::int64_t batch = 0; batch < s.batch; ++batch, a += a_next, b += b_next, y += s.m * s.n) {
      multiply(a, b, y, s);
    }
  }
}

// Signed integers are multiplied as unsigned ones: overflow wraps.
void run_matmul(const Step& step, std::int64_t rows, const Context& context) {
  if (in_panels(step)) {
    return with_float(step.inputs[0].dtype,
                      [&]<class T>(Type<T>) { run_panels_as<T>(step, rows, static_cast<T*>(context.scratch)); });
  }
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    if constexpr (std::is_integral_v<T>) {
      run_matmul_as<std::make_unsigned_t<T>>(step, rows);
    } else {
      run_matmul_as<T>(step, rows);
    }
  });
}

std::size_t scratch_matmul(const Step& step, std::int64_t) {
  if (!in_panels(step)) return 0;
  const Sizes s = sizes_of(step);
  std::size_t bytes = 0;
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    bytes = static_cast<std::size_t>((s.k + 1) * round_up(s.n, kLanes<T>)) * sizeof(T);
  });
  return bytes;
}

double cost_matmul(const Step& step) {
  const Sizes s = sizes_of(step);
  return 2 + static_cast<double>(s.batch * s.m * s.n) * static_cast<double>(s.k) / (in_panels(step) ? 32 : 8);
}

SARDONYX_KERNEL("MatMul", {.check = check_matmul, .run = run_matmul, .scratch = scratch_matmul, .cost = cost_matmul});

}  // namespace
}  // namespace sardonyx
