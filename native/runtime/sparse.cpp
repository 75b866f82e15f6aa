#include "runtime/sparse.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "runtime/error.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kFewEntries = 24;  // sorted by insertion
constexpr std::int64_t kMaxEntries = std::int64_t{1} << 40;

// A type of the dtype's size; equality with zero and sums need the dtype itself.
template <class F>
void with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::i8: return f(std::int8_t{});
    case DType::i16: return f(std::int16_t{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    case DType::u16: return f(std::uint16_t{});
    case DType::u32: return f(std::uint32_t{});
    case DType::u64: return f(std::uint64_t{});
    default: return f(bool{});
  }
}

// Integers wrap, as NumPy's do; the narrow ones are promoted to int, which does not overflow.
template <class T>
T added(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
  } else {
    return a + b;
  }
}

template <class T>
void insertion_sort(std::int32_t* indices, T* values, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const std::int32_t column = indices[i];
    const T value = values[i];
    std::int64_t k = i;
    for (; k > 0 && indices[k - 1] > column; --k) {
      indices[k] = indices[k - 1];
      values[k] = values[k - 1];
    }
    indices[k] = column;
    values[k] = value;
  }
}

// Stable: the position is the lower half of the key. The scratch stays with the thread.
template <class T>
void key_sort(std::int32_t* indices, T* values, std::int64_t n) {
  thread_local std::vector<std::uint64_t> keys;
  thread_local std::vector<std::byte> copy;
  if (n > std::numeric_limits<std::uint32_t>::max())
    throw Error("a sparse row has more than 2^32 entries; give fewer columns");
  keys.resize(n);
  copy.resize(n * sizeof(T));
  std::memcpy(copy.data(), values, n * sizeof(T));
  for (std::int64_t i = 0; i < n; ++i)
    keys[i] = static_cast<std::uint64_t>(indices[i]) << 32 | static_cast<std::uint64_t>(i);
  std::sort(keys.begin(), keys.end());
  for (std::int64_t i = 0; i < n; ++i) {
    indices[i] = static_cast<std::int32_t>(keys[i] >> 32);
    std::memcpy(&values[i], copy.data() + (keys[i] & 0xFFFFFFFFu) * sizeof(T), sizeof(T));
  }
}

template <class T>
std::int64_t sum_neighbours(std::int32_t* indices, T* values, std::int64_t n) {
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (kept > 0 && indices[kept - 1] == indices[i]) {
      values[kept - 1] = added(values[kept - 1], values[i]);
    } else {
      indices[kept] = indices[i];
      values[kept++] = values[i];
    }
  }
  return kept;
}

bool ascends(const std::int32_t* indices, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    if (indices[i - 1] >= indices[i]) return false;
  }
  return true;
}

// The loops over all entries of a block are without branches, so that they vectorise: they are a part of every call.
bool in_range(const std::int32_t* indices, std::int64_t n, std::int32_t width) {
  std::int32_t bad = 0;
  for (std::int64_t i = 0; i < n; ++i)
    bad |= static_cast<std::int32_t>(indices[i] < 0) | static_cast<std::int32_t>(indices[i] >= width);
  return bad == 0;
}

// Whether columns ascend strictly within every row: they fall nowhere but where a row begins.
bool rows_ascend(const std::int32_t* indices, const std::int64_t* indptr, std::int64_t rows) {
  const std::int64_t begin = indptr[0], end = indptr[rows];
  constexpr std::int64_t kPiece = 1 << 20;  // so that a count fits its type
  std::int64_t falls = 0;
  for (std::int64_t from = begin + 1; from < end; from += kPiece) {
    const std::int64_t to = std::min(end, from + kPiece);
    std::int32_t count = 0;
    for (std::int64_t i = from; i < to; ++i) count += static_cast<std::int32_t>(indices[i - 1] >= indices[i]);
    falls += count;
  }
  for (std::int64_t r = 1; r < rows; ++r) {
    const std::int64_t at = indptr[r];
    if (at > begin && at < end && at != indptr[r - 1]) falls -= indices[at - 1] >= indices[at];
  }
  return falls == 0;
}

// The same, of rows whose columns ascend: the first and the last of a row say it for all between.
bool ends_in_range(const std::int32_t* indices, const std::int64_t* indptr, std::int64_t rows, std::int32_t width) {
  std::int32_t bad = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    if (indptr[r] == indptr[r + 1]) continue;
    const std::int32_t first = indices[indptr[r]], last = indices[indptr[r + 1] - 1];
    bad |= static_cast<std::int32_t>(first < 0) | static_cast<std::int32_t>(last >= width);
  }
  return bad == 0;
}

[[noreturn]] void refuse(const char* what) {
  throw Error(std::string("the sparse matrix is not a legal one: ") + what + "; X.check_format() of SciPy says where");
}

}  // namespace

std::int64_t sort_entries(DType dtype, std::int32_t* indices, void* values, std::int64_t entries) {
  if (ascends(indices, entries)) return entries;
  std::int64_t kept = 0;
  with_type(dtype, [&](auto zero) {
    auto* items = static_cast<decltype(zero)*>(values);
    entries <= kFewEntries ? insertion_sort(indices, items, entries) : key_sort(indices, items, entries);
    kept = sum_neighbours(indices, items, entries);
  });
  return kept;
}

namespace {

void grow(SparseRows& rows, std::size_t item, std::int64_t entries) {
  if (entries <= rows.capacity) return;
  if (entries > kMaxEntries) throw std::bad_alloc();
  const std::int64_t capacity = std::max({entries, rows.capacity + rows.capacity / 2, std::int64_t{64}});
  auto* indices = static_cast<std::int32_t*>(std::realloc(rows.own_indices, capacity * sizeof(std::int32_t)));
  if (indices == nullptr) throw std::bad_alloc();
  rows.own_indices = indices;
  void* values = std::realloc(rows.own_values, capacity * item);
  if (values == nullptr) throw std::bad_alloc();
  rows.own_values = values;
  rows.capacity = capacity;
}

}  // namespace

void reserve_entries(const Tensor& output, std::int64_t entries) {
  grow(*static_cast<SparseRows*>(output.data), item_size(output.dtype), entries);
}

// ---- a slot's memory -----------------------------------------------------------------------------------------------

SparseBuffer::SparseBuffer(DType dtype, std::int64_t rows) : dtype_(dtype) {
  rows_.own_indptr = static_cast<std::int64_t*>(std::calloc(rows + 1, sizeof(std::int64_t)));
  if (rows_.own_indptr == nullptr) throw std::bad_alloc();
  try {
    grow(rows_, item_size(dtype), 1);  // kernels may take the address of what is there
  } catch (...) {
    std::free(rows_.own_indptr);
    std::free(rows_.own_indices);
    throw;
  }
}

SparseBuffer::~SparseBuffer() {
  std::free(rows_.own_indptr);
  std::free(rows_.own_indices);
  std::free(rows_.own_values);
}

SparseBuffer::SparseBuffer(SparseBuffer&& other) noexcept
    : dtype_(other.dtype_), rows_(std::exchange(other.rows_, SparseRows{})) {}

void SparseBuffer::load(const Csr& csr, std::int64_t first, std::int64_t rows, std::int64_t width, bool any) {
  std::int64_t* indptr = rows_.own_indptr;
  if (csr.wide) {
    std::memcpy(indptr, static_cast<const std::int64_t*>(csr.indptr) + first, (rows + 1) * sizeof *indptr);
  } else {
    std::copy_n(static_cast<const std::int32_t*>(csr.indptr) + first, rows + 1, indptr);
  }
  if (indptr[0] < 0 || indptr[rows] > csr.entries) refuse("indptr points outside of indices");
  for (std::int64_t r = 0; r < rows; ++r) {
    if (indptr[r] > indptr[r + 1]) refuse("indptr decreases");
  }
  take_columns(csr, rows, static_cast<std::uint64_t>(width));
  if (!any) check_columns(rows, static_cast<std::int32_t>(width));
}

// In place where they are int32.
void SparseBuffer::take_columns(const Csr& csr, std::int64_t rows, std::uint64_t width) {
  std::int64_t* indptr = rows_.own_indptr;
  const std::int64_t begin = indptr[0], entries = indptr[rows] - begin;
  const std::size_t item = item_size(dtype_);
  rows_.indptr = indptr;
  rows_.values = csr.values;
  rows_.indices = static_cast<const std::int32_t*>(csr.indices);
  rows_.beyond = csr.entries - indptr[rows];
  if (!csr.wide) return;
  grow(rows_, item, entries);
  const std::int64_t* wide = static_cast<const std::int64_t*>(csr.indices) + begin;
  for (std::int64_t i = 0; i < entries; ++i) {
    if (static_cast<std::uint64_t>(wide[i]) >= width) refuse("a column is out of range");
    rows_.own_indices[i] = static_cast<std::int32_t>(wide[i]);
  }
  for (std::int64_t r = 0; r <= rows; ++r) indptr[r] -= begin;
  rows_.values = static_cast<const std::byte*>(csr.values) + begin * item;
  rows_.indices = rows_.own_indices;
  rows_.beyond = 0;
}

void SparseBuffer::check_columns(std::int64_t rows, std::int32_t width) {
  const std::int64_t* indptr = rows_.indptr;
  const bool ascending = rows_ascend(rows_.indices, indptr, rows);
  if (ascending ? !ends_in_range(rows_.indices, indptr, rows, width)
                : !in_range(rows_.indices + indptr[0], indptr[rows] - indptr[0], width))
    refuse("a column is out of range");
  if (!ascending) put_in_order(rows);
}

// Copies the block and sorts its rows; it grows shorter where columns come twice.
void SparseBuffer::put_in_order(std::int64_t rows) {
  std::int64_t* indptr = rows_.own_indptr;
  const std::size_t item = item_size(dtype_);
  const std::int64_t begin = indptr[0], entries = indptr[rows] - begin;
  const auto* values = static_cast<const std::byte*>(rows_.values) + begin * item;
  const std::int32_t* indices = rows_.indices + begin;
  const bool own = indices == rows_.own_indices;
  grow(rows_, item, entries);
  if (!own) std::copy_n(indices, entries, rows_.own_indices);
  auto* to = static_cast<std::byte*>(rows_.own_values);
  std::memcpy(to, values, entries * item);
  std::int64_t at = 0, written = 0;
  indptr[0] = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t size = indptr[r + 1] - begin - at;
    std::int32_t* columns = rows_.own_indices + at;
    const std::int64_t kept = sort_entries(dtype_, columns, to + at * item, size);
    std::memmove(rows_.own_indices + written, columns, kept * sizeof *columns);
    std::memmove(to + written * item, to + at * item, kept * item);
    at += size;
    written += kept;
    indptr[r + 1] = written;
  }
  rows_.indices = rows_.own_indices;
  rows_.values = to;
  rows_.beyond = 0;
}

void SparseBuffer::compress(const void* dense, std::int64_t rows, std::int64_t width) {
  with_type(dtype_, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(dense);
    std::int64_t size = 0;
    rows_.own_indptr[0] = 0;
    for (std::int64_t r = 0; r < rows; ++r, x += width) {
      for (std::int64_t c = 0; c < width; ++c) {
        if (x[c] == zero) continue;
        if (size == rows_.capacity) grow(rows_, sizeof(T), size + 1);
        rows_.own_indices[size] = static_cast<std::int32_t>(c);
        static_cast<T*>(rows_.own_values)[size++] = x[c];
      }
      rows_.own_indptr[r + 1] = size;
    }
  });
  rows_.indptr = rows_.own_indptr;
  rows_.indices = rows_.own_indices;
  rows_.values = rows_.own_values;
  rows_.beyond = 0;
}

void SparseBuffer::expand(void* dense, std::int64_t rows, std::int64_t width) const {
  with_type(dtype_, [&](auto zero) {
    using T = decltype(zero);
    T* y = static_cast<T*>(dense);
    const T* values = static_cast<const T*>(rows_.values);
    std::fill_n(y, rows * width, zero);
    for (std::int64_t r = 0; r < rows; ++r, y += width) {
      for (std::int64_t i = rows_.indptr[r]; i < rows_.indptr[r + 1]; ++i) y[rows_.indices[i]] = values[i];
    }
  });
}

}  // namespace sardonyx
