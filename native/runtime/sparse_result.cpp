#include "runtime/sparse_result.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace sardonyx {
namespace {

constexpr std::int64_t kMostExpected = std::int64_t{1} << 26;  // entries to make room for because rows so far had many
constexpr std::size_t kLarge = std::size_t{1} << 22;           // bytes

Allocated allocate(std::size_t bytes) {
  void* memory = std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return Allocated(memory);
}

// As NumPy does for its arrays: 512 pages are faulted in at once. A hint, which may be refused. All pages are asked
// for: with some of another kind, they could not be moved without being copied when the memory grows.
void ask_for_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes < kLarge) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)), at = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = at / page * page, end = (at + bytes + page - 1) / page * page;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

void reallocate(Allocated& memory, std::size_t bytes) {
  void* moved = std::realloc(memory.get(), std::max<std::size_t>(bytes, 1));
  if (moved == nullptr) throw std::bad_alloc();
  static_cast<void>(memory.release());
  memory.reset(moved);
}

}  // namespace

SparseResult::SparseResult(std::int64_t rows, std::size_t item)
    : rows_(rows), item_(item), indptr_(allocate(static_cast<std::size_t>(rows + 1) * sizeof(std::int64_t))) {
  static_cast<std::int64_t*>(indptr_.get())[0] = 0;
}

void SparseResult::add(std::int64_t first, std::int64_t rows, const SparseRows& block) {
  const Piece piece{first, rows, block.indptr, block.indices, block.values};
  {
    const std::lock_guard lock(mutex_);
    if (first == next_) {
      append(piece);
      return append_waiting();
    }
  }
  Waiting waiting = copy(piece, item_);
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(waiting));
  append_waiting();
}

SparseResult::Waiting SparseResult::copy(const Piece& piece, std::size_t item) {
  const auto entries = static_cast<std::size_t>(piece.entries()), begin = static_cast<std::size_t>(piece.indptr[0]);
  const std::size_t offsets = static_cast<std::size_t>(piece.rows + 1) * sizeof(std::int64_t);
  const std::size_t columns = (entries * sizeof(std::int32_t) + 7) / 8 * 8;
  Waiting made{piece, allocate(offsets + columns + entries * item)};
  auto* at = static_cast<std::byte*>(made.memory.get());
  auto* indptr = reinterpret_cast<std::int64_t*>(at);
  for (std::int64_t r = 0; r <= piece.rows; ++r) indptr[r] = piece.indptr[r] - piece.indptr[0];
  if (entries > 0) {
    std::memcpy(at + offsets, piece.indices + begin, entries * sizeof(std::int32_t));
    std::memcpy(at + offsets + columns, static_cast<const std::byte*>(piece.values) + begin * item, entries * item);
  }
  made.piece.indptr = indptr;
  made.piece.indices = reinterpret_cast<const std::int32_t*>(at + offsets);
  made.piece.values = at + offsets + columns;
  return made;
}

void SparseResult::append_waiting() {
  for (;;) {
    const auto is_next = [this](const Waiting& waiting) { return waiting.piece.first == next_; };
    const auto found = std::ranges::find_if(waiting_, is_next);
    if (found == waiting_.end()) return;
    append(found->piece);
    waiting_.erase(found);
  }
}

void SparseResult::append(const Piece& piece) {
  const std::int64_t entries = piece.entries(), begin = piece.indptr[0];
  reserve(entries_ + entries, piece.first + piece.rows);
  auto* indptr = static_cast<std::int64_t*>(indptr_.get()) + piece.first;
  for (std::int64_t r = 1; r <= piece.rows; ++r) indptr[r] = entries_ + (piece.indptr[r] - begin);
  if (entries > 0) {
    const auto size = static_cast<std::size_t>(entries), at = static_cast<std::size_t>(entries_);
    const auto from = static_cast<std::size_t>(begin);
    std::memcpy(static_cast<std::int32_t*>(indices_.get()) + at, piece.indices + from, size * sizeof(std::int32_t));
    std::memcpy(static_cast<std::byte*>(values_.get()) + at * item_,
                static_cast<const std::byte*>(piece.values) + from * item_, size * item_);
  }
  entries_ += entries;
  next_ = piece.first + piece.rows;
}

// Room for `entries`, which the first `rows` rows have. To move what is there would take as long as to write it.
void SparseResult::reserve(std::int64_t entries, std::int64_t rows) {
  if (entries <= capacity_) return;
  const double all = static_cast<double>(entries) * static_cast<double>(rows_) / static_cast<double>(rows);
  const auto expected = static_cast<std::int64_t>(std::min(1.125 * all, static_cast<double>(kMostExpected)));
  const std::int64_t least = rows == rows_ ? entries : entries + entries / 2;
  try {
    resize(rows == rows_ ? entries : std::max(least, expected));
  } catch (const std::bad_alloc&) {  // where memory that is never written counts, too
    resize(least);
  }
}

void SparseResult::resize(std::int64_t capacity) {
  if (capacity > std::numeric_limits<std::int64_t>::max() / 64) throw std::bad_alloc();
  const auto size = static_cast<std::size_t>(capacity);
  reallocate(indices_, size * sizeof(std::int32_t));
  reallocate(values_, size * item_);
  if (capacity > capacity_) {
    ask_for_huge_pages(indices_.get(), size * sizeof(std::int32_t));
    ask_for_huge_pages(values_.get(), size * item_);
  }
  capacity_ = capacity;
}

Allocated SparseResult::take_indices() {
  reallocate(indices_, static_cast<std::size_t>(entries_) * sizeof(std::int32_t));
  return std::move(indices_);
}

Allocated SparseResult::take_values() {
  reallocate(values_, static_cast<std::size_t>(entries_) * item_);
  return std::move(values_);
}

}  // namespace sardonyx
