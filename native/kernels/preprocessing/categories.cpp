// CategoryLookup: a column's categories become codes. OneHotBlocks: positions become ones in a row of zeros.
//
//   CategoryLookup   x (rows), categories (k), codes (k + 1)   y = codes[number of x among the categories, else k]
//                    parameter: 1 to refuse unknown categories as scikit-learn's handle_unknown="error" does
//   OneHotBlocks     positions (rows x features), starts (features + 1)
//                    y[positions[i]] = 1 where it lies in the i-th block [starts[i], starts[i + 1]), all else 0;
//                    y may be sparse
#include <string.h>

#include "kernels/check.h"
#include "kernels/preprocessing/lookup.h"
#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

void check_category_lookup(const Step& step) {
  constexpr const char* name = "CategoryLookup";
  require_counts(step, name, 3, 1, 1);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &categories = step.inputs[1], &codes = step.inputs[2];
  require(!x.constant && categories.constant && codes.constant, name, "needs rows and two constants");
  require(categories.dtype == x.dtype, name, "categories of another type than the input");
  require(codes.dtype == step.outputs[0].dtype, name, "codes of another type than the output");
  require(categories.width <= kMostKeys, name, "too many categories");
  require(codes.width == categories.width + 1, name, "needs one code more than categories");
  require(step.outputs[0].width == x.width, name, "output of the wrong size");
  require(in_range(integer_param(step, 0), 0, 1), name, "refusing unknown categories is 0 or 1");
}

void* prepare_category_lookup(const Step& step) { return table_of(step.inputs[1], "CategoryLookup"); }

constexpr std::int64_t kShown = 80;  // bytes of an unknown category in the message

// Text cut between two characters; the mark of a missing value (U+FDD0) is for machines only.
[[noreturn]] void refuse(const Text& text) {
  const bool marked = text.size >= 3 && memcmp(text.data, "\xEF\xB7\x90", 3) == 0;
  const char* data = text.data + (marked ? 3 : 0);
  std::int64_t size = text.size - (marked ? 3 : 0);
  if (size > kShown) {
    size = kShown;
    while (size > 0 && (static_cast<unsigned char>(data[size]) & 0xC0u) == 0x80u) --size;
  }
  const char* quote = marked ? "" : "'";
  fail("found unknown category %s%.*s%s during transform", quote, static_cast<int>(size), data, quote);
}

template <class T>
[[noreturn]] void refuse(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    fail("found unknown category %.17g during transform", static_cast<double>(value));
  } else {
    fail("found unknown category %lld during transform", static_cast<long long>(value));
  }
}

template <class K, class V>
void look_up(const Step& step, std::int64_t count, const Table& table) {
  const K* x = data_of<K>(step.inputs[0]);
  const K* categories = data_of<K>(step.inputs[1]);
  const V* codes = data_of<V>(step.inputs[2]);
  const std::int64_t unknown = step.inputs[1].width;
  const bool refuses = step.params[0].i != 0;
  V* y = data_of<V>(step.outputs[0]);
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t at = 0;
    const std::int64_t number = find(table, categories, x[i], &at);
    if (number < 0 && refuses) refuse(x[i]);
    y[i] = codes[number < 0 ? unknown : number];
  }
}

void run_category_lookup(const Step& step, std::int64_t rows, const Context& context) {
  const Table& table = *static_cast<const Table*>(context.state);
  with_key(step.inputs[0].dtype, [&]<class Key>(Type<Key>) {
    with_item(step.outputs[0].dtype,
              [&]<class Code>(Type<Code>) { look_up<Key, Code>(step, rows * step.inputs[0].width, table); });
  });
}

SARDONYX_KERNEL("CategoryLookup",
                {check_category_lookup, run_category_lookup, nullptr, prepare_category_lookup, release_table});

void check_one_hot_blocks(const Step& step) {
  constexpr const char* name = "OneHotBlocks";
  require_counts(step, name, 2, 1, 0);
  require_row_output(step, name);
  const Tensor &positions = step.inputs[0], &starts = step.inputs[1], &y = step.outputs[0];
  require(!positions.constant && starts.constant, name, "needs rows of positions and constant starts");
  require_dense(positions, name);
  require(positions.dtype == DType::i64 && starts.dtype == DType::i64, name, "positions and starts are int64");
  require(is_number(y.dtype) || y.dtype == DType::boolean, name, "the output is not of numbers");
  require(starts.width == positions.width + 1, name, "needs one start more than features");
  const auto* start = data_of<std::int64_t>(starts);
  require(start[0] == 0 && start[positions.width] == y.width, name, "blocks do not cover the output");
  for (std::int64_t i = 0; i < positions.width; ++i) require(start[i] <= start[i + 1], name, "starts are not in order");
}

template <class T>
void set_ones(const Step& step, std::int64_t rows) {
  const std::int64_t features = step.inputs[0].width, width = step.outputs[0].width;
  const auto* position = data_of<std::int64_t>(step.inputs[0]);
  const auto* start = data_of<std::int64_t>(step.inputs[1]);
  T* y = data_of<T>(step.outputs[0]);
  memset(y, 0, static_cast<std::size_t>(rows * width) * sizeof(T));
  for (std::int64_t row = 0; row < rows; ++row, position += features, y += width) {
    for (std::int64_t i = 0; i < features; ++i) {
      if (in_range(position[i], start[i], start[i + 1] - 1)) y[position[i]] = T(1);
    }
  }
}

// Blocks follow each other, so the positions that count ascend.
template <class T>
void put_ones(const Step& step, std::int64_t rows) {
  const std::int64_t features = step.inputs[0].width;
  const auto* position = data_of<std::int64_t>(step.inputs[0]);
  const auto* start = data_of<std::int64_t>(step.inputs[1]);
  SparseWriter<T> y(step.outputs[0]);
  y.reserve(rows * features);
  for (std::int64_t row = 0; row < rows; ++row, position += features) {
    for (std::int64_t i = 0; i < features; ++i) {
      const bool counts = in_range(position[i], start[i], start[i + 1] - 1);
      if (counts) y.put(static_cast<std::int32_t>(position[i]), T(1));
    }
    y.end_row();
  }
  y.finish();
}

void run_one_hot_blocks(const Step& step, std::int64_t rows, const Context&) {
  with_number(step.outputs[0].dtype,
              [&]<class T>(Type<T>) { step.outputs[0].sparse ? put_ones<T>(step, rows) : set_ones<T>(step, rows); });
}

SARDONYX_KERNEL("OneHotBlocks", {.check = check_one_hot_blocks, .run = run_one_hot_blocks, .sparse = true});

}  // namespace
}  // namespace sardonyx
