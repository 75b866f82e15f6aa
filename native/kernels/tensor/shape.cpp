// Moving elements without looking at them: Concat, Slice, Gather, GatherElements, Transpose, Pad, OneHot.
//
// A row is seen as outer x n x inner, as in reduce.cpp. All types are moved as unsigned numbers of their size.
#include "kernels/elementwise/broadcast.h"
#include "kernels/reduction/axis.h"

namespace sardonyx {
namespace {

// Words that overlap at the end: a call of memcpy takes longer than to copy a few numbers.
template <class Word>
inline void copy_words(const char* from, char* to, std::size_t bytes) {
  for (std::size_t i = 0; i + sizeof(Word) < bytes; i += sizeof(Word)) __builtin_memcpy(to + i, from + i, sizeof(Word));
  __builtin_memcpy(to + bytes - sizeof(Word), from + bytes - sizeof(Word), sizeof(Word));
}

template <class T>
inline void copy(const T* from, T* to, std::int64_t n) {
  struct Pair {
    std::uint64_t words[2];
  };
  constexpr std::size_t kShort = 256;
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
  if (n == 1) {
    *to = *from;
  } else if (bytes > kShort) {
    __builtin_memcpy(to, from, bytes);
  } else if (bytes >= sizeof(Pair)) {
    copy_words<Pair>(reinterpret_cast<const char*>(from), reinterpret_cast<char*>(to), bytes);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

// ---- Concat: params [outer]; every input gives width / outer elements to each of the outer slices
// -------------------------

void check_concat(const Step& step) {
  require(step.n_inputs >= 1 && step.n_outputs == 1 && step.n_params == 1, "Concat",
          "needs inputs, an output, a param");
  require_row_output(step, "Concat");
  const std::int64_t outer = integer_param(step, 0);
  require(in_range(outer, 1, kLargest), "Concat", "outer is out of range");
  std::int64_t width = 0;
  for (int i = 0; i < step.n_inputs; ++i) {
    require(step.inputs[i].dtype == step.outputs[0].dtype, "Concat", "operands of different types");
    require(step.inputs[i].width % outer == 0, "Concat", "an input does not fit");
    require(!__builtin_add_overflow(width, step.inputs[i].width, &width), "Concat", "inputs are too large");
  }
  require(width == step.outputs[0].width, "Concat", "output of the wrong size");
}

constexpr std::int64_t kTogether = 64;  // rows that are joined while their output is in the first cache

// Rows from `first` on; y is where the first of them goes.
template <class T>
inline void concat_one(const Tensor& input, T* y, std::int64_t first, std::int64_t rows, std::int64_t outer,
                       std::int64_t pitch) {
  const T* x = data_of<T>(input) + (input.constant ? 0 : first * input.width);
  const std::int64_t n = input.width / outer;
  const std::int64_t rewind = input.constant ? input.width : 0;
  if (n == 1 && outer == 1) {
    const std::int64_t next = input.constant ? 0 : 1;
    for (std::int64_t r = 0; r < rows; ++r) y[r * pitch] = x[r * next];
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r, x -= rewind) {
    if (n == 1) {
      for (std::int64_t o = 0; o < outer; ++o, ++x, y += pitch) *y = *x;
    } else {
      for (std::int64_t o = 0; o < outer; ++o, x += n, y += pitch) copy(x, y, n);
    }
  }
}

// Two columns, as the probabilities of two classes are: y is written once, from its beginning to its end.
template <class T>
inline void concat_two(const T* one, const T* other, T* y, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) {
    y[2 * r] = one[r];
    y[2 * r + 1] = other[r];
  }
}

inline bool are_two_columns(const Step& step) {
  return step.n_inputs == 2 && step.params[0].i == 1 && step.inputs[0].width == 1 && step.inputs[1].width == 1 &&
         !step.inputs[0].constant && !step.inputs[1].constant;
}

template <class T>
inline void concat_rows(const Step& step, std::int64_t first, std::int64_t rows) {
  const std::int64_t outer = step.params[0].i, width = step.outputs[0].width;
  T* y = data_of<T>(step.outputs[0]) + first * width;
  for (int i = 0; i < step.n_inputs; ++i) {
    concat_one<T>(step.inputs[i], y, first, rows, outer, width / outer);
    y += step.inputs[i].width / outer;
  }
}

void run_concat(const Step& step, std::int64_t rows, const Context&) {
  with_item(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    if (are_two_columns(step))
      return concat_two(data_of<T>(step.inputs[0]), data_of<T>(step.inputs[1]), data_of<T>(step.outputs[0]), rows);
    for (std::int64_t first = 0; first < rows; first += kTogether)
      concat_rows<T>(step, first, rows - first < kTogether ? rows - first : kTogether);
  });
}
SARDONYX_KERNEL("Concat", {.check = check_concat, .run = run_concat, .halves = true});

// ---- Slice: params [outer, n, inner, start, step, count]
// -------------------------------------------------------------------

void check_slice(const Step& step) {
  require_counts(step, "Slice", 1, 1, 6);
  require_row_output(step, "Slice");
  const Axis axis = axis_of(step);
  const std::int64_t start = step.params[3].i, stride = step.params[4].i, count = step.params[5].i;
  require(!step.inputs[0].constant, "Slice", "the input is a constant");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "Slice", "output of the wrong type");
  require(covers(axis.outer, axis.n, axis.inner, step.inputs[0].width), "Slice", "params do not fit the input");
  require(covers(axis.outer, count, axis.inner, step.outputs[0].width), "Slice", "params do not fit the output");
  if (count == 0) return;
  require(in_range(stride, -kLargest, kLargest), "Slice", "step is out of range");
  std::int64_t last = 0;
  require(!__builtin_mul_overflow(count - 1, stride, &last), "Slice", "step is out of range");
  require(!__builtin_add_overflow(last, start, &last), "Slice", "step is out of range");
  require(in_range(start, 0, axis.n - 1) && in_range(last, 0, axis.n - 1), "Slice", "leaves the axis");
}

void run_slice(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  const std::int64_t start = step.params[3].i, stride = step.params[4].i, count = step.params[5].i;
  with_item(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]) + start * axis.inner;
    T* y = data_of<T>(step.outputs[0]);
    for (std::int64_t r = 0; r < rows * axis.outer; ++r, x += axis.n * axis.inner) {
      if (stride == 1) {
        copy(x, y, count * axis.inner);
        y += count * axis.inner;
      } else {
        for (std::int64_t i = 0; i < count; ++i, y += axis.inner) copy(x + i * stride * axis.inner, y, axis.inner);
      }
    }
  });
}
SARDONYX_KERNEL("Slice", {.check = check_slice, .run = run_slice, .halves = true});

// ---- Gather: params [outer, n, inner]; inputs data, indices (int64)
// ---------------------------------------------------------
//
//   columns   data rows,     indices constant     y[o, i, :] = x[o, indices[i], :]     indices checked at load
//   table     data constant, indices rows         y[i, :]    = x[indices[i], :]        outer = 1; checked in run

void check_gather(const Step& step) {
  require_counts(step, "Gather", 2, 1, 3);
  require_row_output(step, "Gather");
  const Tensor& data = step.inputs[0];
  const Tensor& indices = step.inputs[1];
  const Axis axis = axis_of(step);
  require(indices.dtype == DType::i64, "Gather", "indices are not int64");
  require(data.constant != indices.constant, "Gather", "needs rows of data and constant indices, or the reverse");
  require(!data.constant || axis.outer == 1, "Gather", "a table is looked up along its first axis");
  require(step.outputs[0].dtype == data.dtype, "Gather", "output of the wrong type");
  require(covers(axis.outer, axis.n, axis.inner, data.width), "Gather", "params do not fit the data");
  require(covers(axis.outer, indices.width, axis.inner, step.outputs[0].width), "Gather",
          "params do not fit the output");
  if (!indices.constant) return;
  const std::int64_t* at = data_of<std::int64_t>(indices);
  for (std::int64_t i = 0; i < indices.width; ++i) {
    require(in_range(at[i], 0, axis.n - 1), "Gather", "an index is out of range");
  }
}

template <class T>
inline void gather_columns(const Step& step, std::int64_t rows) {
  const Axis axis = axis_of(step);
  const T* x = data_of<T>(step.inputs[0]);
  const std::int64_t* at = data_of<std::int64_t>(step.inputs[1]);
  const std::int64_t count = step.inputs[1].width;
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows * axis.outer; ++r, x += axis.n * axis.inner) {
    if (axis.inner == 1) {
      for (std::int64_t i = 0; i < count; ++i) *y++ = x[at[i]];
    } else {
      for (std::int64_t i = 0; i < count; ++i, y += axis.inner) copy(x + at[i] * axis.inner, y, axis.inner);
    }
  }
}

template <class T>
inline void gather_table(const Step& step, std::int64_t rows) {
  const Axis axis = axis_of(step);
  const T* x = data_of<T>(step.inputs[0]);
  const std::int64_t* at = data_of<std::int64_t>(step.inputs[1]);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t count = rows * step.inputs[1].width;
  if (axis.inner == 1) {
    for (std::int64_t i = 0; i < count; ++i)
      y[i] = x[in_range(at[i], 0, axis.n - 1) ? at[i] : wrapped(at[i], axis.n, "Gather")];
    return;
  }
  for (std::int64_t i = 0; i < count; ++i, y += axis.inner) {
    copy(x + wrapped(at[i], axis.n, "Gather") * axis.inner, y, axis.inner);
  }
}

void run_gather(const Step& step, std::int64_t rows, const Context&) {
  with_item(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    if (step.inputs[0].constant) {
      gather_table<T>(step, rows);
    } else {
      gather_columns<T>(step, rows);
    }
  });
}
SARDONYX_KERNEL("Gather", {.check = check_gather, .run = run_gather, .halves = true});

// ---- GatherElements: params [outer, n, inner, m]; inputs data rows, indices rows or constant outer x m x inner
// ----------------

void check_gather_elements(const Step& step) {
  require_counts(step, "GatherElements", 2, 1, 4);
  require_row_output(step, "GatherElements");
  const Axis axis = axis_of(step);
  const std::int64_t m = step.params[3].i;
  require(!step.inputs[0].constant, "GatherElements", "the data are a constant");
  require(step.inputs[1].dtype == DType::i64, "GatherElements", "indices are not int64");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "GatherElements", "output of the wrong type");
  require(covers(axis.outer, axis.n, axis.inner, step.inputs[0].width), "GatherElements", "params do not fit the data");
  require(covers(axis.outer, m, axis.inner, step.inputs[1].width), "GatherElements", "params do not fit the indices");
  require(covers(axis.outer, m, axis.inner, step.outputs[0].width), "GatherElements", "params do not fit the output");
}

void run_gather_elements(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  const std::int64_t m = step.params[3].i;
  with_item(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    T* y = data_of<T>(step.outputs[0]);
    const std::int64_t pitch = row_stride(step.inputs[1]);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t* at = data_of<std::int64_t>(step.inputs[1]) + r * pitch;
      for (std::int64_t o = 0; o < axis.outer; ++o, x += axis.n * axis.inner) {
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < axis.inner; ++j) {
            *y++ = x[wrapped(*at++, axis.n, "GatherElements") * axis.inner + j];
          }
        }
      }
    }
  });
}
SARDONYX_KERNEL("GatherElements", {.check = check_gather_elements, .run = run_gather_elements, .halves = true});

// ---- Transpose: params = the permutation of the row's own dimensions
// ---------------------------------------------------------

void check_transpose(const Step& step) {
  require(step.n_inputs == 1 && step.n_outputs == 1, "Transpose", "needs one input and one output");
  require_row_output(step, "Transpose");
  const Tensor& x = step.inputs[0];
  const Tensor& y = step.outputs[0];
  require(!x.constant, "Transpose", "the input is a constant");
  require(y.dtype == x.dtype, "Transpose", "output of the wrong type");
  require(step.n_params == x.rank && x.rank == y.rank, "Transpose", "needs one param a dimension");
  bool seen[kMaxRank] = {};
  for (int d = 0; d < x.rank; ++d) {
    const std::int64_t from = integer_param(step, d);
    require(in_range(from, 0, x.rank - 1) && !seen[from], "Transpose", "params are not a permutation");
    seen[from] = true;
    require(y.dims[d] == x.dims[from], "Transpose", "output of the wrong shape");
  }
}

void run_transpose(const Step& step, std::int64_t rows, const Context&) {
  const Tensor& x = step.inputs[0];
  const Tensor& y = step.outputs[0];
  std::int64_t own[kMaxRank];
  std::int64_t pitch = 1;
  for (int d = x.rank - 1; d >= 0; --d) {
    own[d] = pitch;
    pitch *= x.dims[d];
  }
  Nest<2> nest;
  nest.push(rows, {y.width, x.width});
  std::int64_t step_out = y.width;
  for (int d = 0; d < y.rank; ++d) {
    step_out = y.dims[d] == 0 ? 0 : step_out / y.dims[d];
    nest.push(y.dims[d], {step_out, own[step.params[d].i]});
  }
  with_item(x.dtype, [&]<class T>(Type<T>) {
    const T* from = data_of<T>(x);
    T* to = data_of<T>(y);
    for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
      for (std::int64_t i = 0; i < n; ++i) to[at[0] + i * stride[0]] = from[at[1] + i * stride[1]];
    });
  });
}
SARDONYX_KERNEL("Transpose", {.check = check_transpose, .run = run_transpose, .halves = true});

// ---- Pad: params [outer, n, inner, before, after]; inputs data rows, constant fill (one element)
// --------------------------------

void check_pad(const Step& step) {
  require_counts(step, "Pad", 2, 1, 5);
  require_row_output(step, "Pad");
  const Axis axis = axis_of(step);
  const std::int64_t before = step.params[3].i, after = step.params[4].i;
  require(!step.inputs[0].constant, "Pad", "the data are a constant");
  require(step.inputs[1].constant && step.inputs[1].width == 1, "Pad", "the fill is not one constant");
  require(step.inputs[1].dtype == step.inputs[0].dtype, "Pad", "the fill has another type");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "Pad", "output of the wrong type");
  require(in_range(before, 0, kLargest) && in_range(after, 0, kLargest), "Pad", "padding is out of range");
  require(covers(axis.outer, axis.n, axis.inner, step.inputs[0].width), "Pad", "params do not fit the data");
  require(covers(axis.outer, axis.n + before + after, axis.inner, step.outputs[0].width), "Pad",
          "params do not fit the output");
}

void run_pad(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  const std::int64_t before = step.params[3].i * axis.inner, after = step.params[4].i * axis.inner;
  with_item(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    const T fill = *data_of<T>(step.inputs[1]);
    T* y = data_of<T>(step.outputs[0]);
    const std::int64_t n = axis.n * axis.inner;
    for (std::int64_t r = 0; r < rows * axis.outer; ++r, x += n) {
      for (std::int64_t i = 0; i < before; ++i) *y++ = fill;
      copy(x, y, n);
      y += n;
      for (std::int64_t i = 0; i < after; ++i) *y++ = fill;
    }
  });
}
SARDONYX_KERNEL("Pad", {.check = check_pad, .run = run_pad});

// ---- OneHot: params [outer, depth, inner]; inputs indices rows (int64), values constant [off, on]
// ---------------------------------

void check_one_hot(const Step& step) {
  require_counts(step, "OneHot", 2, 1, 3);
  require_row_output(step, "OneHot");
  const Axis axis = axis_of(step);
  require(!step.inputs[0].constant && step.inputs[0].dtype == DType::i64, "OneHot", "needs rows of int64");
  require(step.inputs[1].constant && step.inputs[1].width == 2, "OneHot", "needs the constants off and on");
  require(step.outputs[0].dtype == step.inputs[1].dtype, "OneHot", "output of the wrong type");
  require(covers(axis.outer, 1, axis.inner, step.inputs[0].width), "OneHot", "params do not fit the indices");
  require(covers(axis.outer, axis.n, axis.inner, step.outputs[0].width), "OneHot", "params do not fit the output");
}

// An index outside [-depth, depth) gives a row of `off`, as ONNX says.
void run_one_hot(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  with_item(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    const std::int64_t* index = data_of<std::int64_t>(step.inputs[0]);
    const T off = data_of<T>(step.inputs[1])[0], on = data_of<T>(step.inputs[1])[1];
    T* y = data_of<T>(step.outputs[0]);
    const std::int64_t size = axis.n * axis.inner;
    for (std::int64_t r = 0; r < rows * axis.outer; ++r, y += size) {
      for (std::int64_t i = 0; i < size; ++i) y[i] = off;
      for (std::int64_t j = 0; j < axis.inner; ++j) {
        const std::int64_t at = *index < 0 ? *index + axis.n : *index;
        ++index;
        if (in_range(at, 0, axis.n - 1)) y[at * axis.inner + j] = on;
      }
    }
  });
}
SARDONYX_KERNEL("OneHot", {.check = check_one_hot, .run = run_one_hot});

}  // namespace
}  // namespace sardonyx
