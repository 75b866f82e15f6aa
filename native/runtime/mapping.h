// A file as read-only memory: read if it is small, so that nothing which happens to it matters; else mapped, so that
// processes share it, where the system can.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace sardonyx {

struct Mapping {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

constexpr std::size_t kMostRead = std::size_t{16} << 20;
constexpr std::size_t kAlignment = 64;  // of what is read, as Program::load wants it

// Throws std::system_error with the system's error number. Do not overwrite a mapped file in place: replace it.
Mapping map_file(const char* path);

}  // namespace sardonyx
