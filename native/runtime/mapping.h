// A file as read-only memory: mapped where the system can, read otherwise.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace sardonyx {

struct Mapping {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Throws std::system_error with the system's error number. Do not overwrite a mapped file in place: replace it.
Mapping map_file(const char* path);

}  // namespace sardonyx
