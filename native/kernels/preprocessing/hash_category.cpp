// HashCategory: the number that catboost knows a category by, the lower half of CityHash64 of its text, with a sign.
//
//   x (rows of text or int64)   y[i] = hash of x[i], of an integer's digits; refuses missing text, as catboost does
#include <string.h>

#include "kernels/preprocessing/city_hash.h"

namespace sardonyx {
namespace {

void check_hash_category(const Step& step) {
  constexpr const char* name = "HashCategory";
  require_counts(step, name, 1, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  require(!x.constant, name, "needs rows");
  require(x.dtype == DType::text || x.dtype == DType::i64, name, "the input is neither text nor int64");
  require(y.dtype == DType::i64 && y.width == x.width, name, "the output is not as many int64");
}

std::int64_t hashed(const char* data, std::int64_t size) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(CityHash::of(data, size)));
}

// The marks of missing values (U+FDD0, then NaN or None) are no categories.
bool is_missing(const Text& text) {
  const auto is = [&](const char* mark, std::int64_t size) {
    return text.size == size && memcmp(text.data, mark, static_cast<std::size_t>(size)) == 0;
  };
  return is("\xEF\xB7\x90NaN", 6) || is("\xEF\xB7\x90None", 7);
}

std::int64_t hash_of_category(const Text& text) {
  if (is_missing(text)) fail("a category is missing, which catboost refuses; write it as text, such as 'NaN'");
  return hashed(text.data, text.size);
}

std::int64_t hash_of_category(std::int64_t number) {
  char digits[20];
  char* at = digits + sizeof digits;
  std::uint64_t left = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  do {
    *--at = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (number < 0) *--at = '-';
  return hashed(at, digits + sizeof digits - at);
}

template <class T>
void hash_all(const Step& step, std::int64_t count) {
  const T* x = data_of<T>(step.inputs[0]);
  auto* y = data_of<std::int64_t>(step.outputs[0]);
  for (std::int64_t i = 0; i < count; ++i) y[i] = hash_of_category(x[i]);
}

void run_hash_category(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t count = rows * step.inputs[0].width;
  if (step.inputs[0].dtype == DType::text) {
    hash_all<Text>(step, count);
  } else {
    hash_all<std::int64_t>(step, count);
  }
}

SARDONYX_KERNEL("HashCategory", {.check = check_hash_category, .run = run_hash_category});

}  // namespace
}  // namespace sardonyx
