// The records of an .sdx file, as they lie in it. src/sardonyx/lowering/sdx.py writes them and draws the layout; the
// two change together, with kVersion.
//
//   header │ slots │ steps │ metadata │ params │ slot numbers │ kinds of params │ texts │ ... │ data, aligned to 64
//
// Tables follow each other without gaps; the header has their counts. A TextRef points into texts, data_at into data.
#pragma once

#include <bit>
#include <cstdint>

#include "sardonyx/tensor.h"

static_assert(std::endian::native == std::endian::little, "the file format is little-endian and used in place");

namespace sardonyx::sdx {

constexpr unsigned char kMagic[8] = {0x93, 'S', 'D', 'X', '\r', '\n', 0x1a, '\n'};
constexpr std::uint32_t kVersion = 3;
constexpr std::int64_t kMaxBlockRows = std::int64_t{1} << 20;
constexpr std::int64_t kMaxWidth = std::int64_t{1} << 31;              // elements of a row, and each dimension
constexpr std::int64_t kMaxSparseWidth = (std::int64_t{1} << 31) - 1;  // a column's number is an int32
constexpr std::uint64_t kMaxConstant = std::uint64_t{1} << 32;
constexpr std::uint32_t kMaxArity = 1u << 16;

struct TextRef {
  std::uint32_t at, size;
};

struct FileHeader {
  unsigned char magic[8];
  std::uint32_t version, block_rows;
  std::uint32_t n_slots, n_steps, n_ids, n_params;
  std::uint32_t n_inputs, n_outputs, n_metadata, reserved;
  std::uint64_t text_size, data_size;
};
static_assert(sizeof(FileHeader) == 64);

struct FileSlot {
  TextRef name;
  std::uint8_t dtype, role, rank, sparse, reserved[4];
  std::uint64_t data_at, data_size;
  std::int64_t dims[kMaxRank];
};
static_assert(sizeof(FileSlot) == 96);

struct FileStep {
  TextRef kernel, label;
  std::uint32_t n_inputs, n_outputs, n_params, reserved;
};
static_assert(sizeof(FileStep) == 32);

struct FileMetadata {
  TextRef key, value;
};
static_assert(sizeof(FileMetadata) == 16);

}  // namespace sardonyx::sdx
