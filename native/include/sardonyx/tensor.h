// What a kernel sees of a value: a plain span with a type and a shape. No ownership, no reference counts.
//
//   row tensor        rows x dims[0] x dims[1] ...   one slice of `width` elements for every row of the block
//   constant tensor   dims[0] x dims[1] ...          `width` elements in all, the same for every row
//   sparse tensor     rows x dims[0]                 `data` points to the SparseRows of the block (sardonyx/sparse.h)
//
// The first two are C-contiguous. `dims` never holds the row dimension.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sardonyx {

// The numbers are part of the file format (.sdx): never renumber, only append.
enum class DType : std::uint8_t {
  f32 = 1,
  f64 = 2,
  i8 = 3,
  i16 = 4,
  i32 = 5,
  i64 = 6,
  u8 = 7,
  u16 = 8,
  u32 = 9,
  u64 = 10,
  boolean = 11,  // one byte, 0 or 1
  text = 12,     // an array of Text
  f16 = 13,      // of IEEE 754; kernels only move it and cast it, arithmetic is float32's
  bf16 = 14,     // the upper half of a float32; as f16
};

// A UTF-8 string somewhere else: in the caller's objects, in a constant, or in the block's text arena.
struct Text {
  const char* data;
  std::int64_t size;  // bytes
};

constexpr int kMaxRank = 8;

struct Tensor {
  void* data;
  std::int64_t width;           // product of dims (1 for a scalar)
  std::int64_t dims[kMaxRank];  // without the row dimension
  std::int32_t rank;            // number of dims used
  DType dtype;
  bool constant;
  bool sparse;  // a row tensor of rank 1 that holds no text; only kernels that say so (Kernel::sparse) ever see one
};

std::size_t item_size(DType dtype);  // bytes of one element; 16 for text

}  // namespace sardonyx
