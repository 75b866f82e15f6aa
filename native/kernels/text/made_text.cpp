// Text that is made: numbers written down, texts joined, characters replaced; and numbers read from text.
//
//   WriteNumbers   x: rows of numbers        ->  text, as ONNX Runtime casts it
//   ReadNumbers    x: rows of text           ->  float64, int64 or uint64; a text that is no number is refused
//   ConcatText     a, b: text                ->  text, broadcast
//   ReplaceChars   x: rows of text; points: int64, ascending; texts    ->  every character among the points is its text
#include "sardonyx/made_text.h"

#include "kernels/elementwise/broadcast.h"

namespace sardonyx {
namespace {

inline void copied(const Context& context, const char* from, std::int64_t size, Text* to) {
  char* bytes = make_text(context, size);
  if (size > 0) __builtin_memcpy(bytes, from, static_cast<std::size_t>(size));
  *to = {bytes, size};
}

// ---- numbers --------------------------------------------------------------------------------------------------------

void check_form(const Step& step, const char* name) {
  require_counts(step, name, 1, 1, 0);
  require_row_output(step, name);
  require(!step.inputs[0].constant && step.inputs[0].width == step.outputs[0].width, name, "needs rows, as wide as Y");
}

void check_write(const Step& step) {
  check_form(step, "WriteNumbers");
  const DType from = step.inputs[0].dtype;
  require(is_number(from) || from == DType::boolean, "WriteNumbers", "takes numbers");
  require(step.outputs[0].dtype == DType::text, "WriteNumbers", "gives text");
}

void run_write(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = rows * step.inputs[0].width;
  auto* y = data_of<Text>(step.outputs[0]);
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
    const T* x = data_of<const T>(step.inputs[0]);
    for (std::int64_t i = 0; i < n; ++i) {
      char digits[kMostDigits];
      copied(context, digits, write_number(static_cast<Wide>(x[i]), digits), y + i);
    }
  });
}

SARDONYX_KERNEL("WriteNumbers", {.check = check_write, .run = run_write});

void check_read(const Step& step) {
  check_form(step, "ReadNumbers");
  const DType to = step.outputs[0].dtype;
  require(step.inputs[0].dtype == DType::text, "ReadNumbers", "takes text");
  require(to == DType::f64 || to == DType::i64 || to == DType::u64, "ReadNumbers", "gives float64, int64 or uint64");
}

template <class T>
void read_all(const Text* x, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (read_number(x[i], y + i)) continue;
    const int shown = x[i].size < 40 ? static_cast<int>(x[i].size) : 40;
    fail("Cast: the text '%.*s' is no number of the type asked for", shown, x[i].data);
  }
}

void run_read(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t n = rows * step.inputs[0].width;
  const auto* x = data_of<const Text>(step.inputs[0]);
  switch (step.outputs[0].dtype) {
    case DType::f64: return read_all(x, data_of<double>(step.outputs[0]), n);
    case DType::i64: return read_all(x, data_of<std::int64_t>(step.outputs[0]), n);
    default: return read_all(x, data_of<std::uint64_t>(step.outputs[0]), n);
  }
}

SARDONYX_KERNEL("ReadNumbers", {.check = check_read, .run = run_read});

// ---- joined ---------------------------------------------------------------------------------------------------------

void check_concat(const Step& step) {
  constexpr const char* name = "ConcatText";
  require_counts(step, name, 2, 1, 0);
  require_row_output(step, name);
  for (int i = 0; i < 2; ++i) {
    require(step.inputs[i].dtype == DType::text, name, "takes text");
    require(broadcasts(step.inputs[i], step.outputs[0]), name, "an operand does not broadcast");
  }
  require(step.outputs[0].dtype == DType::text, name, "gives text");
}

Text joined(const Text& a, const Text& b, const Context& context) {
  if (a.size == 0) return b;
  if (b.size == 0) return a;
  char* bytes = make_text(context, a.size + b.size);
  __builtin_memcpy(bytes, a.data, static_cast<std::size_t>(a.size));
  __builtin_memcpy(bytes + a.size, b.data, static_cast<std::size_t>(b.size));
  return {bytes, a.size + b.size};
}

void run_concat(const Step& step, std::int64_t rows, const Context& context) {
  const auto *a = data_of<const Text>(step.inputs[0]), *b = data_of<const Text>(step.inputs[1]);
  auto* y = data_of<Text>(step.outputs[0]);
  const Nest<3> nest = make_nest<3>({&step.outputs[0], &step.inputs[0], &step.inputs[1]}, rows);
  for_each_run(nest, [&](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
    for (std::int64_t i = 0; i < n; ++i)
      y[at[0] + i] = joined(a[at[1] + i * stride[1]], b[at[2] + i * stride[2]], context);
  });
}

SARDONYX_KERNEL("ConcatText", {.check = check_concat, .run = run_concat});

// ---- replaced -------------------------------------------------------------------------------------------------------

void check_replace(const Step& step) {
  constexpr const char* name = "ReplaceChars";
  require_counts(step, name, 3, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &points = step.inputs[1], &texts = step.inputs[2], &y = step.outputs[0];
  require(!x.constant && x.dtype == DType::text, name, "needs rows of text");
  require(points.constant && points.dtype == DType::i64, name, "points are constant int64");
  require(texts.constant && texts.dtype == DType::text && texts.width == points.width, name, "needs a text a point");
  require(y.dtype == DType::text && y.width == x.width, name, "output of the wrong form");
  const auto* point = data_of<const std::int64_t>(points);
  for (std::int64_t i = 1; i < points.width; ++i) require(point[i - 1] < point[i], name, "points are not ascending");
}

// The bytes of the character that begins here; never more than are left.
inline std::int64_t size_of_char(const char* at, std::int64_t left) {
  const auto lead = static_cast<std::uint8_t>(*at);
  const std::int64_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return size < left ? size : left;
}

inline std::int64_t point_of(const char* at, std::int64_t size) {
  std::int64_t point = static_cast<std::uint8_t>(*at);
  if (size > 1) point &= 0x7F >> size;
  for (std::int64_t i = 1; i < size; ++i) point = point << 6 | (at[i] & 0x3F);
  return point;
}

struct Replacement {
  const std::int64_t* points;
  const Text* texts;
  std::int64_t count;

  // What stands for the character, or nullptr.
  const Text* find(std::int64_t point) const {
    std::int64_t low = 0, high = count;
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      if (points[middle] < point) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && points[low] == point ? texts + low : nullptr;
  }
};

// Calls f(text) with every piece of the result.
template <class F>
inline void for_each_piece(const Text& x, const Replacement& replacement, F&& f) {
  for (std::int64_t at = 0; at < x.size;) {
    const std::int64_t size = size_of_char(x.data + at, x.size - at);
    const Text* found = replacement.find(point_of(x.data + at, size));
    f(found == nullptr ? Text{x.data + at, size} : *found);
    at += size;
  }
}

void run_replace(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = rows * step.inputs[0].width;
  const auto* x = data_of<const Text>(step.inputs[0]);
  auto* y = data_of<Text>(step.outputs[0]);
  const Replacement replacement{data_of<const std::int64_t>(step.inputs[1]), data_of<const Text>(step.inputs[2]),
                                step.inputs[1].width};
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t size = 0;
    for_each_piece(x[i], replacement, [&](const Text& piece) { size += piece.size; });
    char* to = make_text(context, size);
    y[i] = {to, size};
    for_each_piece(x[i], replacement, [&](const Text& piece) {
      if (piece.size > 0) __builtin_memcpy(to, piece.data, static_cast<std::size_t>(piece.size));
      to += piece.size;
    });
  }
}

SARDONYX_KERNEL("ReplaceChars", {.check = check_replace, .run = run_replace});

}  // namespace
}  // namespace sardonyx
