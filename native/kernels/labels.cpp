// LabelEncoder: every element is replaced by the value of its key, or by the default.
//
// Inputs x (rows), keys, values, default (constants); x and keys of one type, values and default of another. Numbers
// are equal as numbers, except that NaN equals NaN; text is equal byte by byte. Of equal keys the first counts.
//
// prepare() builds a hash table of key numbers with open addressing, at most half full:
//
//   slots   [ -1 | 3 | -1 | 0 | 7 | ... ]      slot = hash & mask, then the next one
#include <stdlib.h>

#include "check.h"
#include "text.h"

namespace sardonyx {
namespace {

struct Table {
  std::uint64_t mask;
  std::int32_t* slots;
};

inline std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}

// Keys that are equal have equal bits here: -0 becomes 0, and every NaN the same one.
template <class T>
inline std::uint64_t hash_of(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    const double key = x != x ? 0.5 : static_cast<double>(x) + 0.0;
    std::uint64_t bits;
    __builtin_memcpy(&bits, &key, sizeof bits);
    return mixed(bits);
  } else {
    return mixed(static_cast<std::uint64_t>(x));
  }
}

inline std::uint64_t hash_of(const Text& text) {
  std::uint64_t hash = static_cast<std::uint64_t>(text.size);
  std::int64_t i = 0;
  for (; i + 8 <= text.size; i += 8) {
    std::uint64_t part;
    __builtin_memcpy(&part, text.data + i, 8);
    hash = mixed(hash ^ part);
  }
  std::uint64_t rest = 0;
  if (i < text.size) __builtin_memcpy(&rest, text.data + i, static_cast<std::size_t>(text.size - i));
  return mixed(hash ^ rest);
}

template <class T>
inline bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, Text>) {
    return same_text(a, b);
  } else {
    return a == b || (a != a && b != b);
  }
}

template <class F>
inline void with_key(DType t, F&& f) {
  if (t == DType::text) {
    f(Type<Text>{});
  } else {
    with_number(t, f);
  }
}

// The number of the key equal to x, or -1; `at` is where it is, or would be.
template <class T>
inline std::int32_t find(const Table& table, const T* keys, const T& x, std::uint64_t* at) {
  std::uint64_t slot = hash_of(x) & table.mask;
  for (; table.slots[slot] >= 0; slot = (slot + 1) & table.mask) {
    if (same(keys[table.slots[slot]], x)) break;
  }
  *at = slot;
  return table.slots[slot];
}

void check_label_encoder(const Step& step) {
  constexpr const char* name = "LabelEncoder";
  require_counts(step, name, 4, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &keys = step.inputs[1], &values = step.inputs[2], &fallback = step.inputs[3];
  require(!x.constant && keys.constant && values.constant && fallback.constant, name, "needs rows and three constants");
  require(keys.dtype == x.dtype, name, "keys of another type than the input");
  require(values.dtype == fallback.dtype && values.dtype == step.outputs[0].dtype, name, "values of different types");
  require(keys.width == values.width, name, "not as many keys as values");
  require(keys.width <= (std::int64_t{1} << 28), name, "too many keys");
  require(fallback.width == 1, name, "the default is not one value");
  require(step.outputs[0].width == x.width, name, "output of the wrong size");
}

void* prepare_label_encoder(const Step& step) {
  const std::int64_t count = step.inputs[1].width;
  std::uint64_t size = 4;
  while (size < 2 * static_cast<std::uint64_t>(count)) size *= 2;
  auto* table = static_cast<Table*>(malloc(sizeof(Table) + size * sizeof(std::int32_t)));
  if (table == nullptr) fail("LabelEncoder: no memory for %lld keys", static_cast<long long>(count));
  table->mask = size - 1;
  table->slots = reinterpret_cast<std::int32_t*>(table + 1);
  for (std::uint64_t i = 0; i < size; ++i) table->slots[i] = -1;
  with_key(step.inputs[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* keys = data_of<T>(step.inputs[1]);
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint64_t at = 0;
      if (find(*table, keys, keys[i], &at) < 0) table->slots[at] = static_cast<std::int32_t>(i);
    }
  });
  return table;
}

void release_label_encoder(void* state) { free(state); }

void run_label_encoder(const Step& step, std::int64_t rows, const Context& context) {
  const Table& table = *static_cast<const Table*>(context.state);
  const std::int64_t n = rows * step.inputs[0].width;
  with_key(step.inputs[0].dtype, [&](auto key_type) {
    using K = typename decltype(key_type)::type;
    const K* x = data_of<K>(step.inputs[0]);
    const K* keys = data_of<K>(step.inputs[1]);
    with_item(step.outputs[0].dtype, [&](auto value_type) {
      using V = typename decltype(value_type)::type;
      const V* values = data_of<V>(step.inputs[2]);
      const V fallback = *data_of<V>(step.inputs[3]);
      V* y = data_of<V>(step.outputs[0]);
      for (std::int64_t i = 0; i < n; ++i) {
        std::uint64_t at = 0;
        const std::int32_t key = find(table, keys, x[i], &at);
        y[i] = key < 0 ? fallback : values[key];
      }
    });
  });
}
SARDONYX_KERNEL("LabelEncoder", {.check = check_label_encoder,
                                 .run = run_label_encoder,
                                 .prepare = prepare_label_encoder,
                                 .release = release_label_encoder});

}  // namespace
}  // namespace sardonyx
